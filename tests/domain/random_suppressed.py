"""Random series of sustained bands that may be suppressed, with windows, doors and defrosts that coincide with everything. For tests only.

Built on `random_series`; imports nothing of the product.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Any

from tests.domain.random_series import START, Series, random_series
from tests.domain.simple_judge_suppression import Beside, Profile, Stretch


@dataclass(frozen=True, slots=True)
class SuppressedSeries:
    """A series and what is known beside it."""

    series: Series
    beside: Beside

    def __str__(self) -> str:
        """The series, and the circumstances with times relative to the first row."""
        origin = min((row[0] for row in self.series.rows), default=self.series.until)
        windows = [(begin - origin, end - origin) for begin, end in self.beside.maintenance]
        doors = [(begin - origin, end - origin) for begin, end in self.beside.door]
        return f"{self.series}\nmaintenance {windows}\ndoor {doors}\ndefrost {self.beside.defrost}"


def random_suppressed(seed: int) -> SuppressedSeries:
    """Build one series, most of its bands suppressed by something."""
    series = random_series(seed, "sustained")
    random = Random(seed * 31 + 7)
    step = random.choice((1, 1_000, 60_000))
    if len(series.rows) > 1:
        times = sorted({row[0] for row in series.rows})
        step = max(1, min((after - before for before, after in pairwise(times)), default=step))
    versions = tuple(tuple({**band, "suppress": _suppress(random, step, band["side"])} for band in policy) for policy in series.versions)
    beside = Beside(
        _stretches(random, step, series) if random.random() < 0.6 else (),
        _stretches(random, step, series) if random.random() < 0.6 else (),
        _profile(random, step, series) if random.random() < 0.7 else None,
    )
    return SuppressedSeries(replace(series, versions=versions), beside)


def _suppress(random: Random, step: int, side: str) -> dict[str, Any] | None:
    if random.random() < 0.15:
        return None
    door = side == "high" and random.random() < 0.6
    defrost = side == "high" and random.random() < 0.7
    maintenance = random.random() < 0.6
    if not (door or defrost or maintenance):
        return None
    times = {"door_after": step * random.choice((0, 1, 2, 5)), "door_grace": step * random.choice((1, 3, 6, 12, 30))}
    return {"defrost": defrost, "maintenance": maintenance, "door": door, **(times if door else {})}


def _stretches(random: Random, step: int, series: Series) -> tuple[Stretch, ...]:
    """Draw stretches that begin and end at rows, deadlines and between; some touch, some overlap."""
    times = [row[0] for row in series.rows] or [START]
    found: list[Stretch] = []
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        begin = random.choice(times) + step * random.choice((-3, -1, 0, 0, 1, 2)) + random.choice((-1, 0, 0, 0, 1))
        end = random.choice((begin + step * random.choice((1, 2, 4, 9, 40)), max(begin + 1, random.choice(times))))
        found.append((begin, end))
        if random.random() < 0.2:
            found.append((end, end + step))
    return tuple(found)


def _profile(random: Random, step: int, series: Series) -> Profile:
    values = [row[1] for row in series.rows if row[1] is not None] or [800]
    return {
        "period": step * random.choice((1, 3, 10, 25, 80)),
        "peak": random.choice(values) + random.choice((-1, 0, 0, 1, 100, 1_000)),
        "duration": step * random.choice((1, 2, 4, 8, 20, 60)) + random.choice((0, 0, 1)),
    }
