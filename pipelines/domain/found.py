"""From the machine's facts to what the recorder compares: the band's terms, the sensor's place and the figures as they are stored."""

from typing import Any, assert_never

from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, ExcursionOpened
from pipelines.domain.excursion_facts import Fact as MachineFact
from pipelines.domain.figures import Figures as MachineFigures
from pipelines.domain.policy import Band, Identity, MeanBand, SustainedBand, kind_of
from pipelines.domain.recording import Figures, Found
from pipelines.domain.sensor import Policies, SensorState


def found_of_fact(fact: MachineFact, after: SensorState, before: SensorState, row: Any, policies: Policies) -> Found:
    """Return a fact of the machine as the recorder takes it; `row` is the sensor's row in the shard's table."""
    ended_at: int | None
    closed_at: int | None
    match fact:
        case ExcursionOpened():
            ended_at, closed_at, ended_by, instant = None, None, None, fact.opened_at
        case ExcursionClosed():
            ended_at, closed_at, ended_by, instant = fact.ended_at, fact.closed_at, fact.ended_by, fact.closed_at
        case _:
            assert_never(fact)
    is_older = ended_by in (EndedBy.POLICY, EndedBy.ASSIGNMENT) or _is_before_newest(instant, fact.identity, after)
    number, band = _band(fact.identity, (before, after) if is_older else (after, before), policies)
    return Found(
        sensor=int(row["id"]),
        device=int(row["device"]),
        unit=int(row["unit"]),
        organization=int(row["organization"]),
        policy_version=number,
        band=band.name,
        side=band.side.value,
        severity=band.severity.value,
        limit=band.limit_hundredths,
        started_at=fact.started_at,
        opened_at=fact.opened_at,
        ended_at=ended_at,
        closed_at=closed_at,
        ended_by=None if ended_by is None else ended_by.value,
        figures=running_of(fact.figures),
        kind=kind_of(band).value,
        window_ms=None if isinstance(band, SustainedBand) else band.window_ms,
    )


def running_of(figures: MachineFigures) -> Figures:
    """Return the machine's figures as they are stored: hundredths, milliseconds, °C·min."""
    return Figures(
        peak=figures.peak_hundredths,
        mean=figures.mean_hundredths,
        degree_minutes=figures.degree_minutes,
        exposure_ms=figures.exposure_ms,
        known_ms=figures.known_ms,
        unknown_ms=figures.unknown_ms,
        samples=figures.samples,
        largest_gap_ms=figures.largest_gap_ms,
    )


def _is_before_newest(instant: int, band: Identity, after: SensorState) -> bool:
    """Tell whether a fact came before the newest reading, whose version may be another: its deadline was passed on the way to it.

    A window of kind mean that ends with a reading is judged before it.
    """
    if after.newest is None:
        return True
    return instant < after.newest.measured_at + (band[1] is MeanBand)


def _band(band: Identity, states: tuple[SensorState, SensorState], policies: Policies) -> tuple[int, Band]:
    """Return the band a fact is of, and its policy version: the first state's, where that version has it."""
    for number in (state.policy for state in states):
        if number is not None and (found := policies[number].by_identity.get(band)) is not None:
            return number, found
    message = f"the machine found an excursion of band {band}, which no version in force has"
    raise AssertionError(message)
