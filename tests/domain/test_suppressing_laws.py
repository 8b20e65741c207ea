"""The laws of excursions.md section 9, and those of ADR 0013, on random series whose bands may be suppressed."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from pipelines.domain import suppressing
from pipelines.domain.evaluate import Excursion, Judged, in_order
from pipelines.domain.excursion_facts import EndedBy, Suppressed
from pipelines.domain.excursion_states import InRange, Open, Reading
from pipelines.domain.policy import Policy, SustainedBand
from pipelines.domain.sensor import FRESH, SensorState, on_reading
from pipelines.domain.suppressing_states import SUPPRESSION_TRANSITIONS, SuppressingState, SuppressionCause, Withheld
from pipelines.domain.suppression import Circumstances
from tests.domain.random_suppressed import SuppressedSeries, random_suppressed
from tests.domain.suppressed_cases import circumstances, found_in, policies_of, readings_of

SERIES = 600


def cases(seeds: int = SERIES) -> Iterator[tuple[SuppressedSeries, Random]]:
    for seed in range(seeds):
        yield random_suppressed(seed), Random(seed)


def settled(found: Judged, by: int) -> list[Excursion | Suppressed]:
    """Return what was closed by an instant, told or suppressed."""
    both: list[Excursion | Suppressed] = [*found.excursions, *found.suppressed]
    return [one for one in both if one.closed_at is not None and one.closed_at <= by]


def test_any_permutation_and_duplication_gives_the_same() -> None:
    for case, chance in cases():
        rows = in_order(readings_of(case))
        arrivals = rows + [row for row in rows if chance.random() < 0.5]
        chance.shuffle(arrivals)

        assert found_in(case, arrivals) == found_in(case, rows), str(case)


def test_a_later_until_never_changes_what_is_closed() -> None:
    for case, chance in cases():
        until = case.series.until
        earlier = until - chance.randint(0, max(1, until - min((row[0] for row in case.series.rows), default=until)))

        assert settled(found_in(case), earlier) == settled(found_in(case, until=earlier), earlier), str(case)


def test_an_excursion_that_opened_stays_open_from_then_on_whatever_comes_later() -> None:
    for case, _ in cases():
        for one in found_in(case).excursions:
            then = found_in(case, until=one.opened_at)
            before = found_in(case, until=one.opened_at - 1)

            assert (one.band, one.started_at) in {(other.band, other.started_at) for other in then.excursions}, str(case)
            assert (one.band, one.started_at) not in {(other.band, other.started_at) for other in before.excursions}, str(case)


def test_what_becomes_known_of_later_instants_changes_nothing_found_before() -> None:
    for case, chance in cases():
        times = sorted(row[0] for row in case.series.rows) or [case.series.until]
        now = chance.choice(times)
        cut = replace(
            case.beside,
            maintenance=[(begin, end) for begin, end in case.beside.maintenance if begin <= now],
            door=[(begin, min(end, now + 1)) for begin, end in case.beside.door if begin <= now],
        )
        known = replace(case, beside=cut)

        told, later = found_in(known, until=now), found_in(case, until=now)

        assert [(one.band, one.started_at, one.opened_at) for one in told.excursions] == [
            (one.band, one.started_at, one.opened_at) for one in later.excursions
        ], str(case)


def test_times_are_in_order_sums_add_up_and_tags_lie_within() -> None:
    for case, _ in cases():
        found = found_in(case)
        both: list[Excursion | Suppressed] = [*found.excursions, *found.suppressed]
        for one in both:
            end = case.series.until if one.ended_at is None else one.ended_at
            opened_at = one.opened_at if isinstance(one, Excursion) else one.held_from
            assert one.started_at <= opened_at
            assert one.started_at <= end
            assert one.closed_at is None or max(end, opened_at) <= one.closed_at
            assert one.figures.known_ms + one.figures.unknown_ms == end - one.started_at
            assert 0 <= one.figures.exposure_ms <= one.figures.known_ms
            late = one.held_back if isinstance(one, Excursion) else one
            tags = () if late is None else late.tags
            for tag in tags:
                assert one.started_at <= tag.from_at < tag.to_at <= (opened_at if isinstance(one, Excursion) else end)
            if isinstance(one, Excursion) and one.held_back is not None:
                assert one.started_at <= one.held_back.from_at < one.opened_at


def test_more_that_is_known_only_ever_holds_back_and_never_tells_sooner() -> None:
    for case, _ in cases():
        alone = replace(case, beside=replace(case.beside, defrost=None))
        windows = replace(alone, beside=replace(alone.beside, door=()))

        some, more = found_in(windows), found_in(alone)

        told = {(one.band, one.started_at): one.opened_at for one in some.excursions}
        for one in more.excursions:
            assert told[one.band, one.started_at] <= one.opened_at, str(case)


def test_an_end_of_the_assignment_ends_what_is_open_and_what_is_held_back() -> None:
    for case, _ in cases():
        series = case.series
        ends_at = series.assignment_end
        if ends_at is None or ends_at > series.until:
            continue
        found = found_in(case)

        both: list[Excursion | Suppressed] = [*found.excursions, *found.suppressed]
        assert all(one.closed_at is not None and one.closed_at <= ends_at for one in both), str(case)
        assert all(one.ended_at == ends_at for one in both if one.ended_by is EndedBy.ASSIGNMENT), str(case)


def test_the_machine_makes_every_move_of_the_table_and_no_other() -> None:
    made: set[tuple[type, SuppressionCause, type]] = set()
    for case, _ in cases(20 * SERIES):
        beside, policies, state = circumstances(case.beside), policies_of(case), FRESH
        rows = in_order(readings_of(case))
        for row in rows:
            before = state
            state = on_reading(state, row, policies, beside).state
            if row.temperature is not None and before.policy == row.policy:
                made |= moves(before, row, policies[row.policy], beside)

    for one, cause, other in made:
        assert other in SUPPRESSION_TRANSITIONS[one, cause], (one, cause, other)
    assert made == {(one, cause, other) for (one, cause), others in SUPPRESSION_TRANSITIONS.items() for other in others}


def moves(before: SensorState, row: Reading, policy: Policy, beside: Circumstances) -> set[tuple[type, SuppressionCause, type]]:
    """Return the moves that bands make up to a reading and with it: deadlines before it one by one, then the reading."""
    assert before.newest is not None
    found: set[tuple[type, SuppressionCause, type]] = set()
    for band, run in zip(policy.bands, before.bands, strict=True):
        if not isinstance(band, SustainedBand) or not suppressing.may_suppress(band, beside):
            continue
        assert isinstance(run, suppressing.State)
        state: suppressing.State = run
        while (at := suppressing.deadline(state, before.newest, band, beside)) is not None and at < row.measured_at:
            after, _ = suppressing.on_deadline(state, before.newest, band, beside)
            is_excuse = isinstance(state, Withheld) and isinstance(state.run, Open)
            cause = SuppressionCause.EXCUSE_ENDED if is_excuse else SuppressionCause.DEADLINE
            if isinstance(state, SuppressingState):
                found.add((shown(state), cause, shown(after)))
            state = after
        if isinstance(state, SuppressingState):
            state = suppressing.advance(state, before.newest, band, row.measured_at)
        elif not isinstance(state, InRange):
            continue
        assert row.temperature is not None
        after, _ = suppressing.on_reading(state, row.temperature, row.measured_at, band, beside)
        found.add((shown(state), SuppressionCause.READING, shown(after)))
    return found


def shown(state: suppressing.State) -> type:
    return type(state) if isinstance(state, SuppressingState) else InRange
