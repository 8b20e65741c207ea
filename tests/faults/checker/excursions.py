"""Recorded excursions against what `evaluate`'s machine makes of what was sent, and their histories."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from infra.simulator.traffic import UplinkKind
from pipelines.domain.evaluate import Excursion, judge
from pipelines.domain.excursion_states import Reading
from tests.faults.checker.evidence import Evidence, Facts, Sensor, Version
from tests.faults.checker.findings import Finding, Kind

JUDGED = frozenset({UplinkKind.READING.value, UplinkKind.SENTINEL.value})
FIGURES = ("peak_hundredths", "exposure_ms", "known_ms", "unknown_ms", "samples", "largest_gap_ms")
HISTORIES = (["opened"], ["opened", "closed"])
"""Without late readings nothing else can be said of an excursion."""


def expected_excursions(evidence: Evidence, sensors: Iterable[Sensor]) -> set[Facts]:
    """Return the excursions of some sensors, the machine run once over each one's whole series as it was sent."""
    series: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for line in evidence.journal:
        if line.kind in JUDGED:
            series[line.dev_eui].append((line.measured_at, line.hundredths))
    return {
        facts_of(sensor.number, one)
        for sensor in sensors
        for one in judge(_rows(sensor, series[sensor.dev_eui]), evidence.tables.policies, evidence.until)
    }


def facts_of(sensor: int, one: Excursion) -> Facts:
    """Return an excursion as the tables have it; its figures count once it is closed."""
    figures = () if one.closed_at is None else tuple(getattr(one.figures, name) for name in FIGURES)
    return (sensor, one.band, one.started_at, one.opened_at, one.ended_at, one.closed_at, *figures)


def _rows(sensor: Sensor, sent: list[tuple[int, int | None]]) -> Iterator[Reading]:
    """Yield what was sent with the terms and the policy in force at the time."""
    for measured_at, hundredths in sent:
        terms = [terms for terms in sensor.terms if terms.effective_at <= measured_at]
        policies = [policy for effective_at, policy in sensor.policies if effective_at <= measured_at]
        if terms and policies:
            yield Reading(measured_at, hundredths, terms[-1].max_gap_ms, policies[-1])


def check_excursions(expected: set[Facts], recorded: set[Facts]) -> Iterator[Finding]:
    """Say which excursions are missing, made up or other than they should be."""
    missing, extra = expected - recorded, recorded - expected
    by_band: dict[Facts, list[Facts]] = defaultdict(list)
    for facts in extra:
        by_band[facts[:2]].append(facts)
    for facts in sorted(missing, key=str):
        twin = next((one for one in by_band[facts[:2]] if _touch(one, facts)), None)
        if twin is None:
            yield Finding(Kind.LOST, f"excursion {facts} is not recorded")
        else:
            by_band[facts[:2]].remove(twin)
            yield Finding(Kind.WRONG, f"excursion {facts} is recorded as {twin}")
    for left in by_band.values():
        for facts in left:
            yield Finding(Kind.PHANTOM, f"excursion {facts} is recorded, and nothing sent led to it")


def _touch(one: Facts, other: Facts) -> bool:
    """Say whether two excursions, by their facts, share any time."""
    ends = [facts[5] if isinstance(facts[5], int) else 1 << 62 for facts in (one, other)]
    starts = [facts[2] for facts in (one, other) if isinstance(facts[2], int)]
    return starts[0] <= ends[1] and starts[1] <= ends[0]


def check_histories(versions: list[Version], rejudged: set[int]) -> Iterator[Finding]:
    """Say which excursions were recorded again: versions that say the same, or more than opened, then closed.

    Those of sensors that were `rejudged` are longer.
    """
    histories: dict[object, list[Version]] = defaultdict(list)
    for version in versions:
        histories[version.excursion].append(version)
    for history in histories.values():
        first = history[0]
        where = f"excursion {first.excursion} of sensor {first.sensor}, band {first.band}"
        # What is voided says what it said before, and that it is not so.
        again = [
            later.version
            for before, later in itertools.pairwise(history)
            if before.facts == later.facts and (before.reason == "void" or later.reason != "void")
        ]
        if again:
            yield Finding(Kind.DOUBLED, f"{where}: version {again} says what the one before says")
        elif [version.version for version in history] != list(range(1, len(history) + 1)):
            yield Finding(Kind.LOST, f"{where}: versions {[version.version for version in history]} have a hole")
        elif first.sensor not in rejudged and [version.reason for version in history] not in HISTORIES:
            yield Finding(Kind.WRONG, f"{where}: its history is {[version.reason for version in history]}")
