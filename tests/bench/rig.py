"""Real servers with a uniform fleet in the registry, and on them the API and the flows; gone after the block.

The servers are one stack and what runs on them another, so that a bench can fill the log before anything reads it.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from infra.local.local_stack import LocalStack
from infra.local.parts import FLOWS, SERVERS, Part
from infra.seed_fleet import Fleet, FleetSpec, seed_fleet
from tests.bench.dashboard import TEAM
from tests.bench.sending import POLICY, Load

UNITS_OF_A_SITE: Final = 100
SECRET: Final = "bench-secret"
DAY_MS: Final = 86_400_000
BENEATH: Final = (*SERVERS, Part.SANDBOX, Part.MIGRATIONS, Part.TOPICS)
PRODUCT: Final = (*FLOWS, Part.API)
TOLD: Final = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL", "STACK_AUTH_SECRET_SERVER_KEY", "SANDBOX_URL", "STACK_AUTH_API_URL")
"""Settings of the servers that what runs on them is given."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers that run, and the fleet in their registry."""

    stack: LocalStack
    folder: Path
    fleet: Fleet
    sites: tuple[int, ...]

    @property
    def settings(self) -> dict[str, str]:
        """Settings for what runs on them."""
        return {name: self.stack.settings[name] for name in TOLD}

    def all_sites(self) -> list[int]:
        """Return the sites of the fleet's organization, also those that somebody else put there."""
        with psycopg.connect(self.stack.database_url) as connection:
            query = "SELECT id FROM sites WHERE organization_id = %s ORDER BY id"
            return [row[0] for row in connection.execute(query, (self.fleet.organization,)).fetchall()]

    def count_units(self) -> int:
        """Return how many units the organization has."""
        with psycopg.connect(self.stack.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM units WHERE organization_id = %s", (self.fleet.organization,)).fetchone()
        assert row is not None
        return int(row[0])


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything, running."""

    servers: Servers
    stack: LocalStack
    """The API and the flows."""

    def load(
        self,
        per_second: float,
        *,
        excursions_per_second: float = 2.0,
        devices: int | None = None,
        below_partition: int | None = None,
    ) -> Load:
        """Return what a sender of some devices needs."""
        host, _, port = self.stack.api_url.removeprefix("http://").rpartition(":")
        fleet = self.servers.fleet
        load = Load(host, int(port), SECRET, fleet.eui_base, 0, devices or fleet.size, per_second, excursions_per_second)
        return load if below_partition is None else load.of_partitions_below(below_partition)

    def processes(self) -> dict[str, int]:
        """Return the process id of every part that runs."""
        named = [(self.stack, part) for part in (Part.API, *FLOWS)]
        named += [(self.servers.stack, part) for part in (Part.KAFKA, Part.POSTGRES, Part.REDIS)]
        return {part.value: pid for stack, part in named if (pid := stack.pid(part)) is not None}


@contextmanager
def servers(say: Say, *, sensors: int, interval_ms: int, database: str | None = None) -> Iterator[Servers]:
    """Start the servers and put a fleet into the registry; `database` is an existing empty one to use instead of our own."""
    folder = Path(tempfile.mkdtemp(prefix="coldstream-bench-"))
    stack = LocalStack(folder / "servers", None, BENEATH, given={"DATABASE_URL": database} if database else None)
    try:
        say("starting Kafka, PostgreSQL, Redis and the sandbox")
        stack.start()
        spec = FleetSpec(
            sensors=sensors,
            document=POLICY,
            valid_from=int(time.time() * 1000) - 40 * DAY_MS,
            interval_ms=interval_ms,
            max_gap_ms=3 * interval_ms,
            offline_after_ms=max(30_000, 6 * interval_ms),
            team_id=TEAM,
            secret=SECRET,
            sites=-(-sensors // UNITS_OF_A_SITE),
        )
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            fleet = seed_fleet(connection, spec)
            found = connection.execute("SELECT id FROM sites WHERE organization_id = %s ORDER BY id", (fleet.organization,)).fetchall()
        say(f"{sensors:,} sensors are in the registry")
        yield Servers(stack, folder, fleet, tuple(row[0] for row in found))
    finally:
        stack.remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(on: Servers, say: Say, parts: Collection[Part] = PRODUCT) -> Iterator[Rig]:
    """Start the API and the flows, or some of them, on some servers."""
    stack = LocalStack(on.folder / "-".join(sorted(parts))[:32], None, parts, given=on.settings)
    try:
        say("starting the API and the flows" if len(parts) > 1 else f"starting {next(iter(parts))}")
        stack.start()
        yield Rig(on, stack)
    finally:
        stack.remove()
