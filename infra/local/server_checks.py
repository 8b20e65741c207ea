"""What `coldstream doctor` asks the servers: do they answer, is the database migrated, are the topics right."""

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final

import psycopg

from infra.local import kafka, postgres, redis
from infra.local.checks import Check, Finding
from infra.local.errors import NotReadyError
from infra.local.parts import COLDSTREAM, http_probe
from migrations import runner

START: Final = "Start the stack with: coldstream up"
COMMAND_SECONDS: Final = 60
FIRST_SAFE_TIMESCALEDB: Final = (2, 29, 1)
TIMESCALEDB_SETTINGS: Final = """
SELECT current_setting('timescaledb.max_background_workers', true) IS NOT NULL,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
       current_setting('timescaledb.license', true)
"""


def server_checks(settings: Mapping[str, str], *, expected: bool) -> Iterator[Check]:
    """Check every configured server.

    `expected` says that they ought to run: a stack holds this data folder, or the environment names them. Otherwise a
    server that does not answer is only noted.
    """
    unanswered = Finding.MISSING if expected else Finding.NOTE
    for name, variable, answers in _SERVERS:
        address = settings.get(variable)
        if not address:
            yield Check(name, Finding.NOTE, f"{variable} is not set and no stack has run here", START)
            continue
        check = _answers(name, address, answers, unanswered)
        yield check
        if check.finding is Finding.OK and variable == "DATABASE_URL":
            yield timescaledb_check(address)
            yield migrations_check(address)
        if check.finding is Finding.OK and variable == "KAFKA_BOOTSTRAP_SERVERS":
            yield topics_check(settings)


def timescaledb_check(address: str) -> Check:
    """Say which tier the database offers; plain PostgreSQL works, with native partitions and rollup tables."""
    with psycopg.connect(address) as connection:
        row = connection.execute(TIMESCALEDB_SETTINGS).fetchone()
    assert row is not None
    loaded, version, license_name = row
    if not loaded:
        return Check("timescaledb", Finding.NOTE, "not loaded: plain PostgreSQL with native partitions is used")
    if version is None:
        return Check("timescaledb", Finding.NOTE, "loaded, the extension is not created yet", "Run: coldstream migrate")
    tier = "full license" if license_name == "timescale" else "Apache license: no columnstore, no policies"
    detail = f"{version}, {tier}"
    if tuple(int(part) for part in version.split(".")[:3]) < FIRST_SAFE_TIMESCALEDB:
        wanted = ".".join(map(str, FIRST_SAFE_TIMESCALEDB))
        return Check("timescaledb", Finding.NOTE, detail, f"Production wants {wanted} or newer on PostgreSQL 16 or newer.")
    return Check("timescaledb", Finding.OK, detail)


def migrations_check(address: str) -> Check:
    """Check that the database is at the newest revision that this code knows."""
    current, head = runner.current(address), runner.head(address)
    if current == head:
        return Check("migrations", Finding.OK, f"at {head}")
    return Check("migrations", Finding.MISSING, f"at {current or 'none'}, newest is {head}", "Run: coldstream migrate")


def topics_check(settings: Mapping[str, str]) -> Check:
    """Let `coldstream topics` compare the broker's topics with the contract."""
    result = subprocess.run(
        [COLDSTREAM, "topics"],
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        env={**settings},
    )
    said = ((result.stdout + result.stderr).strip().splitlines() or ["`coldstream topics` said nothing"])[-1]
    if result.returncode == 0:
        return Check("topics", Finding.OK, said)
    return Check("topics", Finding.MISSING, said, "Run: coldstream topics --create")


def without_password(text: str) -> str:
    """Return a text with the password of any address in it masked."""
    return re.sub(r"(://[^:/@\s]*):[^@/\s]*@", r"\1:***@", text)


def _answers(name: str, address: str, answers: Callable[[str], Awaitable[None]], unanswered: Finding) -> Check:
    async def ask() -> None:
        await answers(address)

    try:
        asyncio.run(ask())
    except NotReadyError as reason:
        return Check(name, unanswered, without_password(str(reason)), START)
    return Check(name, Finding.OK, f"answers at {without_password(address)}")


async def _api_answers(address: str) -> None:
    await http_probe(f"{address}/health/ready")()


_SERVERS: Final = (
    ("kafka server", "KAFKA_BOOTSTRAP_SERVERS", kafka.answers),
    ("database", "DATABASE_URL", postgres.answers),
    ("redis server", "REDIS_URL", redis.answers),
    ("api", "API_URL", _api_answers),
)
