"""Seeded random series of a few hundred milliseconds for bands of kind `cumulative`, `mean` and `mkt`. For tests only.

Windows, budgets and gaps are of the size of the steps between rows, so that they often coincide. Imports nothing
of the product.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple, TypeVar

from tests.domain.simple_judge import Row, Side
from tests.domain.simple_judge_cumulative import Band as CumulativeBand
from tests.domain.simple_judge_mean import Band as MeanBand
from tests.domain.simple_judge_mkt import Band as MktBand

BandT = TypeVar("BandT")
WINDOWS = (7, 20, 24, 40)


class Case(NamedTuple):
    """What a judge is asked: rows in any order, and the index of each one's version among `versions`."""

    rows: list[Row]
    until: int
    assignment_end: int | None


def cumulative(random: Random, name: str, side: Side, window: int | None) -> CumulativeBand:
    budget = random.randint(1, min(window or 30, 20))
    return {
        "name": name,
        "side": side,
        "limit": random.choice((790, 800)),
        "inclusive": random.random() < 0.4,
        "window": window,
        "budget": budget,
        "rearm": random.choice((0, 0, random.randrange(budget))),
    }


def mean(random: Random, name: str, side: Side, window: int | None) -> MeanBand:
    return {
        "name": name,
        "side": side,
        "limit": random.choice((790, 800)),
        "inclusive": random.random() < 0.4,
        "window": window or WINDOWS[0],
        "min_known": random.choice((0, 250, 500, 1000)),
    }


def mkt(random: Random, name: str, _side: Side, window: int | None) -> MktBand:
    return {
        "name": name,
        "side": "high",
        "limit": random.choice((790, 800)),
        "inclusive": random.random() < 0.4,
        "window": window or WINDOWS[0],
        "min_known": random.choice((0, 250, 500, 1000)),
        "margin": random.choice((0, 0, 5, 20)),
    }


def versions_of(random: Random, draw: Callable[[Random, str, Side, int | None], BandT]) -> list[list[BandT]]:
    """Draw one to three versions; a later version keeps most bands with figures drawn again, drops some, turns some round."""
    sides: tuple[Side, ...] = ("high", "low")
    windows = (*WINDOWS, None)
    shapes = {name: (random.choice(sides), random.choice(windows)) for name in "ab"}
    versions = [[draw(random, name, *shape) for name, shape in shapes.items()]]
    for _ in range(random.choice((0, 0, 1, 2))):
        later = []
        for name, shape in shapes.items():
            fate = random.random()
            if fate < 0.8:
                later.append(draw(random, name, *shape))
            elif fate < 0.9:
                later.append(draw(random, name, random.choice(sides), random.choice(windows)))
        versions.append(later)
    return versions


def case(random: Random, versions: int) -> Case:
    """Draw some 25 rows, with fault marks, silences, duplicates and disorder."""
    at, version, rows = random.randint(900, 1000), 0, list[Row]()
    for _ in range(random.randint(0, 28)):
        version = min(versions - 1, version + random.choice((0, 0, 0, 0, 1)))
        value = random.choice((780, 790, 791, 799, 800, 801, 815, 830, None))
        rows.append((at, value, version, random.choice((5, 10, 20))))
        at += random.choice((0, 1, 2, 4, 5, 6, 8, 10, 12, 24))
    until = at + random.choice((-30, -1, 0, 10, 40))
    assignment_end = at - random.randint(-20, 60) if random.random() < 0.2 else None
    return Case(rows, until, assignment_end)
