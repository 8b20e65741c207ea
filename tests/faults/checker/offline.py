"""Offline conditions against when each device was heard of: none may be offline that sent, and none that fell silent be missed."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator

from tests.faults.checker.evidence import Condition, Evidence
from tests.faults.checker.findings import Finding, Kind

SLACK_MS = 5_000
"""The clock's grace of 2 s, a tick and the way through the flows."""
LONGEST_STAND_MS = 60_000
"""After an outage of ingest the clock stands still for as long as that was, at most a minute."""


def check_offline(evidence: Evidence) -> Iterator[Finding]:
    """Compare each device's conditions with its silences."""
    heard: dict[str, list[int]] = defaultdict(list)
    for line in evidence.journal:
        if line.dev_eui:
            heard[line.dev_eui].append(line.measured_at)
    conditions: dict[str, list[Condition]] = defaultdict(list)
    for condition in evidence.tables.conditions:
        if condition.kind == "offline":
            conditions[condition.dev_eui].append(condition)
    patience = {sensor.dev_eui: sensor.terms[-1].offline_after_ms for sensor in evidence.tables.sensors if sensor.terms}
    for dev_eui, longest in patience.items():
        instants = sorted(heard[dev_eui])
        yield from _false(dev_eui, instants, conditions[dev_eui], longest)
        yield from _missed(evidence, dev_eui, instants, conditions[dev_eui], longest)


def _false(dev_eui: str, heard: list[int], conditions: list[Condition], patience: int) -> Iterator[Finding]:
    """Yield conditions of a device that had sent within its patience, and ends that are no uplink's."""
    said: set[tuple[int, int | None]] = set()
    for condition in conditions:
        started_at, ended_at = condition.started_at, condition.ended_at
        if (started_at, ended_at) in said:
            yield Finding(Kind.DOUBLED, f"device {dev_eui}: version {condition.version} repeats that it is offline from {started_at}")
        said.add((started_at, ended_at))
        within = bisect_left(heard, started_at) - bisect_right(heard, started_at - patience)
        if within or not heard:
            yield Finding(
                Kind.PHANTOM, f"device {dev_eui} is offline from {started_at}, and sent {within} times in the {patience} ms before"
            )
        elif ended_at is not None and ended_at != started_at and ended_at not in heard:
            yield Finding(Kind.WRONG, f"device {dev_eui} is back from {ended_at}, when it sent nothing")


def _missed(evidence: Evidence, dev_eui: str, heard: list[int], conditions: list[Condition], patience: int) -> Iterator[Finding]:
    """Yield silences that no condition tells of. Near a fault they must be longer: there the clock may have stood still."""
    for last, following in zip(heard, [*heard[1:], evidence.until], strict=False):
        disturbed = any(fault.began_at <= following and fault.healed_at >= last for fault in evidence.faults)
        allowed = patience + SLACK_MS + (LONGEST_STAND_MS + patience if disturbed else 0)
        if following - last > allowed and not any(last < one.started_at <= following for one in conditions):
            yield Finding(Kind.LOST, f"device {dev_eui} was silent from {last} to {following}, and never offline")
