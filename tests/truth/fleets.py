"""Random fleets, product against simple implementation; a failing one is cut down and printed."""

import re

from tests.truth.counted import Counted
from tests.truth.fleet import Fleet
from tests.truth.printing import printed
from tests.truth.random_fleet import random_fleet
from tests.truth.shrinking import LONGEST_SECONDS, shrunk
from tests.truth.trying import Tried, tried, tried_through_bytewax


def try_fleet(kind: str, seed: int) -> Counted:
    """Carry one fleet's life out."""
    result = tried(random_fleet(seed, kind))
    return Counted(kind, 1, result.excursions, result.versions, result.late, failed=(seed,) if result.findings else ())


def try_through_bytewax(kind: str, seed: int) -> Counted:
    """Carry one fleet's life out by the real dataflows."""
    result = tried_through_bytewax(random_fleet(seed, kind))
    return Counted(kind, 1, result.excursions, result.versions, result.late, failed=(seed,) if result.findings else ())


def explained_through_bytewax(kind: str, seed: int) -> str:
    """Return a failing fleet as it is, what is wrong with it, and how to repeat it: a try takes too long to cut it down."""
    fleet = random_fleet(seed, kind)
    return printed(fleet, tried_through_bytewax(fleet).findings, option="--bytewax")


def explained(kind: str, seed: int, seconds: float = LONGEST_SECONDS) -> str:
    """Return a failing fleet as small as it gets, what is wrong with it, and how to repeat it."""
    fleet = random_fleet(seed, kind)
    smallest = smallest_like(fleet, seconds)
    return printed(smallest, tried(smallest).findings)


def smallest_like(fleet: Fleet, seconds: float) -> Fleet:
    """Return the smallest fleet found that fails in the same manner."""
    wanted = manners(tried(fleet))
    return shrunk(fleet, lambda candidate: bool(manners(tried(candidate)) & wanted), seconds)


def manners(result: Tried) -> frozenset[str]:
    """Return what was found, without the numbers that differ from case to case."""
    return frozenset(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", finding.what) for finding in result.findings)
