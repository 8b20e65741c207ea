"""The laws of excursions.md section 9, on random series with several bands, versions, gaps and fault marks."""

import random
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.evaluate import Excursion, judge
from pipelines.domain.excursion_facts import EndedBy, Fact
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy, Standing, SustainedBand, quiet_range
from pipelines.domain.sensor import FRESH, SensorState, is_late, is_quiet, next_deadline, on_clock, on_reading, quiet_state
from tests.domain.random_rows import UNIT, bands, gaps, judgements, series

Judgement = tuple[list[Reading], dict[int, Policy], int]

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SensorState)


def run(rows: list[Reading], policies: dict[int, Policy], until: int) -> tuple[SensorState, list[Fact]]:
    """Feed rows up to a horizon once, then the clock."""
    state, facts = FRESH, list[Fact]()
    for row in rows:
        if row.measured_at <= until:
            step = on_reading(state, row, policies)
            state = step.state
            facts += step.facts
    step = on_clock(state, until, policies)
    return step.state, facts + list(step.facts)


def closed(excursions: list[Excursion]) -> list[Excursion]:
    return [excursion for excursion in excursions if excursion.closed_at is not None]


@given(judgements(), st.randoms(use_true_random=False))
def test_any_permutation_and_duplication_gives_the_same_excursions(judgement: Judgement, chance: random.Random) -> None:
    rows, policies, until = judgement
    arrivals = rows + [chance.choice(rows) for _ in rows]
    chance.shuffle(arrivals)

    assert judge(arrivals, policies, until) == judge(rows, policies, until)


@given(judgements(), st.data())
def test_a_clock_that_passes_no_reading_changes_nothing(judgement: Judgement, data: st.DataObject) -> None:
    rows, policies, until = judgement
    rows = [row for row in rows if row.measured_at <= until]

    state, facts = FRESH, list[Fact]()
    for row, following in pairwise([*rows, None]):
        assert row is not None
        step = on_reading(state, row, policies)
        facts += step.facts
        state = step.state
        last = following.measured_at - 1 if following else until
        clocks = data.draw(st.lists(st.integers(row.measured_at - UNIT, last), max_size=3))
        for clock in clocks:
            step = on_clock(state, clock, policies)
            facts += step.facts
            state = step.state
    step = on_clock(state, until, policies)

    assert (step.state, facts + list(step.facts)) == run(rows, policies, until)


@given(judgements())
def test_every_state_survives_a_snapshot(judgement: Judgement) -> None:
    rows, policies, until = judgement

    state, facts = FRESH, list[Fact]()
    for row in rows:
        if row.measured_at <= until:
            step = on_reading(_DECODER.decode(_ENCODER.encode(state)), row, policies)
            state = step.state
            facts += step.facts
    step = on_clock(_DECODER.decode(_ENCODER.encode(state)), until, policies)

    assert (step.state, facts + list(step.facts)) == run(rows, policies, until)


@given(judgements(), st.integers(0, 20))
def test_a_later_until_never_changes_what_is_closed(judgement: Judgement, units: int) -> None:
    rows, policies, until = judgement

    later = judge(rows, policies, until + units * UNIT)

    assert [excursion for excursion in closed(later) if (excursion.closed_at or 0) <= until] == closed(judge(rows, policies, until))


@given(judgements(), st.data())
def test_readings_after_it_closed_never_change_a_closed_excursion(judgement: Judgement, data: st.DataObject) -> None:
    rows, policies, until = judgement
    before = closed(judge(rows, policies, until))
    bound = max((excursion.closed_at or 0 for excursion in before), default=0)
    newest = max(policies)
    added = data.draw(st.lists(st.integers(bound + 1, bound + 9 * UNIT).map(lambda at: Reading(at, 900, UNIT, newest)), max_size=4))

    kept = [row for row in rows if row.measured_at <= bound]

    after = judge(kept + added, policies, until + 9 * UNIT)
    assert all(excursion in after for excursion in before)


@given(judgements())
def test_times_are_in_order_and_seconds_add_up(judgement: Judgement) -> None:
    rows, policies, until = judgement

    for excursion in judge(rows, policies, until):
        end = until if excursion.ended_at is None else excursion.ended_at
        figures = excursion.figures
        assert excursion.started_at <= excursion.opened_at <= until
        assert excursion.started_at <= end
        assert (excursion.ended_at is None) == (excursion.closed_at is None) == (excursion.ended_by is None)
        if excursion.closed_at is not None:
            assert end <= excursion.closed_at <= until
        assert figures.known_ms + figures.unknown_ms == end - excursion.started_at
        assert 0 <= figures.exposure_ms <= figures.known_ms
        assert figures.unknown_ms >= 0
        assert 0 <= figures.largest_gap_ms <= end - excursion.started_at
        assert figures.samples >= 1


@given(judgements())
def test_excursions_of_a_band_do_not_overlap_and_only_the_last_is_open(judgement: Judgement) -> None:
    rows, policies, until = judgement
    found = judge(rows, policies, until)

    for one, following in pairwise(found):
        if one.band == following.band:
            assert one.closed_at is not None
            assert one.closed_at <= following.started_at


@given(st.data())
def test_a_signal_never_out_of_range_has_no_excursion(data: st.DataObject) -> None:
    band = data.draw(bands("a"))
    rows = [row for row in data.draw(series()) if row.temperature is None or band.standing(row.temperature) is not Standing.OUT]

    assert judge(rows, {1: Policy((band,))}, 200 * UNIT) == []


@given(st.data())
def test_a_signal_out_of_range_without_end_has_exactly_one_once_the_hold_is_reached(data: st.DataObject) -> None:
    band = data.draw(bands("a"))
    rows = [row for row in data.draw(series()) if row.temperature is not None and band.standing(row.temperature) is Standing.OUT]
    until = 200 * UNIT

    found = judge(rows, {1: Policy((band,))}, until)

    known_ms = sum(
        min(row.max_gap_ms, following - row.measured_at)
        for row, following in zip(rows, [*(row.measured_at for row in rows[1:]), until], strict=False)
    )
    reached = bool(rows) and (band.hold_ms == 0 or (known_ms >= band.hold_ms and len(rows) >= band.min_samples))
    assert len(found) == reached
    if reached:
        assert (found[0].started_at, found[0].ended_at) == (rows[0].measured_at, None)


@given(judgements())
def test_silence_closes_nothing_after_the_end_of_known_time(judgement: Judgement) -> None:
    rows, policies, _ = judgement
    if not rows:
        return
    known_until = rows[-1].measured_at + (0 if rows[-1].temperature is None else rows[-1].max_gap_ms)

    for excursion in judge(rows, policies, known_until + 999 * UNIT):
        if excursion.closed_at is not None:
            assert excursion.closed_at <= known_until


@given(judgements())
def test_the_next_deadline_lies_ahead_within_known_time(judgement: Judgement) -> None:
    rows, policies, _ = judgement

    state = FRESH
    for row in rows:
        state = on_reading(state, row, policies).state
        due = next_deadline(state)
        assert is_late(state, row.measured_at)
        assert not is_late(state, row.measured_at + 1)
        if due is not None:
            assert row.measured_at < due <= row.measured_at + row.max_gap_ms
            assert on_clock(state, due - 1, policies).state == state
            passed = on_clock(state, due, policies).state
            assert passed.judged_at == due
            assert is_late(passed, due)


@given(judgements())
def test_a_reading_within_the_quiet_range_leaves_a_quiet_sensor_quiet(judgement: Judgement) -> None:
    rows, policies, _ = judgement

    state = FRESH
    for row in rows:
        before, step = state, on_reading(state, row, policies)
        state = step.state
        low, high = quiet_range(policies[row.policy])
        if is_quiet(before) and row.temperature is not None:
            stays = low <= row.temperature <= high
            assert (state == quiet_state(row, policies[row.policy])) == stays
            assert step.facts == () or not stays


@given(st.data())
def test_low_is_high_in_the_mirror(data: st.DataObject) -> None:
    band = data.draw(bands("a"))
    rows = data.draw(series())
    mirrored = SustainedBand(
        band.name,
        next(side for side in type(band.side) if side is not band.side),
        -band.limit_hundredths,
        band.inclusive,
        band.hold_ms,
        band.min_samples,
        band.margin_hundredths,
        band.recovery_hold_ms,
    )
    reflected = [Reading(row.measured_at, None if row.temperature is None else -row.temperature, row.max_gap_ms, 1) for row in rows]

    found, image = judge(rows, {1: Policy((band,))}, 60 * UNIT), judge(reflected, {1: Policy((mirrored,))}, 60 * UNIT)

    assert [(one.started_at, one.opened_at, one.ended_at, one.closed_at) for one in found] == [
        (one.started_at, one.opened_at, one.ended_at, one.closed_at) for one in image
    ]
    assert [one.figures.beyond for one in found] == [one.figures.beyond for one in image]
    assert [one.figures.peak_hundredths for one in found] == [-(one.figures.peak_hundredths or 0) for one in image]


@given(st.data(), gaps)
def test_an_end_of_the_assignment_ends_everything(data: st.DataObject, gap: int) -> None:
    rows, policies, _ = data.draw(judgements())
    ends_at = (rows[-1].measured_at if rows else 0) + gap

    found = judge(rows, policies, ends_at + 99 * UNIT, ends_at)

    without = judge(rows, policies, ends_at - 1)
    assert closed(without) == [one for one in found if one.ended_by is not EndedBy.ASSIGNMENT]
    assert [(one.band, one.started_at) for one in without if one.closed_at is None] == [
        (one.band, one.started_at) for one in found if one.ended_by is EndedBy.ASSIGNMENT
    ]
    assert all(one.ended_at == one.closed_at == ends_at for one in found if one.ended_by is EndedBy.ASSIGNMENT)
