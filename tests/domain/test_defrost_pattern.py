"""Defrosts learned from random series by seed: the profile fits what was simulated, or none is proposed."""

import random
from dataclasses import dataclass, replace
from math import exp

import pytest

from pipelines.domain.defrost_pattern import NoProfile, ProposedProfile, propose_profile
from pipelines.domain.evaluate import judge_beside
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy, Role, Suppress
from pipelines.domain.suppression import Circumstances
from tests.domain.timeline import band

START = 1_790_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
GAP = 15 * MINUTE
BAND = replace(band("-15", hold=15), role=Role.OPERATIONAL, suppress=Suppress(defrost=True))

Readings = list[tuple[int, int | None]]


@dataclass(frozen=True)
class Freezer:
    """How a freezer is simulated: about -20 °C, a reading every five minutes; times in ms."""

    days: float = 10
    period: int = 6 * HOUR
    """From defrost to defrost; 0 for none."""
    jitter: int = 0
    """By how much each may start sooner or later."""
    peak: float = -8.0
    heats: int = 20 * MINUTE
    """How long it warms; then it cools again."""
    loss: float = 0.0
    outages: int = 0
    """Stretches of half a day without a reading."""
    doors: float = 0.0
    """Rises a day at any time, of 20 to 40 min."""
    changes_at: float = 1.0
    """Share of the time after which the period is half as long again."""


def readings(chance: random.Random, freezer: Freezer) -> Readings:
    """Simulate, in no order."""
    end = int(freezer.days * DAY)
    defrosts: list[tuple[int, float]] = []
    at = chance.randint(0, freezer.period)
    while freezer.period and at < end:
        defrosts.append((at + chance.randint(-freezer.jitter, freezer.jitter), freezer.peak + chance.uniform(-0.7, 0.7)))
        at += freezer.period * 3 // 2 if at > freezer.changes_at * end else freezer.period
    doors = [
        (chance.randint(0, end), chance.uniform(-14, 5), chance.randint(10, 25) * MINUTE) for _ in range(int(freezer.doors * freezer.days))
    ]
    outages = [chance.randint(0, end) for _ in range(freezer.outages)]
    found: Readings = []
    for at in range(0, end, 5 * MINUTE):
        moment = at + chance.randint(0, 20_000)
        if chance.random() < freezer.loss or any(begin <= moment < begin + DAY // 2 for begin in outages):
            continue
        rise = max([_rise(moment, begin, peak + 20, freezer.heats) for begin, peak in defrosts], default=0.0)
        rise = max([rise, *(_rise(moment, begin, peak + 20, heats) for begin, peak, heats in doors)])
        found.append((START + moment, round(100 * (-20 + rise + chance.uniform(-0.8, 0.8)))))
    chance.shuffle(found)
    return found


def _rise(at: int, begin: int, height: float, heats: int) -> float:
    """A straight rise, then the decay of a freezer that cools again."""
    if at < begin:
        return 0.0
    return height * (at - begin) / heats if at < begin + heats else height * exp(-(at - begin - heats) / (15 * MINUTE))


def learned(found: ProposedProfile | NoProfile) -> ProposedProfile:
    assert isinstance(found, ProposedProfile), found
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "freezer",
    [
        Freezer(),
        Freezer(days=3),
        Freezer(period=8 * HOUR, jitter=10 * MINUTE),
        Freezer(period=12 * HOUR, jitter=20 * MINUTE, days=14),
        Freezer(period=24 * HOUR, days=30),
        Freezer(period=4 * HOUR, loss=0.2),
        Freezer(outages=6, days=20),
        Freezer(doors=1, days=20),
        Freezer(jitter=15 * MINUTE, loss=0.1, outages=3, doors=0.5, days=20),
    ],
    ids=str,
)
def test_the_profile_fits_what_was_simulated_and_lets_every_whole_defrost_pass(freezer: Freezer, seed: int) -> None:
    chance = random.Random(seed)
    series = readings(chance, freezer)

    found = learned(propose_profile(series, BAND, GAP))

    assert abs(found.period_ms - freezer.period) <= 0.05 * freezer.period
    assert 0.75 * freezer.period <= found.profile.period_ms <= 0.95 * freezer.period
    assert abs(found.peak_hundredths - 100 * freezer.peak) <= 250
    assert 20 * MINUTE <= found.duration_ms <= found.profile.duration_ms <= HOUR
    assert 0 < found.decay_ms < found.duration_ms
    assert found.explained >= 0.7 * found.rises
    if freezer.doors == 0 and freezer.loss == 0 and freezer.outages == 0:
        rows = [Reading(at, value, GAP, 1) for at, value in series]
        judged = judge_beside(rows, {1: Policy((BAND,))}, max(at for at, _ in series), Circumstances(defrost=found.profile))
        assert (judged.excursions, len(judged.suppressed)) == ([], found.rises)


@pytest.mark.parametrize("seed", range(3))
def test_a_freezer_that_fails_is_told_in_spite_of_the_profile(seed: int) -> None:
    series = readings(random.Random(seed), Freezer())
    found = learned(propose_profile(series, BAND, GAP))
    fails_at = START + 9 * DAY
    rows = [
        Reading(at, value if at < fails_at else value + (at - fails_at) // (MINUTE // 2), GAP, 1)
        for at, value in series
        if value is not None
    ]

    judged = judge_beside(rows, {1: Policy((BAND,))}, START + 10 * DAY, Circumstances(defrost=found.profile))

    assert [one.ended_at for one in judged.excursions][-1:] == [None]
    assert judged.excursions[-1].opened_at - judged.excursions[-1].started_at <= found.profile.duration_ms


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("a_day", [2, 5, 12])
def test_doors_at_any_time_are_no_defrosts(a_day: int, seed: int) -> None:
    found = propose_profile(readings(random.Random(seed), Freezer(period=0, doors=a_day, days=20)), BAND, GAP)

    assert isinstance(found, NoProfile)


def test_rises_that_would_not_be_told_are_not_looked_at() -> None:
    short = replace(BAND, hold_ms=2 * HOUR)

    assert propose_profile(readings(random.Random(1), Freezer()), short, GAP) is NoProfile.TOO_FEW


def test_a_few_are_too_few() -> None:
    assert propose_profile(readings(random.Random(1), Freezer(days=1.5)), BAND, GAP) is NoProfile.TOO_FEW
    assert propose_profile([], BAND, GAP) is NoProfile.TOO_FEW


@pytest.mark.parametrize("seed", range(5))
def test_after_a_change_the_newer_half_alone_is_learned_from(seed: int) -> None:
    series = readings(random.Random(seed), Freezer(days=24, changes_at=0.3))

    found = learned(propose_profile(series, BAND, GAP))

    assert abs(found.period_ms - 9 * HOUR) <= 0.05 * 9 * HOUR


def test_what_is_out_of_range_for_most_of_the_time_is_no_defrost() -> None:
    series = readings(random.Random(1), Freezer(period=2 * HOUR, heats=50 * MINUTE, days=5))

    assert propose_profile(series, BAND, GAP) is NoProfile.TOO_LONG


def test_a_rise_with_something_unknown_in_it_is_left_out() -> None:
    series = readings(random.Random(1), Freezer())
    whole = learned(propose_profile(series, BAND, GAP))
    marked = [(at, None if (at - START) % (12 * HOUR) < 6 * HOUR else value) for at, value in series]

    found = propose_profile(marked, BAND, GAP)

    assert isinstance(found, NoProfile) or found.rises < whole.rises


def test_one_hot_defrost_does_not_raise_the_peak_of_the_profile() -> None:
    series = readings(random.Random(1), Freezer(days=20))
    at = max((value or 0, at) for at, value in series)[1]

    spoilt = [(moment, 2_500 if moment == at else value) for moment, value in series]

    assert learned(propose_profile(spoilt, BAND, GAP)).profile.peak_hundredths < 0
