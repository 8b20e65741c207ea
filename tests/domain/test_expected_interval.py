"""The interval a sensor reports at, learned from random series by seed: within 2 %, or it says that it does not know."""

import random
from dataclasses import dataclass

import pytest

from pipelines.domain.expected_interval import MOST_GAPS, NoProposal, Proposal, propose

START = 1_790_000_000_000
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

Instants = list[tuple[int, bool]]


@dataclass(frozen=True)
class Series:
    """How a series is made; times in ms."""

    interval: float
    count: int = 300
    jitter: float = 0.0
    """Share of the interval that an instant, or a gap where they add up, may be off."""
    adds_up: bool = False
    loss: float = 0.0
    bursts: tuple[tuple[float, float], ...] = ()
    """Begin and end as shares of the time..."""
    faster: int = 1
    """...in which it reports this many times as often."""
    changes_at: float = 1.0
    factor: float = 1.0
    """What the interval is multiplied by from then on."""
    history: int = 0


def instants(chance: random.Random, series: Series) -> Instants:
    """Make a series, in no order."""
    found: Instants = []
    total, at = series.interval * series.count, 0.0
    while at < total:
        step = series.interval * (series.factor if at >= series.changes_at * total else 1)
        if any(begin * total <= at < end * total for begin, end in series.bursts):
            step /= series.faster
        off = chance.uniform(-series.jitter, series.jitter) * step
        at += step + (off if series.adds_up else 0)
        if chance.random() >= series.loss:
            found.append((START + int(at + (0 if series.adds_up else off)), False))
    found += [(START + int(chance.uniform(0, total)), True) for _ in range(series.history)]
    chance.shuffle(found)
    return found


def interval_of(found: Proposal | NoProposal) -> int:
    assert isinstance(found, Proposal), found
    return found.interval_ms


def bursts(chance: random.Random, share: float) -> tuple[tuple[float, float], ...]:
    """Return one to four stretches of a share of the time together."""
    count = chance.randint(1, 4)
    return tuple((begin, begin + share / count) for begin in (chance.uniform(0, 1 - share / count) for _ in range(count)))


@pytest.mark.parametrize("interval", [10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, HOUR, 6 * HOUR])
@pytest.mark.parametrize("loss", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("adds_up", [False, True])
def test_an_interval_is_learned_through_jitter_and_losses(interval: int, loss: float, *, adds_up: bool) -> None:
    chance = random.Random(f"{interval} {loss} {adds_up}")

    found = propose(instants(chance, Series(interval, 600, jitter=0.05, adds_up=adds_up, loss=loss, history=200)))

    assert interval_of(found) == pytest.approx(interval, rel=0.02)


@pytest.mark.parametrize("seed", range(150))
def test_what_is_proposed_is_the_interval_and_never_a_multiple_or_a_fraction(seed: int) -> None:
    chance = random.Random(seed)
    series = Series(
        interval=10 * SECOND * 2160 ** chance.random(),
        count=int(10 ** chance.uniform(1.3, 3.2)),
        jitter=chance.uniform(0, 0.05),
        adds_up=chance.random() < 0.5,
        loss=chance.choice([0, 0.1, 0.2, 0.3, 0.4]),
        bursts=bursts(chance, chance.choice([0, 0.05, 0.1, 0.2])),
        faster=chance.choice([2, 3, 4, 5, 6, 10]),
        history=chance.randrange(100),
    )

    found = propose(instants(chance, series))

    if isinstance(found, Proposal):
        assert found.interval_ms == pytest.approx(series.interval, rel=0.02)


@pytest.mark.parametrize("seed", range(150))
def test_behind_a_change_the_new_interval_is_proposed_or_none(seed: int) -> None:
    chance = random.Random(1_000 + seed)
    series = Series(
        interval=10 * SECOND * 2160 ** chance.random(),
        count=int(10 ** chance.uniform(1.6, 3.2)),
        jitter=chance.uniform(0, 0.05),
        adds_up=chance.random() < 0.5,
        loss=chance.choice([0, 0.1, 0.2, 0.3, 0.4]),
        changes_at=chance.uniform(0.4, 0.6),
        factor=chance.choice([0.1, 0.2, 1 / 3, 0.5, 2 / 3, 1.5, 2, 3, 5, 10]),
        history=chance.randrange(100),
    )

    found = propose(instants(chance, series))

    if isinstance(found, Proposal):
        assert found.interval_ms == pytest.approx(series.interval * series.factor, rel=0.02)


@pytest.mark.parametrize("faster", [2, 5, 10])
def test_a_device_that_reports_faster_while_out_of_range_keeps_its_interval(faster: int) -> None:
    chance = random.Random(faster)
    series = Series(10 * MINUTE, 1_000, jitter=0.03, loss=0.2, bursts=((0.2, 0.3), (0.6, 0.65)), faster=faster)

    found = propose(instants(chance, series))

    assert interval_of(found) == pytest.approx(10 * MINUTE, rel=0.02)


@pytest.mark.parametrize("factor", [0.2, 0.5, 2, 3, 6])
def test_a_change_in_the_middle_is_learned_and_the_evidence_is_of_the_newer_part(factor: float) -> None:
    chance = random.Random(int(10 * factor))
    series = Series(10 * MINUTE, 1_000, jitter=0.03, loss=0.2, changes_at=0.48, factor=factor)

    found = propose(instants(chance, series))

    assert interval_of(found) == pytest.approx(10 * MINUTE * factor, rel=0.02)
    assert isinstance(found, Proposal)
    assert found.from_at > START + 450 * 10 * MINUTE


def test_a_change_that_is_new_is_not_guessed_at() -> None:
    chance = random.Random(5)

    found = propose(instants(chance, Series(10 * MINUTE, 1_000, jitter=0.02, changes_at=0.8, factor=0.5)))

    assert found is NoProposal.TOO_IRREGULAR


def test_history_frames_say_nothing_of_how_often_a_sensor_reports() -> None:
    live = [(START + n * HOUR, False) for n in range(100)]
    history = [(START + n * 10 * MINUTE, True) for n in range(1, 600) if n % 6]

    assert interval_of(propose([*history, *live])) == HOUR


def test_long_silences_are_no_evidence_against_an_interval() -> None:
    stretches = [[(START + day * 24 * HOUR + n * MINUTE, False) for n in range(100)] for day in (0, 6, 7)]

    found = propose([at for stretch in stretches for at in stretch])

    assert isinstance(found, Proposal)
    assert (found.interval_ms, found.gaps, found.from_at) == (MINUTE, 297, START)


def test_the_evidence_says_how_many_gaps_fit_what_was_lost_and_how_far_they_are_off() -> None:
    kept = [n for n in range(101) if n % 4 != 3]
    regular = [(START + n * MINUTE + (200 if n % 2 else 0), False) for n in kept]

    found = propose(regular, current_ms=10 * MINUTE)

    assert isinstance(found, Proposal)
    assert (found.gaps, found.singles, found.share_thousandths) == (75, 50, 1_000)
    assert (found.from_at, found.to_at) == (START, START + 100 * MINUTE)
    assert found.interval_ms == MINUTE
    assert found.jitter_ms == 163


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_too_few_instants_are_said_to_be_too_few(count: int) -> None:
    assert propose([(START + n * MINUTE, False) for n in range(count)]) is NoProposal.TOO_FEW


def test_too_few_gaps_for_their_jitter_are_said_to_be_too_few() -> None:
    chance = random.Random(3)

    assert propose(instants(chance, Series(MINUTE, 25, jitter=0.09, adds_up=True))) is NoProposal.TOO_FEW


def test_instants_without_a_rhythm_are_too_irregular() -> None:
    chance = random.Random(4)

    assert propose([(START + chance.randrange(24 * HOUR), False) for _ in range(500)]) is NoProposal.TOO_IRREGULAR


def test_an_interval_like_the_one_in_force_is_unchanged() -> None:
    regular = [(START + n * 10 * MINUTE, False) for n in range(100)]

    assert propose(regular, current_ms=10 * MINUTE + 29 * SECOND) is NoProposal.UNCHANGED
    assert interval_of(propose(regular, current_ms=10 * MINUTE + 40 * SECOND)) == 10 * MINUTE


def test_order_and_doubles_change_nothing() -> None:
    chance = random.Random(6)
    found = instants(chance, Series(MINUTE, 200, jitter=0.05, loss=0.3))

    assert propose(found) == propose(sorted(found)) == propose([*found, *found])


def test_of_a_very_long_stretch_the_newest_gaps_are_looked_at() -> None:
    older = [(START + n * MINUTE, False) for n in range(5_000)]
    newer = [(START + 5_000 * MINUTE + n * 10 * SECOND, False) for n in range(MOST_GAPS + 1)]

    found = propose(older + newer)

    assert isinstance(found, Proposal)
    assert (found.interval_ms, found.gaps) == (10 * SECOND, MOST_GAPS)
