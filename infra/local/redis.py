"""A Redis of our own: nothing on disk, for it only carries hints."""

import asyncio
from typing import Final

import redis

from infra.local import programs
from infra.local.children import ChildSpec
from infra.local.errors import NotReadyError
from infra.local.folders import Folders
from infra.local.ports import HOST, Ports

NAME: Final = "redis"
ANSWER_SECONDS: Final = 2.0


def spec(folders: Folders, ports: Ports) -> ChildSpec:
    """Describe Redis as a child; raises StackError when it is not installed."""
    settings = {
        "--bind": HOST,
        "--port": str(ports.redis),
        "--save": "",
        "--appendonly": "no",
        "--maxmemory": "256mb",
        "--maxmemory-policy": "noeviction",
        "--daemonize": "no",
    }
    arguments = [text for pair in settings.items() for text in pair]
    return ChildSpec(
        name=NAME,
        command=(str(programs.redis_server()), *arguments),
        ports=(ports.redis,),
        folder=folders.part(NAME),
        probe=lambda: answers(url(ports)),
        ready_seconds=20.0,
    )


def url(ports: Ports) -> str:
    """Return the address under which clients find this Redis."""
    return f"redis://{HOST}:{ports.redis}/0"


async def answers(address: str) -> None:
    """Return once Redis answers PING. Raises NotReadyError."""
    await asyncio.to_thread(_ping, address)


def _ping(address: str) -> None:
    client = redis.Redis.from_url(address, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
    try:
        client.ping()
    except redis.RedisError as error:
        raise NotReadyError(f"Redis does not answer PING: {error}") from error
    finally:
        client.close()
