"""The rules of ADR 0013, each by a case on paper: what holds an excursion back, until when, and what it comes to."""

from dataclasses import replace

import pytest

from pipelines.domain.evaluate import Judged, judge_beside
from pipelines.domain.policy import DoorSuppression, Role, Suppress, SustainedBand
from pipelines.domain.sensor import FRESH, next_deadline, on_clock, on_reading
from pipelines.domain.sensor_view import open_excursions, possible_excursions, state_at
from pipelines.domain.suppression import Circumstances, DefrostProfile, OverlappingStretches, in_order
from schemas.events import UnitState
from tests.domain.timeline import MINUTE, band, ms, on_paper, rows, versions

ALL = Suppress(defrost=True, maintenance=True, door=DoorSuppression(after_ms=ms(10), grace_ms=ms(30)))
DEFROST = Circumstances(defrost=DefrostProfile(period_ms=ms(360), peak_hundredths=1_500, duration_ms=ms(40)))
WARM = "0:9 5:12 10:13 15:13 20:12 25:9 30:7"
"""A rise that would open at 15 by a hold of 15, and is over at 30."""


def operational(suppress: Suppress | None = ALL, **fields: str | float) -> SustainedBand:
    """Return a band that may be suppressed, in degrees and minutes; a hold of 15 unless told otherwise."""
    return replace(band(hold=fields.pop("hold", 15), **fields), role=Role.OPERATIONAL, suppress=suppress)  # type: ignore[arg-type]


def maintenance(*windows: tuple[float, float]) -> Circumstances:
    return Circumstances(maintenance=in_order((ms(begin), ms(end)) for begin, end in windows))


def door(*opened: tuple[float, float]) -> Circumstances:
    return Circumstances(door=in_order((ms(begin), ms(end)) for begin, end in opened))


def judged(text: str, beside: Circumstances, *policies: SustainedBand, until: float = 999, ends_at: float | None = None) -> Judged:
    """Judge a series by versions numbered from 1, a default band where none is given."""
    end = None if ends_at is None else ms(ends_at)
    return judge_beside(rows(text), versions(*(policies or (operational(),))), ms(until), beside, end)


def told(found: Judged) -> list[str]:
    """Return `started opened ended closed` of each excursion that was told."""
    return on_paper(found.excursions)


def suppressed(found: Judged) -> list[str]:
    """Return `started held-from ended closed: excuse from-to, ...` of each that was suppressed."""
    lines = []
    for one in found.suppressed:
        times = " ".join("-" if at is None else f"{at / MINUTE:g}" for at in (one.started_at, one.held_from, one.ended_at, one.closed_at))
        tags = ", ".join(f"{tag.excuse} {tag.from_at / MINUTE:g}-{tag.to_at / MINUTE:g}" for tag in one.tags)
        lines.append(f"{times}: {tags}")
    return lines


def test_without_anything_known_beside_the_readings_nothing_is_suppressed() -> None:
    found = judged(WARM, Circumstances())

    assert (told(found), suppressed(found)) == (["0 15 30 30"], [])


@pytest.mark.parametrize(
    ("beside", "tags"),
    [
        (DEFROST, "defrost 0-30"),
        (maintenance((10, 40)), "maintenance 10-30"),
        (door((-3, 1)), "door 0-30"),
    ],
)
def test_an_excursion_that_ends_while_it_is_excused_is_suppressed_with_all_its_figures(beside: Circumstances, tags: str) -> None:
    found = judged(WARM, beside)

    assert told(found) == []
    assert suppressed(found) == [f"0 15 30 30: {tags}"]
    assert (found.suppressed[0].figures.exposure_ms, found.suppressed[0].figures.peak_hundredths) == (ms(30), 1_300)


def test_a_compliance_band_beside_it_is_told_as_ever() -> None:
    compliance = band(hold=15, name="compliance")

    found = judge_beside(rows(WARM), versions((compliance, operational())), ms(999), DEFROST)

    assert [one.band for one in found.excursions] == ["compliance"]
    assert [one.band for one in found.suppressed] == ["warm"]


def test_a_defrost_that_lasts_too_long_opens_when_it_has_and_counts_from_its_start() -> None:
    found = judged("0:9 10:12 20:12 30:12 40:9 50:9 60:7", DEFROST)

    assert told(found) == ["0 40 60 60"]
    assert found.excursions[0].figures.exposure_ms == ms(60)
    assert found.excursions[0].held_back is not None
    assert found.excursions[0].held_back.from_at == ms(15)


def test_a_defrost_that_grows_too_warm_opens_with_that_reading() -> None:
    assert told(judged("0:9 10:12 20:12 22:15.01 30:7", DEFROST)) == ["0 22 30 30"]
    assert told(judged("0:9 10:12 20:12 22:15 30:7", DEFROST)) == []


def test_a_rise_too_warm_from_its_first_reading_is_no_defrost() -> None:
    assert told(judged("0:15.01 10:12 20:12 30:7", DEFROST)) == ["0 15 30 30"]


def test_silence_in_a_defrost_does_not_put_the_alarm_off() -> None:
    assert told(judged("0:9 10:12 14:12", DEFROST, until=40)) == ["0 40 - -"]
    assert told(judged("0:9 10:12 20:x", DEFROST, until=40)) == ["0 40 - -"]
    assert suppressed(judged("0:9 10:12 14:12", DEFROST, until=39.999)) == ["0 15 - -: defrost 0-39.999"]


def test_a_second_defrost_comes_no_sooner_than_the_period_after_the_one_before() -> None:
    early = WARM + " 359:9 370:9 380:9 389:7"
    in_time = WARM + " 360:9 370:9 380:9 390:7"

    assert told(judged(early, DEFROST)) == ["359 374 389 389"]
    assert suppressed(judged(in_time, DEFROST)) == ["0 15 30 30: defrost 0-30", "360 375 390 390: defrost 360-390"]


def test_one_that_would_not_have_opened_is_no_defrost_and_puts_none_off() -> None:
    found = judged("0:9 10:7 60:9 70:9 80:9 90:7", DEFROST)

    assert suppressed(found) == ["60 75 90 90: defrost 60-90"]


def test_one_that_the_door_explains_as_long_as_it_lasts_puts_no_defrost_off() -> None:
    beside = replace(DEFROST, door=((ms(-3), ms(1)),))

    found = judged("0:9 10:9 20:9 25:7 60:9 70:9 80:9 90:7", beside)

    assert suppressed(found) == ["0 15 25 25: defrost 0-25, door 0-25", "60 75 90 90: defrost 60-90"]


def test_one_that_began_as_a_defrost_and_was_told_puts_the_next_off_too() -> None:
    found = judged("0:9 10:12 20:15.01 30:7 300:9 310:9 320:9 325:7", DEFROST)

    assert told(found) == ["0 20 30 30", "300 315 325 325"]


def test_a_door_excuses_a_rise_that_begins_while_it_is_open_or_shortly_after_and_for_the_grace_alone() -> None:
    long = "0:9 10:9 20:9 30:9 40:7"

    assert suppressed(judged("0:9 10:9 20:7", door((0, 1)))) == ["0 15 20 20: door 0-20"]
    assert told(judged(long, door((-20, -9.999)))) == ["0 30 40 40"]
    assert told(judged(long, door((-20, -10)))) == ["0 15 40 40"]
    assert told(judged(long, door((0.001, 5)))) == ["0 15 40 40"]
    assert told(judged(long, door((-20, 60)))) == ["0 30 40 40"]


def test_maintenance_excuses_from_its_first_instant_up_to_its_last() -> None:
    long = "0:9 10:9 20:9 30:9 40:9 50:7"

    assert told(judged(long, maintenance((15, 35)))) == ["0 35 50 50"]
    assert told(judged(long, maintenance((15.001, 35)))) == ["0 15 50 50"]
    assert told(judged(long, maintenance((-9, 15)))) == ["0 15 50 50"]
    assert told(judged(long, maintenance((-9, 20), (20, 30), (31, 90)))) == ["0 30 50 50"]


def test_what_was_told_before_maintenance_stays_told_and_may_end_in_it() -> None:
    assert told(judged(WARM, maintenance((16, 90)))) == ["0 15 30 30"]


def test_an_excuse_that_ends_in_a_recovery_tells_nothing_unless_that_is_void() -> None:
    slow = operational(recovery_hold=20)

    assert suppressed(judged("0:9 10:9 20:9 35:7 40:7 50:7 60:7", DEFROST, slow)) == ["0 15 35 55: defrost 0-35"]
    assert told(judged("0:9 10:9 20:9 35:7 45:9 50:7 60:7 75:7", DEFROST, slow)) == ["0 45 50 70"]


def test_a_reading_that_recovers_at_the_very_end_of_an_excuse_is_in_time() -> None:
    assert told(judged("0:9 10:9 20:9 30:9 40:7", DEFROST)) == []
    assert told(judged("0:9 10:9 20:9 30:9 40:9 41:7", DEFROST)) == ["0 40 41 41"]


def test_a_version_that_suppresses_less_opens_what_is_held_back_with_its_first_reading() -> None:
    by_door = operational(Suppress(door=ALL.door))

    assert told(judged("0:9 10:9 20:9 22:9@2 30:7@2", DEFROST, operational(), by_door)) == ["0 22 30 30"]
    assert told(judged("0:9 10:9 20:9 22:9@2 30:7@2", DEFROST, operational(), operational(None))) == ["0 22 30 30"]
    assert told(judged("0:9 10:9@2 20:9@2 22:9@2 30:7@2", DEFROST, operational(None), operational())) == ["0 15 30 30"]


def test_the_end_of_an_assignment_or_of_a_band_ends_what_is_held_back() -> None:
    gone = band(name="other", limit="20")

    assert suppressed(judged("0:9 10:9 20:9", DEFROST, ends_at=25)) == ["0 15 25 25: defrost 0-25"]
    assert suppressed(judged("0:9 10:9 20:9 30:9@2", DEFROST, operational(), gone)) == ["0 15 30 30: defrost 0-30"]
    assert told(judged("0:9 10:9 20:9 30:9", DEFROST, ends_at=40)) == []
    assert told(judged("0:9 10:9 20:9 30:9", DEFROST, ends_at=40.001)) == ["0 40 40.001 40.001"]


def test_while_it_is_held_back_a_sensor_is_shown_as_breaching_and_nothing_is_open() -> None:
    policies, state = versions(operational()), FRESH
    for row in rows("0:9 10:9 20:9"):
        state = on_reading(state, row, policies, DEFROST).state

    assert state_at(state, ms(21)) is UnitState.BREACHING
    assert open_excursions(state, ms(21), policies, DEFROST) == ()
    assert next_deadline(state) == ms(40)
    opened = on_clock(state, ms(40), policies, DEFROST)
    assert [fact.opened_at for fact in opened.facts if hasattr(fact, "opened_at")] == [ms(40)]
    assert state_at(opened.state, ms(40)) is UnitState.EXCURSION


def test_a_pending_run_that_may_be_excused_is_possible_as_any_other() -> None:
    policies = versions(operational())
    state = on_reading(FRESH, rows("0:9 ", max_gap=5)[0], policies, DEFROST).state

    assert possible_excursions(state, ms(14), policies) == ()
    assert possible_excursions(state, ms(15), policies) == ("warm",)


def test_stretches_that_are_empty_or_overlap_are_refused_and_can_be_put_in_order() -> None:
    with pytest.raises(OverlappingStretches):
        Circumstances(maintenance=((0, 5), (4, 9)))
    with pytest.raises(OverlappingStretches):
        Circumstances(door=((5, 5),))

    assert in_order([(4, 9), (0, 5), (7, 7), (20, 30), (9, 10)]) == ((0, 10), (20, 30))
