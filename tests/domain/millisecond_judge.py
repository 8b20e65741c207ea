"""A third reading of `cumulative`, `mean` and `mkt` that asks the contract's question at every millisecond. For tests only.

Far too slow for anything but series of a few hundred milliseconds; it exists to judge the simple judges by, and
shares nothing with them but the table of e, the shape of a row and of a result. It may not import `pipelines` or
`schemas`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TypeGuard

from tests.domain.simple_judge import EndedBy, Row
from tests.domain.simple_judge_cumulative import Band as CumulativeBand
from tests.domain.simple_judge_mean import Band as MeanBand
from tests.domain.simple_judge_mkt import Band as MktBand
from tests.domain.simple_judge_mkt import e
from tests.domain.simple_judge_signal import Excursion

Band = CumulativeBand | MeanBand | MktBand


def judge_every_millisecond(
    readings: Sequence[Row],
    versions: Sequence[Sequence[Band]],
    until: int,
    assignment_end: int | None = None,
) -> list[Excursion]:
    """Return every excursion of one sensor, sorted by band, then `started_at`."""
    stop = until + 1 if assignment_end is None or assignment_end > until else assignment_end
    rows: dict[int, Row] = {}
    for row in readings:
        if row[0] < stop and (row[0] not in rows or (rows[row[0]][1] is None and row[1] is not None)):
            rows[row[0]] = row
    found: list[Excursion] = []
    for name, side, window in {(band["name"], band["side"], band["window"]) for policy in versions for band in policy}:
        chosen = [
            next((band for band in policy if (band["name"], band["side"], band["window"]) == (name, side, window)), None)
            for policy in versions
        ]
        found += Walk(until).walk(rows, chosen, stop)
    return sorted(found, key=lambda one: (one["band"], one["started_at"], one["opened_at"]))


@dataclass(slots=True)
class Walk:
    """One band, millisecond by millisecond. `held` is the value of each millisecond passed, with its version's band."""

    until: int
    held: dict[int, tuple[int, Band]] = field(default_factory=dict)
    times: list[tuple[int, int]] = field(default_factory=list)
    since: int = 0
    open: tuple[int, int] | None = None
    last_out: int = 0
    found: list[Excursion] = field(default_factory=list)

    def walk(self, rows: dict[int, Row], bands: Sequence[Band | None], stop: int) -> list[Excursion]:
        band: Band | None = None
        value: int | None = None
        known_to = 0
        for now in range(min(rows, default=stop), stop):
            before = band
            if now in rows:
                _, value, version, max_gap = rows[now]
                known_to = now + max_gap
                if value is not None:
                    band = bands[version]
                    if band is None:
                        self.end_band(now, before, "policy")
                    elif before is None:
                        self.since, self.held, self.times = now, {}, []
                    self.times.append((now, value))
            if band is None:
                continue
            if now in (known_to, self.until):
                value = None
            self.decide(now, value, band, before)
            if value is not None:
                self.held[now] = value, band
        if stop <= self.until:
            self.end_band(stop, band, "assignment")
        elif self.open is not None and band is not None:
            self.record(band, None, None, None)
        return self.found

    def decide(self, now: int, value: int | None, band: Band, before: Band | None) -> None:
        if "budget" in band:
            self.decide_cumulative(now, value, band)
        elif _is_mkt(band):
            self.decide_mkt(now, value, band)
        elif before is not None and now % _width(band) == 0:
            assert "min_known" in before
            self.decide_mean(now, before)

    def decide_cumulative(self, now: int, value: int | None, band: CumulativeBand) -> None:
        window = now - self.since if band["window"] is None else band["window"]
        exposure = sum(_beyond(*self.held[at])[1] for at in range(now - window, now) if at in self.held)
        oldest = self.held.get(now - window) if band["window"] is not None else None
        falls = oldest is not None and _beyond(*oldest)[1]
        if self.open is None and exposure >= band["budget"]:
            self.open = now, now
        if self.open is not None and value is not None and not _beyond(value, band)[1]:
            allowed = band["budget"] - band["rearm"]
            if exposure < allowed or (exposure == allowed and falls):
                self.record(band, now, now, "recovery")

    def decide_mkt(self, now: int, value: int | None, band: MktBand) -> None:
        window = _width(band)
        known = [self.held[at] for at in range(now - window, now) if at in self.held]
        if not known or Fraction(len(known), window) < Fraction(band["min_known"], 1000):
            return
        limit = sum(e(one) - e(its["limit"]) for one, its in known)
        back = sum(e(one) - e(its["limit"] - its["margin"]) for one, its in known if _is_mkt(its))
        is_out = limit >= 0 if band["inclusive"] else limit > 0
        if self.open is None:
            self.open = (now, now) if is_out else None
        elif value is not None and not is_out and back <= 0:
            self.record(band, now, now, "recovery")

    def decide_mean(self, now: int, band: MeanBand) -> None:
        window = _width(band)
        known = [self.held[at][0] for at in range(now - window, now) if at in self.held]
        if not known or Fraction(len(known), window) < Fraction(band["min_known"], 1000):
            return
        mean, limit = Fraction(sum(known), len(known)), band["limit"]
        is_out = (mean > limit if band["side"] == "high" else mean < limit) or (mean == limit and band["inclusive"])
        if is_out:
            self.open, self.last_out = self.open or (now - window, now), now
        elif self.open is not None:
            self.record(band, self.last_out, now, "recovery")

    def end_band(self, now: int, band: Band | None, why: EndedBy) -> None:
        if self.open is not None and band is not None:
            self.record(band, now, now, why)

    def record(self, band: Band, ended_at: int | None, closed_at: int | None, why: EndedBy | None) -> None:
        assert self.open is not None
        started_at, opened_at = self.open
        self.open = None
        start = started_at
        if "budget" in band or _is_mkt(band):
            start = self.since if band["window"] is None else max(opened_at - band["window"], self.since)
        end = self.until if ended_at is None else ended_at
        inside = [(at, value) for at, value in self.times if start <= at < end or (ended_at is None and at == end)]
        values = [value for _, value in inside]
        if start in self.held and start not in [at for at, _ in inside]:
            values.append(self.held[start][0])
        known = [self.held[at] for at in range(start, end) if at in self.held]
        marks = [start, *(at for at, _ in inside), end]
        self.found.append(
            {
                "band": band["name"],
                "started_at": started_at,
                "opened_at": opened_at,
                "ended_at": ended_at,
                "closed_at": closed_at,
                "ended_by": why,
                "peak": max(values) if band["side"] == "high" else min(values),
                "mean": Fraction(sum(value for value, _ in known), len(known)),
                "degree_ms": sum(max(0, _beyond(*one)[0]) for one in known),
                "exposure": sum(_beyond(*one)[1] for one in known),
                "known": len(known),
                "unknown": end - start - len(known),
                "samples": len(values),
                "largest_gap": max(right - left for left, right in pairwise(marks)),
            },
        )


def _is_mkt(band: Band) -> TypeGuard[MktBand]:
    """An mkt band has every field of a mean band and a margin, which mypy takes for one type with it."""
    return "margin" in band


def _width(band: Band) -> int:
    assert band["window"] is not None
    return band["window"]


def _beyond(value: int, band: Band) -> tuple[int, bool]:
    distance = value - band["limit"] if band["side"] == "high" else band["limit"] - value
    return distance, distance > 0 or (distance == 0 and band["inclusive"])
