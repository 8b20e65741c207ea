"""A whole stack with a uniform fleet in its registry, for the benches of more than one part; gone after the block."""

import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from infra.local.errors import StackError
from infra.local.local_stack import LocalStack
from infra.local.parts import ALL, FLOWS, Part
from infra.seed_fleet import Fleet, FleetSpec, seed_fleet
from tests.bench.dashboard import TEAM
from tests.bench.sending import POLICY, Load

UNITS_OF_A_SITE: Final = 100
SECRET: Final = "bench-secret"
SEEN_SECONDS: Final = 6.0
"""Secrets and terms are seen by every process after so long."""
DAY_MS: Final = 86_400_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rig:
    """A stack that runs, and the fleet in it."""

    stack: LocalStack
    folder: Path
    fleet: Fleet
    sites: tuple[int, ...]

    def load(self, per_second: float, *, first: int = 0, devices: int | None = None, excursions_per_second: float = 2.0) -> Load:
        """Return what a sender of some devices needs."""
        host, _, port = self.stack.api_url.removeprefix("http://").rpartition(":")
        count = self.fleet.size - first if devices is None else devices
        return Load(host, int(port), SECRET, self.fleet.eui_base, first, count, per_second, excursions_per_second)

    def processes(self) -> dict[str, int]:
        """Return the process id of every part that runs."""
        return {part.value: pid for part in ORDER if (pid := pid_of(self.stack, part)) is not None}


ORDER: Final = (Part.API, *FLOWS, Part.KAFKA, Part.POSTGRES, Part.REDIS, Part.SANDBOX)


def pid_of(stack: LocalStack, part: Part) -> int | None:
    """Return the process id of a part, None where it is not of this stack or down."""
    try:
        return stack.pid(part)
    except StackError:
        return None


@contextmanager
def rig(say: Say, *, sensors: int, interval_ms: int, parts: Collection[Part] = ALL) -> Iterator[Rig]:
    """Start the parts, put a fleet into the registry and wait until every process knows it."""
    folder = Path(tempfile.mkdtemp(prefix="coldstream-bench-"))
    stack = LocalStack(folder / "data", None, parts)
    try:
        say(f"starting {len(parts)} parts")
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
        time.sleep(SEEN_SECONDS)
        yield Rig(stack, folder, fleet, tuple(row[0] for row in found))
    finally:
        stack.remove()
        shutil.rmtree(folder, ignore_errors=True)
