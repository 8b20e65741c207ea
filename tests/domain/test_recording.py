"""Recording by comparing: same facts change nothing, overlaps keep their id, the rest is voided by name."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.recording import Figures, Found, Reason, Standing, Stretch, record_found, record_stretch, same_facts, void
from schemas.ids import excursion_id

FIGURES = Figures(910, 900.0, 1.5, 60, 60, 0, 2, 60)
OPEN = Found(1, 1, 1, 1, 1, "warm", "high", "critical", 800, 1_000, 2_000, None, None, None, FIGURES)
CLOSED = replace(OPEN, ended_at=3_000, closed_at=3_500, ended_by="recovery")


def standing(found: Found, version: int = 1) -> Standing:
    """Return an excursion on record."""
    return Standing(excursion_id(found.sensor, found.band, found.started_at), version, found.started_at, found, late=False)


def test_an_excursion_without_a_counterpart_gets_a_derived_id() -> None:
    (recorded,) = record_found(OPEN, [])

    assert recorded.standing.id == excursion_id(1, "warm", 1_000)
    assert (recorded.standing.version, recorded.reason) == (1, Reason.OPENED)


def test_an_id_that_voided_history_holds_is_not_used_again() -> None:
    (recorded,) = record_found(OPEN, [], frozenset({excursion_id(1, "warm", 1_000)}))

    assert recorded.standing.id == excursion_id(1, "warm", 1_000, 1)


def test_the_same_facts_change_nothing_and_running_figures_are_no_fact() -> None:
    assert record_found(OPEN, [standing(OPEN)]) == []
    assert record_found(replace(OPEN, figures=replace(FIGURES, samples=9)), [standing(OPEN)]) == []
    assert record_found(CLOSED, [standing(CLOSED)]) == []


def test_figures_of_a_closed_excursion_are_facts() -> None:
    assert not same_facts(CLOSED, replace(CLOSED, figures=replace(FIGURES, samples=9)))


def test_closing_is_the_next_version_of_the_same_id() -> None:
    (recorded,) = record_found(CLOSED, [standing(OPEN)])

    assert recorded.standing.id == standing(OPEN).id
    assert (recorded.standing.version, recorded.reason) == (2, Reason.CLOSED)


def test_one_that_starts_earlier_than_recorded_keeps_the_id_it_was_first_given() -> None:
    (recorded,) = record_found(replace(CLOSED, started_at=500), [standing(OPEN)])

    assert recorded.standing.id == excursion_id(1, "warm", 1_000)
    assert recorded.standing.first_started_at == 1_000


def test_of_several_overlapped_the_earliest_keeps_its_id_and_the_others_are_voided_naming_it() -> None:
    first = standing(CLOSED)
    second = standing(replace(CLOSED, started_at=5_000, opened_at=5_500, ended_at=6_000, closed_at=6_500))

    kept, voided = record_found(replace(CLOSED, ended_at=7_000, closed_at=7_500), [second, first])

    assert (kept.standing.id, kept.reason) == (first.id, Reason.CLOSED)
    assert (voided.standing.id, voided.reason, voided.superseded_by) == (second.id, Reason.VOID, first.id)


def test_touching_is_not_overlapping() -> None:
    earlier = standing(replace(CLOSED, started_at=0, opened_at=500, ended_at=1_000, closed_at=1_000))

    (recorded,) = record_found(OPEN, [earlier])

    assert recorded.standing.id != earlier.id


def test_a_stale_state_raises_no_second_alarm_under_a_bands_name_while_one_of_another_kind_is_open() -> None:
    other = replace(OPEN, kind="mkt", window_ms=60_000)

    assert record_found(OPEN, [standing(other)], stale=True) == []
    assert len(record_found(OPEN, [standing(other)])) == 1


def test_a_stretch_that_ends_before_an_excursion_closed_does_not_open_it_again() -> None:
    closed = standing(CLOSED)
    rolling = standing(replace(CLOSED, kind="cumulative", window_ms=60_000, ended_at=3_500))
    found_rolling = replace(OPEN, kind="cumulative", window_ms=60_000)

    assert record_stretch([OPEN], [closed], Stretch(0, 3_499, 9)) == []
    assert record_stretch([found_rolling], [rolling], Stretch(0, 3_500, 9)) == []


def test_a_stretch_that_reaches_to_where_an_excursion_closed_opens_it_again() -> None:
    (opened,) = record_stretch([OPEN], [standing(CLOSED)], Stretch(0, 3_500, 9))

    assert (opened.standing.version, opened.standing.found, opened.reason) == (2, OPEN, Reason.LATE)


def test_a_live_state_that_goes_on_from_an_older_revision_corrects_nothing_that_is_on_record_as_of_later() -> None:
    later = replace(standing(CLOSED), as_of=35)

    assert record_stretch([OPEN], [later], Stretch(0, 9_000, 17, since=17)) == []
    assert len(record_stretch([OPEN], [later], Stretch(0, 9_000, 36, since=17))) == 1


def test_a_void_is_a_version_and_names_what_took_its_place() -> None:
    other = excursion_id(1, "warm", 9)

    assert void(standing(CLOSED, 3), other).standing.version == 4


@given(starts=st.lists(st.integers(0, 50), min_size=1, max_size=6, unique=True), found=st.tuples(st.integers(0, 60), st.integers(1, 30)))
def test_recording_the_same_finding_twice_changes_nothing_the_second_time(starts: list[int], found: tuple[int, int]) -> None:
    """Whatever stands, once a finding is recorded it is on record."""
    on_record = [standing(replace(CLOSED, started_at=s, opened_at=s, ended_at=s + 1, closed_at=s + 1)) for s in sorted(starts)]
    start, length = found
    finding = replace(CLOSED, started_at=start, opened_at=start, ended_at=start + length, closed_at=start + length)

    for recorded in record_found(finding, on_record):
        on_record = [one for one in on_record if one.id != recorded.standing.id]
        if recorded.reason is not Reason.VOID:
            on_record.append(recorded.standing)

    assert record_found(finding, on_record) == []
