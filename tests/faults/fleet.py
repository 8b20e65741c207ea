"""A simulated fleet of a fault run: seeded into the registry, then posted in real time by a process of its own.

Each device's uplinks come in order of `measured_at`, unless some are held back, with duplicates, strangers, garbage, fault marks and
status frames among them. `python -m tests.faults.fleet` is the sender; it keeps a journal of what was acknowledged.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psycopg
import uvloop

from infra.seed import Seeded, seed_registry
from infra.simulator.fleet import build_fleet
from infra.simulator.journal import Journal
from infra.simulator.mischief import CLEAN, Mischief
from infra.simulator.progress import Progress
from infra.simulator.registry import QUICK, Pace, registry_of
from infra.simulator.run import Plan, Simulation
from infra.simulator.sender import Sender, target_of
from pipelines.connectors.clock import now_ms

TEAM: Final = "demo-team"
APPLICATION: Final = "faults"
SECRET: Final = "secret of a fault run"
DAY_MS: Final = 86_400_000
OFFLINE_AFTER_MS: Final = 30_000
STOP_SECONDS: Final = 15.0
"""What is under way when the sender is told to stop is tried again for so long."""
ODDITIES: Final[Mischief] = replace(CLEAN, duplicates=0.01, statuses=0.01, sentinels=0.003, strangers=0.01, garbage=0.01)
HELD_INTERVALS: Final = 6
"""What is held back is delivered at most so many intervals late."""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """One fleet; times in ms. `seed` sets its devices apart from those of any other fleet on the same stack."""

    units: int
    seed: int
    interval_ms: int
    offline_after_ms: int = OFFLINE_AFTER_MS
    held: float = 0.0
    """Share of the uplinks that are held back, so that later ones overtake them."""

    @property
    def held_ms(self) -> int:
        """How late an uplink may be delivered."""
        return HELD_INTERVALS * self.interval_ms if self.held else 0


def seed(database_url: str, plan: FleetPlan) -> Seeded:
    """Register the fleet; every process knows it within 5 s."""
    pace = Pace(now_ms() - DAY_MS, plan.interval_ms, QUICK, 3 * plan.interval_ms, plan.offline_after_ms)
    registry = registry_of(
        build_fleet(plan.units, plan.seed),
        team_id=TEAM,
        name="Fault runs",
        application=APPLICATION,
        secret=SECRET,
        valid_from=pace.effective_at,
        paces=(pace,),
    )
    # Units are known by site and name: each fleet has its own.
    units = tuple(replace(unit, name=f"{unit.name} of fleet {plan.seed}") for unit in registry.units)
    with psycopg.connect(database_url) as connection:
        return seed_registry(connection, replace(registry, units=units))


def start_sender(plan: FleetPlan, url: str, journal: Path, seconds: float | None = None) -> "subprocess.Popen[bytes]":
    """Start the sender; it ends, once everything begun was acknowledged, after so long or when SIGTERM tells it to."""
    command = [sys.executable, "-m", "tests.faults.fleet", "--url", url, "--journal", str(journal)]
    command += ["--units", str(plan.units), "--seed", str(plan.seed), "--interval-ms", str(plan.interval_ms)]
    command += ["--held", str(plan.held)]
    command += [] if seconds is None else ["--seconds", str(seconds)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)


def main() -> None:
    """Post."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fleet", description="Post a fleet in real time.")
    for name in ("units", "seed", "interval-ms"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--held", type=float, default=0.0, help="share of the uplinks that are delivered late")
    parser.add_argument("--url", required=True)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=None, help="default: until SIGTERM")
    wanted = parser.parse_args()
    oddities = replace(ODDITIES, held=wanted.held, held_ms=HELD_INTERVALS * wanted.interval_ms)
    plan = Plan(build_fleet(wanted.units, wanted.seed), APPLICATION, oddities, wanted.interval_ms, quick=True)
    with Journal(wanted.journal) as journal:
        sender = Sender(target_of(wanted.url, SECRET), journal)
        uvloop.run(_post(Simulation(plan, sender, Progress(lambda _line: None)), sender, wanted.seconds))
    sys.exit(1 if sender.tally.given_up or sender.tally.refused else 0)


async def _post(simulation: Simulation, sender: Sender, seconds: float | None) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sender.stop, STOP_SECONDS)
    await simulation.live(seconds)


if __name__ == "__main__":
    main()
