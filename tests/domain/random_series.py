"""Seeded random series that are nasty on purpose: values at the limits, times that coincide with every deadline.

For tests only; imports nothing of the product. The same seed gives the same series on any machine.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.domain.simple_judge import Row, Side

Band = Mapping[str, Any]
"""A band of any kind, as the simple judge of its kind takes it."""
Draw = Callable[[Random, int, str], Band]
"""Draws a band of a kind: chance, step, name."""

START = 1_700_000_000_000
"""Some day in 2023; not a multiple of an hour, so that nothing leans on alignment."""
SIDES: tuple[Side, ...] = ("high", "low")
NAMES = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Series:
    """Everything one judgement needs. Rows are in order of arrival, which is any order."""

    seed: int
    rows: tuple[Row, ...]
    versions: tuple[tuple[Band, ...], ...]
    until: int
    assignment_end: int | None

    def __str__(self) -> str:
        """Times relative to the first row, so that a failing case can be read and typed in again."""
        origin = min((row[0] for row in self.rows), default=self.until)
        lines = [f"seed {self.seed}, times in ms after {origin}, temperatures in hundredths"]
        for number, policy in enumerate(self.versions):
            lines += [f"version {number}: {dict(band)}" for band in policy]
        lines += [
            f"  {at - origin:>9} {'fault' if value is None else value:>6} version {version} max_gap {max_gap}"
            for at, value, version, max_gap in self.rows
        ]
        end = None if self.assignment_end is None else self.assignment_end - origin
        return "\n".join([*lines, f"until {self.until - origin}, assignment end {end}"])


def random_series(seed: int, kind: str = "sustained") -> Series:
    """Build one series of up to some 60 rows; a share of them with several versions, a share with an assignment end."""
    random = Random(seed)
    step = random.choice((1, 1_000, 60_000, 61_337))
    versions = _versions(random, step, KINDS[kind])
    rows = _rows(random, step, versions)
    last = max((row[0] for row in rows), default=START)
    until = _instant(random, step, rows, last)
    assignment_end = _instant(random, step, rows, last) if random.random() < 0.15 else None
    return Series(seed, tuple(rows), versions, until, assignment_end)


def _versions(random: Random, step: int, draw: Draw) -> tuple[tuple[Band, ...], ...]:
    names = NAMES[: random.choice((1, 1, 2, 3))]
    first = tuple(draw(random, step, name) for name in names)
    versions = [first]
    if random.random() < 0.4:
        for _ in range(random.choice((1, 1, 2))):
            versions.append(_changed(random, step, versions[-1], draw))
    return tuple(versions)


def _sustained(random: Random, step: int, name: str) -> Band:
    return {
        "kind": "sustained",
        "name": name,
        "side": random.choice(SIDES),
        "limit": random.choice((800, 800, 750, 200, -50)),
        "inclusive": random.random() < 0.4,
        "hold": step * random.choice((0, 0, 1, 2, 3, 5, 8)),
        "min_samples": random.choice((1, 1, 2, 3)),
        "margin": random.choice((0, 0, 1, 50, 100)),
        "recovery_hold": step * random.choice((0, 0, 1, 2, 4, 7)),
    }


def _cumulative(random: Random, step: int, name: str) -> Band:
    window = random.choice((None, 4, 8, 12, 25, 60))
    budget = step * random.randint(1, min(window or 12, 12)) - random.choice((0, 0, 0, step // 3))
    return {
        "kind": "cumulative",
        "name": name,
        "side": random.choice(SIDES),
        "limit": random.choice((800, 800, 750, 200)),
        "inclusive": random.random() < 0.4,
        "window": None if window is None else step * window,
        "budget": budget,
        "rearm": random.choice((0, 0, min(step, budget - 1), budget - 1)),
    }


def _mean(random: Random, step: int, name: str) -> Band:
    return {
        "kind": "mean",
        "name": name,
        "side": random.choice(SIDES),
        "limit": random.choice((800, 800, 750, 200)),
        "inclusive": random.random() < 0.4,
        "window": step * random.choice((1, 2, 5, 10)) + random.choice((0, 0, 1)),
        "min_known": random.choice((0, 250, 500, 900, 1_000)),
    }


def _mkt(random: Random, step: int, name: str) -> Band:
    return {
        "kind": "mkt",
        "name": name,
        "side": "high",
        "limit": random.choice((800, 800, 750)),
        "inclusive": random.random() < 0.4,
        "window": step * random.choice((1, 4, 10, 25)) + random.choice((0, 0, 1)),
        "min_known": random.choice((0, 100, 500, 900, 1_000)),
        "margin": random.choice((0, 0, 1, 50)),
    }


def _mixed(random: Random, step: int, name: str) -> Band:
    return random.choice((_sustained, _cumulative, _mean, _mkt))(random, step, name)


KINDS: dict[str, Draw] = {"sustained": _sustained, "cumulative": _cumulative, "mean": _mean, "mkt": _mkt, "mixed": _mixed}


def _changed(random: Random, step: int, policy: Sequence[Band], draw: Draw) -> tuple[Band, ...]:
    """The next version: most bands with some fields drawn again, a few dropped, turned round, untouched or new."""
    changed: list[Band] = []
    for band in policy:
        fresh = draw(random, step, band["name"])
        kind = random.random()
        if kind < 0.12:
            continue
        if kind < 0.2:
            changed.append(band)
        elif kind < 0.28 or fresh["kind"] != band["kind"]:
            changed.append(fresh)
        else:
            limit = random.choice((band["limit"], band["limit"] + random.choice((-100, -1, 1, 50, 100))))
            mixed = {field: random.choice((value, fresh[field])) for field, value in band.items() if field not in SAME}
            again = {**band, **mixed, "limit": limit}
            changed.append(_sound(again) if "budget" in again else again)
    return tuple(changed) or (draw(random, step, "z"),)


SAME = frozenset({"kind", "name", "side", "limit", "window"})
"""Fields that make a band the same, and the limit, which moves a little."""


def _sound(band: dict[str, Any]) -> Band:
    """Keep budget and rearm of a mixed band within its window and each other."""
    budget = min(band["budget"], band["window"] or band["budget"])
    return {**band, "budget": budget, "rearm": min(band["rearm"], budget - 1)}


def _rows(random: Random, step: int, versions: Sequence[Sequence[Band]]) -> list[Row]:
    """Draw rows in order of time on the grid of `step`, then disturb their order and repeat some."""
    edges = _edges(versions)
    moods = [_mood(random, edges) for _ in range(random.choice((1, 2, 3)))]
    gaps = [step * random.choice((1, 2, 3, 4, 6, 10)) for _ in range(2)]
    gap_changes = random.random() < 0.3
    stamped_at_random = random.random() < 0.1
    count = random.choice((0, 1, 2, 5, 10, 20, 40, 60))
    at, version, max_gap, mood = START, 0, gaps[0], moods[0]
    rows: list[Row] = []
    for _ in range(count):
        if random.random() < 0.15:
            mood = random.choice(moods)
        if version + 1 < len(versions) and random.random() < 0.12:
            version += 1
        if gap_changes and random.random() < 0.1:
            max_gap = random.choice(gaps)
        stamp = random.randrange(len(versions)) if stamped_at_random else version
        value = None if random.random() < 0.06 else mood(random)
        rows.append((at, value, stamp, max_gap))
        if random.random() < 0.07:
            rows.append((at, random.choice((None, mood(random))), stamp, max_gap))
        at += step * random.choice((1, 1, 1, 1, 2, 2, 3, 4, 7, 12)) + random.choice((0, 0, 0, 0, 0, 1, -1 % step))
    if random.random() < 0.5:
        random.shuffle(rows)
    return rows


def _edges(versions: Sequence[Sequence[Band]]) -> list[int]:
    """Every temperature at which some band changes its mind, and its neighbours."""
    points = {
        point
        for policy in versions
        for band in policy
        for point in (
            band["limit"],
            band["limit"] - band.get("margin", 0),
            band["limit"] + band.get("margin", 0),
        )
    }
    return sorted({point + offset for point in points for offset in (-1, 0, 1)})


def _mood(random: Random, edges: Sequence[int]) -> Callable[[Random], int]:
    """A way to draw values: around one edge, all over the edges, or far out with a few edges."""
    kind = random.random()
    middle = random.randrange(len(edges))
    near = edges[max(0, middle - 3) : middle + 4]
    if kind < 0.5:
        return lambda source: source.choice(near)
    if kind < 0.75:
        return lambda source: source.choice(edges)
    far = (edges[0] - 400, edges[-1] + 400)
    return lambda source: source.choice((*far, *far, source.choice(edges)))


def _instant(random: Random, step: int, rows: Sequence[Row], last: int) -> int:
    """An instant worth judging at: far beyond, at or around some row, on the grid after one."""
    if not rows or random.random() < 0.35:
        return last + step * random.choice((0, 5, 30, 1_000))
    at = random.choice(rows)[0] if random.random() < 0.5 else last
    return at + step * random.choice((0, 0, 1, 2, 3, 4, 6)) + random.choice((-1, 0, 0, 0, 1))


def shrunk(series: Series, fails: Callable[[Series], bool]) -> Series:
    """Drop rows, bands, versions and the assignment end as long as the series still fails."""
    smaller: Series | None = series
    while smaller is not None:
        series = smaller
        smaller = next((candidate for candidate in _smaller(series) if fails(candidate)), None)
    return series


def _smaller(series: Series) -> Iterator[Series]:
    """Candidates one cut smaller, the largest cuts first."""
    rows = series.rows
    width = len(rows) // 2
    while width:
        for start in range(0, len(rows), width):
            yield replace(series, rows=rows[:start] + rows[start + width :])
        width //= 2
    if list(rows) != sorted(rows, key=lambda row: row[0]):
        yield replace(series, rows=tuple(sorted(rows, key=lambda row: row[0])))
    if series.assignment_end is not None:
        yield replace(series, assignment_end=None)
    names = {band["name"] for policy in series.versions for band in policy}
    for name in sorted(names):
        kept = tuple(tuple(band for band in policy if band["name"] != name) for policy in series.versions)
        if all(kept):
            yield replace(series, versions=kept)
    for number in range(len(series.versions)):
        others = series.versions[:number] + series.versions[number + 1 :]
        if others:
            moved = tuple((at, value, max(0, v - (v >= number)), gap) for at, value, v, gap in rows)
            yield replace(series, versions=others, rows=moved)
