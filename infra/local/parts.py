"""The parts of a local stack, the order in which they start, and what each is as a child process or a step."""

import asyncio
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Final

from infra.local.children import ChildSpec, Probe
from infra.local.errors import NotReadyError
from infra.local.folders import Folders
from infra.local.ports import HOST, Ports

ANSWER_SECONDS: Final = 3.0
COLDSTREAM: Final = str(Path(sys.executable).parent / "coldstream")


class Part(StrEnum):
    """One part of a stack; the value is its name on the terminal, of its log and of its folder."""

    KAFKA = "kafka"
    POSTGRES = "postgres"
    REDIS = "redis"
    SANDBOX = "sandbox"
    MIGRATIONS = "migrations"
    TOPICS = "topics"
    DECODE_UPLINKS = "decode_uplinks"
    STORE_READINGS = "store_readings"
    DETECT_EXCURSIONS = "detect_excursions"
    REVISE_EXCURSIONS = "revise_excursions"
    STORE_DEAD_LETTERS = "store_dead_letters"
    API = "api"


STAGES: Final = (
    (Part.KAFKA, Part.POSTGRES, Part.REDIS, Part.SANDBOX),
    (Part.MIGRATIONS, Part.TOPICS),
    (Part.DECODE_UPLINKS, Part.STORE_READINGS, Part.DETECT_EXCURSIONS, Part.REVISE_EXCURSIONS, Part.STORE_DEAD_LETTERS),
    (Part.API,),
)
"""The whole order: the parts of a stage start together, and all of them are ready before the next stage starts."""

SERVERS: Final = frozenset({Part.KAFKA, Part.POSTGRES, Part.REDIS})
FLOWS: Final = (Part.DECODE_UPLINKS, Part.STORE_READINGS, Part.DETECT_EXCURSIONS, Part.REVISE_EXCURSIONS, Part.STORE_DEAD_LETTERS)
ALL: Final = frozenset(part for stage in STAGES for part in stage)

STEPS: Final = {
    Part.MIGRATIONS: (COLDSTREAM, "migrate"),
    Part.TOPICS: (COLDSTREAM, "topics", "--create"),
}
"""Parts that run once and end, by their command."""


def sandbox_spec(folders: Folders, ports: Ports, environment: Mapping[str, str]) -> ChildSpec:
    """Describe the sandbox providers as a child."""
    return ChildSpec(
        name=Part.SANDBOX,
        command=(sys.executable, "-m", "infra.sandbox", "--port", str(ports.sandbox)),
        ports=(ports.sandbox,),
        environment=environment,
        folder=folders.part(Part.SANDBOX),
        probe=http_probe(f"http://{HOST}:{ports.sandbox}/health"),
    )


def api_spec(folders: Folders, ports: Ports, environment: Mapping[str, str]) -> ChildSpec:
    """Describe the API as a child."""
    return ChildSpec(
        name=Part.API,
        command=(COLDSTREAM, "serve", "--port", str(ports.api)),
        ports=(ports.api, ports.api_metrics),
        environment={**environment, "METRICS_ENABLED": "true", "METRICS_PORT": str(ports.api_metrics)},
        folder=folders.part(Part.API),
        probe=http_probe(f"http://{HOST}:{ports.api}/health/ready"),
    )


def http_probe(url: str) -> Probe:
    """Return a probe that is content once a GET of the address answers 200."""

    async def probe() -> None:
        await asyncio.to_thread(_get, url)

    return probe


def _get(url: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - our own loopback address
            status = answer.status
    except urllib.error.HTTPError as error:
        with error:
            body = error.read(500).decode(errors="replace")
        raise NotReadyError(f"{url} answers {error.code}: {body}") from error
    except OSError as error:
        raise NotReadyError(f"{url} does not answer") from error
    if status != HTTPStatus.OK:
        raise NotReadyError(f"{url} answers {status}")
