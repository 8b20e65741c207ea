"""One fleet tried: lived through, looked at, and begun again from its oldest snapshots, which must change nothing."""

import traceback
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.topics import ALERTING
from tests.truth.dataflows import Running
from tests.truth.expecting import Finding, expected, findings
from tests.truth.fleet import Fleet
from tests.truth.world import World


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a fleet."""

    findings: tuple[Finding, ...]
    excursions: int
    versions: int
    late: int
    """Versions that a revision wrote."""


def tried(fleet: Fleet) -> Tried:
    """Carry a fleet's life out and look at it; an error of the product is a finding too."""
    world = World(fleet)
    try:
        world.live()
        found = list(findings(fleet, world.tables.kept, world.log.values(ALERTING.name), world.decoder.clock))
        if not found:
            versions = len(world.tables.kept.versions)
            world.begin_again()
            world.rest()
            found = list(findings(fleet, world.tables.kept, world.log.values(ALERTING.name), world.decoder.clock))
            if not found and len(world.tables.kept.versions) != versions:
                found.append(Finding("a replay from the oldest snapshots wrote further versions"))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is found
        found = [raised(error)]
    return came_to(fleet, world, found)


def tried_through_bytewax(fleet: Fleet) -> Tried:
    """Carry a fleet's life out by the real dataflows and look at it."""
    with TemporaryDirectory() as folder:
        running = Running(fleet, Path(folder))
        try:
            running.live()
            found = list(findings(fleet, running.tables.kept, running.log.values(ALERTING.name), running.decoder.clock))
        except Exception as error:  # noqa: BLE001 - as above
            found = [raised(error)]
        return came_to(fleet, running, found)


def raised(error: Exception) -> Finding:
    """Return an error as a finding."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return Finding(f"it raised {type(error).__name__}: {error} ({place.name}, {place.filename.rsplit('/', 2)[-1]}:{place.lineno})")


def came_to(fleet: Fleet, world: World | Running, found: list[Finding]) -> Tried:
    """Count what there was."""
    kept = world.tables.kept
    late = sum(version["reason"] == "late" for version in kept.versions.values())
    return Tried(tuple(found), len(expected(fleet, world.decoder.clock)), len(kept.versions), late)
