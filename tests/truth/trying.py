"""One fleet tried: lived through, looked at, and begun again from its oldest snapshots, which must change nothing."""

import traceback
from dataclasses import dataclass

from schemas.topics import ALERTING
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
        place = traceback.extract_tb(error.__traceback__)[-1]
        found = [Finding(f"it raised {type(error).__name__}: {error} ({place.name}, {place.filename.rsplit('/', 2)[-1]}:{place.lineno})")]
    kept = world.tables.kept
    late = sum(version["reason"] == "late" for version in kept.versions.values())
    excursions = len(expected(fleet, world.decoder.clock))
    return Tried(tuple(found), excursions, len(kept.versions), late)
