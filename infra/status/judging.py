"""Says what is wrong with the cells seen, and what to do about it. Pure: values in, values out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from infra.status.seen import CellSeen, ranges

START: Final = "coldstream flow {flow} --partitions FIRST-LAST on the recovery folder it had, or coldstream up"

RENEWED_SECONDS: Final = 12.0
"""A cell renews each 5 s; without two renewals something keeps it."""

LAG_RECORDS: Final = 1_000
"""Fewer are not spoken of: a partition has a tick a second, and a batch may be under way."""

CLOCK_SECONDS: Final = 30.0
"""A clock is some 3 s old while all is well."""


class Wrong(StrEnum):
    """What can be wrong."""

    NO_HOLDER = "no_holder"
    NOT_RENEWED = "not_renewed"
    LAG_GROWS = "lag_grows"
    CLOCK_OLD = "clock_old"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    wrong: Wrong
    flow: str
    partitions: str
    what: str
    advice: str

    def line(self) -> str:
        """Return it as it is shown."""
        return f"{self.flow} {self.partitions}: {self.what}. {self.advice}"


def problems(cells: Iterable[CellSeen], partitions: Mapping[str, int], now: float) -> list[Problem]:
    """Return what is wrong, flow by flow; `partitions` says how many each flow's topic has, `now` is in seconds UTC."""
    seen = list(cells)
    found: list[Problem] = []
    for flow, count in partitions.items():
        own = [cell for cell in seen if cell.flow == flow and not cell.is_let_go]
        free = tuple(sorted(set(range(count)) - {partition for cell in own for partition in cell.partitions}))
        if free:
            advice = f"Start one: {START.format(flow=flow)}"
            found.append(Problem(Wrong.NO_HOLDER, flow, ranges(free), "no process works on them", advice))
        for cell in own:
            found += _of_cell(cell, now)
    return found


def _of_cell(cell: CellSeen, now: float) -> Iterator[Problem]:
    if cell.renewed_seconds > RENEWED_SECONDS:
        what = f"process {cell.pid} on {cell.host} was last heard {cell.renewed_seconds:.0f} s ago"
        advice = "Look at its log: it is stopped, stuck, or cannot reach the database"
        if not cell.is_held:
            what, advice = f"{what}, and its lease has run out", f"{advice}. If it is dead, start another: {START.format(flow=cell.flow)}"
        yield Problem(Wrong.NOT_RENEWED, cell.flow, cell.range, what, advice)
    lag, before = cell.lag or 0, cell.lag_before
    if lag >= LAG_RECORDS and before is not None and lag > before:
        what = f"{lag:,} records behind and falling further back"
        yield Problem(Wrong.LAG_GROWS, cell.flow, cell.range, what, f"Give it more cells: coldstream regroup --cells {cell.flow}=N")
    clock_at = None if cell.process is None else cell.process.clock_at
    if clock_at is not None and now - clock_at > CLOCK_SECONDS:
        what = f"its clock is {now - clock_at:.0f} s old"
        is_behind = lag >= LAG_RECORDS
        advice = "It catches up" if is_behind else "No ticks come: see that an API runs with TICKS_ENABLED, and the flows before this one"
        yield Problem(Wrong.CLOCK_OLD, cell.flow, cell.range, what, advice)
