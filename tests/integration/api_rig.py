"""The real API, as `coldstream serve` runs it, over the real servers of the stack and a database of its own. For tests only."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local.local_stack import LocalStack
from infra.local.ports import free_base
from infra.seed import Registry, Rule, Seeded, SensorSpec, SiteSpec, Terms, UnitSpec, seed_registry
from migrations import runner
from schemas.topics import TOPICS

COLDSTREAM = str(Path(sys.executable).parent / "coldstream")
START_SECONDS = 120.0
"""An idle machine takes 3; one that runs ten test runs at once takes many times that."""
DAY = 86_400_000
MINUTE = 60_000

DOCUMENT = {"bands": [{"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 900, "min_samples": 2}]}


@dataclass
class Api:
    """A running API and what it stands on."""

    url: str
    sandbox: str
    database_url: str
    redis_url: str
    kafka: str
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes]"

    def token(self, user: str, expires_in: int = 3_600) -> str:
        order = {"user": user, "expires_in": expires_in}
        return str(httpx.post(f"{self.sandbox}/sandbox/stack-auth/token", json=order).json()["access_token"])

    def team(self, team: str, *members: str) -> None:
        order = {"id": team, "members": list(members)}
        httpx.post(f"{self.sandbox}/sandbox/stack-auth/teams", json=order).raise_for_status()

    def get(self, path: str, user: str = "ada") -> httpx.Response:
        return httpx.get(f"{self.url}/api/v1/{path}", headers={"x-stack-access-token": self.token(user)}, timeout=20)

    def post(self, body: bytes, secret: str, **headers: str) -> httpx.Response:
        all_headers = {"x-coldstream-secret": secret, "content-type": "application/json"} | headers
        return httpx.post(f"{self.url}/api/webhooks/ttn", content=body, headers=all_headers, timeout=20)

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.database_url, autocommit=True)


def create_topics(bootstrap_servers: str) -> None:
    """Create the topics that the broker does not have yet."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    known = admin.list_topics(timeout=10).topics
    missing = [NewTopic(topic.name, topic.partitions, 1, config=topic.broker_settings()) for topic in TOPICS if topic.name not in known]
    if missing:
        for outcome in admin.create_topics(missing).values():
            outcome.result(20)


def create_database(stack: LocalStack, name: str) -> str:
    """Make an empty, migrated database and return its address."""
    with psycopg.connect(stack.database_url, autocommit=True) as first:
        first.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        first.execute(f"CREATE DATABASE {name}".encode())
    url = stack.database_url.rpartition("/")[0] + "/" + name
    runner.upgrade(url)
    return url


@contextmanager
def running_api(stack: LocalStack, folder: Path, name: str, **settings: str) -> Iterator[Api]:
    """Run a sandbox and an API process; both are gone afterwards."""
    create_topics(stack.kafka_bootstrap_servers)
    base = free_base()
    api, sandbox = f"http://127.0.0.1:{base}", f"http://127.0.0.1:{base + 1}"
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": stack.kafka_bootstrap_servers,
        "DATABASE_URL": create_database(stack, name),
        "REDIS_URL": stack.redis_url,
        "STACK_AUTH_API_URL": sandbox,
        "STACK_AUTH_PROJECT_ID": "coldstream-test",
        "STACK_AUTH_SECRET_SERVER_KEY": "test-server-key",
        "TICKS_ENABLED": "false",
        "LOG_PRETTY": "false",
    } | settings
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        inherited = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG"}}
        children = [
            subprocess.Popen(command, env=inherited | environment, cwd=folder, stdout=output, stderr=output)
            for command in (
                [sys.executable, "-m", "infra.sandbox", "--port", str(base + 1), "--data", str(folder)],
                [COLDSTREAM, "serve", "--port", str(base)],
            )
        ]
    found = Api(
        api,
        sandbox,
        environment["DATABASE_URL"],
        stack.redis_url,
        stack.kafka_bootstrap_servers,
        environment,
        log,
        children[1],
    )
    try:
        wait_until_ready(found)
        yield found
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(15)


def wait_until_ready(api: Api, seconds: float = START_SECONDS) -> None:
    """Return once every part of the API answers; otherwise say which does not."""
    deadline = time.monotonic() + seconds
    told = "no answer"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{api.url}/health/ready", timeout=5)
        except httpx.HTTPError as error:
            told = repr(error)
        else:
            if answer.status_code == 200:
                return
            told = answer.text
        time.sleep(0.1)
    message = f"{told}\n{api.log.read_text()[-3_000:]}"
    raise AssertionError(message)


def organization(connection: "psycopg.Connection[Any]", number: int, begin: int, *, units: int = 2) -> Seeded:
    """Seed organization `team-<number>` with a site and units of one sensor each; its secret is `secret-<number>`."""
    terms = Terms(begin, MINUTE, 3 * MINUTE, 10 * MINUTE)
    return seed_registry(
        connection,
        Registry(
            team_id=f"team-{number}",
            name=f"Organization {number}",
            application=f"application-{number}",
            secret=f"secret-{number}",
            sites=(SiteSpec(f"Site {number}", "Europe/Berlin"),),
            units=tuple(
                UnitSpec(
                    f"Site {number}",
                    f"Fridge {number}.{unit}",
                    "refrigerator",
                    (Rule("fridge", DOCUMENT, begin),),
                    (SensorSpec(f"A8404100{number:04X}{unit:04X}", (terms,), brand_id="dragino", model_id="lht65"),),
                )
                for unit in range(units)
            ),
            valid_from=begin,
        ),
    )
