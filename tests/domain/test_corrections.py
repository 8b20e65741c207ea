"""Corrections lie over stored rows: what holds at each instant, whichever order they were made in, and what a row is because of it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.corrections import Correction, CorrectionKind, Mark, StampedRow, corrected, overlay_of, stretches_of
from pipelines.domain.registered import Assignment, Timeline

ROW = StampedRow(500, 1, 11, 101)
ASSIGNMENTS = (Assignment(11, 1, 0, 30), Assignment(12, 2, 30, None))
POLICIES = {3: Timeline((0, 20), (301, 302))}
FOREVER = 1_000


def row_at(instant: int, corrections: list[Correction], row: StampedRow = ROW, applied: int = 0) -> StampedRow | None:
    """Return what a row measured at an instant is."""
    overlay = overlay_of(stretches_of(corrections, ASSIGNMENTS, POLICIES), {1: applied})
    return overlay.corrected(row, instant, 1)


@st.composite
def one_correction(draw: st.DrawFn) -> Correction:
    since = draw(st.integers(0, 38))
    unit = draw(st.sampled_from([1, 2, 3, None]))
    kind = draw(st.sampled_from(list(CorrectionKind)))
    return Correction(
        draw(st.integers(1, 9)),
        kind,
        since,
        draw(st.integers(since + 1, 40)),
        draw(st.integers(-3, 3)),
        1 if kind is CorrectionKind.POLICY and unit is None else unit,
        None if unit is None else 10 * unit,
        draw(st.integers(901, 905)) if kind is CorrectionKind.POLICY else None,
    )


def by_hand(at: int, row: StampedRow, corrections: list[Correction], applied: int) -> StampedRow | None:
    """Return what a row is by going through the corrections at its instant alone, the newest first."""
    here = sorted((one for one in corrections if one.since <= at < one.until), key=lambda one: -one.id)
    temperature, unit, assignment, policy = row
    moves = [one for one in here if one.kind is CorrectionKind.ASSIGNMENT]
    if moves and moves[0].unit is None:
        return None
    if any(one.kind is CorrectionKind.DELETE for one in here):
        return None
    if moves:
        unit, assignment = moves[0].unit or 0, moves[0].assignment or 0
        policy = POLICIES[unit].at(at) if unit in POLICIES else 0
    for one in here:
        if one.kind is CorrectionKind.POLICY and one.unit == unit:
            policy = one.policy or 0
            break
    calibrations = [one.calibration for one in here if one.kind is CorrectionKind.CALIBRATION]
    if calibrations and temperature is not None:
        temperature += calibrations[0] - applied
    if any(one.kind is CorrectionKind.FLAG for one in here):
        temperature = None
    return StampedRow(temperature, unit, assignment, policy)


@given(st.lists(one_correction(), max_size=6, unique_by=lambda one: one.id), st.integers(0, 40), st.integers(-2, 2))
def test_a_row_is_what_the_corrections_at_its_instant_make_of_it(corrections: list[Correction], at: int, applied: int) -> None:
    watched = ASSIGNMENTS[0] if at < 30 else ASSIGNMENTS[1]
    row = StampedRow(500, watched.unit, watched.id, 101)

    assert row_at(at, corrections, row, applied) == by_hand(at, row, corrections, applied)


@given(st.lists(one_correction(), max_size=6, unique_by=lambda one: one.id))
def test_stretches_never_overlap_and_each_says_something_else_than_its_neighbour(corrections: list[Correction]) -> None:
    stretches = stretches_of(corrections, ASSIGNMENTS, POLICIES)

    for one, other in pairwise(stretches):
        assert one.until <= other.since
        says = [(each.mark, each.calibration, each.unit, each.assignment, each.policy) for each in (one, other)]
        assert one.until < other.since or says[0] != says[1]


def test_a_calibration_that_the_configuration_applied_already_is_not_applied_twice() -> None:
    calibration = Correction(1, CorrectionKind.CALIBRATION, 0, 40, 30)

    assert row_at(5, [calibration], applied=30) == ROW
    assert row_at(5, [calibration], applied=10) == StampedRow(520, 1, 11, 101)


def test_a_value_that_cannot_be_true_once_it_is_calibrated_is_a_fault_mark() -> None:
    calibration = Correction(1, CorrectionKind.CALIBRATION, 0, 40, 2_000)

    found = row_at(5, [calibration], StampedRow(14_000, 1, 11, 101))

    assert found == StampedRow(None, 1, 11, 101)


def test_a_flagged_row_is_a_fault_mark_and_a_deleted_one_is_not_there() -> None:
    flag, delete = Correction(1, CorrectionKind.FLAG, 0, 20), Correction(2, CorrectionKind.DELETE, 10, 20)

    assert row_at(5, [flag, delete]) == StampedRow(None, 1, 11, 101)
    assert row_at(15, [flag, delete]) is None
    assert row_at(20, [flag, delete]) == ROW


def test_an_assignment_ended_where_a_correction_took_its_sensor_away() -> None:
    moved = Correction(1, CorrectionKind.ASSIGNMENT, 12, 30, unit=2, assignment=12)
    nobody = Correction(2, CorrectionKind.ASSIGNMENT, 5, 12)

    overlay = overlay_of(stretches_of([moved, nobody], ASSIGNMENTS, POLICIES), {})

    assert overlay.end_of(11, 30) == 5
    assert overlay.end_of(12, FOREVER) == FOREVER
    assert overlay.moves()


def test_where_nothing_is_corrected_a_row_is_what_it_was() -> None:
    assert stretches_of([], ASSIGNMENTS, POLICIES) == ()
    assert corrected(ROW, None, 7) == ROW
    assert Mark("unassigned") is Mark.UNASSIGNED
