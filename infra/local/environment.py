"""The settings of a running stack as a file of NAME=VALUE lines, so that other commands find it without being told."""

import os
import secrets
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final

from infra.local import postgres, redis
from infra.local.folders import Folders
from infra.local.parts import Part
from infra.local.ports import HOST, Ports

FILE_NAME: Final = "env"
DEFAULT_DATA: Final = Path(".local")

EXISTING: Final = {
    Part.KAFKA: "KAFKA_BOOTSTRAP_SERVERS",
    Part.POSTGRES: "DATABASE_URL",
    Part.REDIS: "REDIS_URL",
}
"""A part whose setting is given is a server that exists: it is asked, never started or stopped."""


def resolve(folders: Folders, ports: Ports, given: Mapping[str, str]) -> dict[str, str]:
    """Return every setting that the parts and commands need; what is given goes before what we would choose."""
    sandbox = f"http://{HOST}:{ports.sandbox}"
    ours = {
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{ports.kafka}",
        "DATABASE_URL": postgres.url(ports),
        "REDIS_URL": redis.url(ports),
        "API_URL": f"http://{HOST}:{ports.api}",
        "SANDBOX_URL": sandbox,
        "STACK_AUTH_API_URL": sandbox,
        "STACK_AUTH_PROJECT_ID": "coldstream-local",
        "STACK_AUTH_SECRET_SERVER_KEY": "",
    }
    kept = read_environment(folders.data)
    secret = kept.get("STACK_AUTH_SECRET_SERVER_KEY") or secrets.token_urlsafe(32)
    ours["STACK_AUTH_SECRET_SERVER_KEY"] = secret
    return {name: given.get(name) or value for name, value in ours.items()}


def write_environment(folders: Folders, settings: Mapping[str, str]) -> None:
    """Write the settings where `load_environment` finds them; readable by their owner only."""
    draft = folders.environment.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in sorted(settings.items())))
    draft.replace(folders.environment)


def read_environment(data: Path = DEFAULT_DATA) -> dict[str, str]:
    """Read the settings of the stack in a data folder; nothing when there is none."""
    path = data / FILE_NAME
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def load_environment(data: Path = DEFAULT_DATA, environment: MutableMapping[str, str] = os.environ) -> MutableMapping[str, str]:
    """Fill in the settings that the environment does not name from the stack in a data folder, and return it."""
    for name, value in read_environment(data).items():
        if not environment.get(name) and not environment.get(f"{name}_FILE"):
            environment[name] = value
    return environment
