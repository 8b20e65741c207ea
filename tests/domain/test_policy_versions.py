"""A new policy version in the middle of a run: every rule of excursions.md section 3, "A new version in the middle".

Series are minute:degrees@version, known for 15 minutes at most; expected are `started opened ended closed` in minutes.
"""

from pipelines.domain.policy import NO_POLICY, Side
from pipelines.domain.sensor import FRESH, on_clock, on_reading
from pipelines.domain.sensor_view import open_excursions
from tests.domain.timeline import MINUTE, band, judged, on_paper, rows, versions


def test_a_value_is_judged_by_its_own_version_for_as_long_as_it_holds() -> None:
    found = judged("0:9@1 5:9@2", band("8"), band("10"), until=60)

    assert on_paper(found) == ["0 0 5 5"]
    assert found[0].figures.exposure_ms == 5 * MINUTE


def test_a_pending_run_keeps_its_start_and_its_collected_time() -> None:
    found = judged("0:9@1 6:9@2", band(hold=20), band(hold=10), until=60)

    assert on_paper(found) == ["0 10 - -"]


def test_a_pending_run_keeps_its_count_of_readings() -> None:
    found = judged("0:9@1 12:9@2", band(hold=10, min_samples=3), band(hold=10, min_samples=2), until=60)

    assert on_paper(found) == ["0 12 - -"]


def test_a_hold_already_reached_opens_at_the_first_reading_of_the_version() -> None:
    found = judged("0:9@1 8:9@2", band(hold=20), band(hold=5), until=60)

    assert on_paper(found) == ["0 8 - -"]


def test_no_hold_opens_a_pending_run_at_the_first_reading_whatever_its_samples() -> None:
    found = judged("0:9@1 8:7.8@2", band(hold=20, margin="1"), band(margin="1", min_samples=5), until=60)

    assert on_paper(found) == ["0 8 - -"]


def test_a_longer_hold_applies_from_the_very_instant_of_the_old_one() -> None:
    found = judged("0:9@1 10:9@2", band(hold=10), band(hold=12), until=60)

    assert on_paper(found) == ["0 12 - -"]


def test_the_old_hold_opens_it_before_the_new_version_begins() -> None:
    found = judged("0:9@1 10.0005:9@2", band(hold=10), band(hold=12), until=60)

    assert on_paper(found) == ["0 10 - -"]


def test_a_recovered_reading_of_a_new_version_ends_a_pending_run_even_where_the_hold_is_reached() -> None:
    found = judged("0:9@1 8:9@2", band(hold=20), band("10", hold=5), until=60)

    assert found == []


def test_time_inside_the_margin_carries_on() -> None:
    one, two = band(hold=20, margin="1"), band(hold=10, margin="1")

    found = judged("0:9@1 1:7.8@1 12:9@2", one, two, until=60)

    assert on_paper(found) == ["12 22 - -"]


def test_where_the_first_reading_would_both_open_and_end_the_run_it_opens() -> None:
    one, two = band(hold=20, margin="1"), band(hold=5, margin="1")

    assert on_paper(judged("0:9@1 6:7.8@1 12:7.8@2", one, two, until=60)) == ["0 12 - -"]
    assert on_paper(judged("0:9@1 6:7.8@1 12:9@2", one, two, until=60)) == ["0 12 - -"]


def test_a_recovery_keeps_its_start_and_its_collected_time() -> None:
    found = judged("0:9@1 5:7@1 9:7@2", band(recovery_hold=20), band(recovery_hold=10), until=60)

    assert on_paper(found) == ["0 0 5 15"]


def test_a_recovery_hold_already_reached_closes_at_the_first_reading() -> None:
    found = judged("0:9@1 5:7@1 12:7@2", band(recovery_hold=20), band(recovery_hold=5), until=60)

    assert on_paper(found) == ["0 0 5 12"]


def test_a_reading_out_at_a_recovery_hold_already_reached_comes_too_late() -> None:
    found = judged("0:9@1 5:7@1 12:9@2", band(recovery_hold=20), band(recovery_hold=5), until=60)

    assert on_paper(found) == ["0 0 5 12", "12 12 - -"]


def test_no_recovery_hold_closes_a_recovery_at_the_first_reading() -> None:
    found = judged("0:9@1 5:7@1 12:7@2", band(recovery_hold=20, min_samples=9), band(min_samples=9), until=60)

    assert on_paper(found) == ["0 0 5 12"]


def test_a_longer_recovery_hold_applies_from_the_very_instant_of_the_old_one() -> None:
    found = judged("0:9@1 5:7@1 15:7@2", band(recovery_hold=10), band(recovery_hold=12), until=60)

    assert on_paper(found) == ["0 0 5 17"]


def test_every_value_is_measured_against_its_own_versions_limit() -> None:
    found = judged("0:10@1 5:10@2 10:10@3 15:10@3", band("8"), band("9.5"), band("9", inclusive=True), until=20)

    assert on_paper(found) == ["0 0 - -"]
    assert found[0].figures.degree_minutes == 5 * 2 + 5 * 0.5 + 10 * 1
    assert found[0].figures.exposure_ms == 20 * MINUTE


def test_a_band_that_is_gone_closes_its_excursion_there() -> None:
    found = judged("0:9@1 5:9@2 6:9@2", band(name="old"), band("30", name="new"), until=60)

    assert on_paper(found) == ["0 0 5 5"]
    assert found[0].ended_by == "policy"
    assert (found[0].figures.samples, found[0].figures.known_ms) == (1, 5 * MINUTE)


def test_a_band_that_is_gone_ends_a_recovery_under_way_as_open() -> None:
    found = judged("0:9@1 5:7@1 9:7@2", band(name="old", recovery_hold=10), band(name="new"), until=60)

    assert on_paper(found) == ["0 0 9 9"]
    assert found[0].figures.samples == 2


def test_a_band_that_is_gone_leaves_no_trace_of_a_pending_run() -> None:
    old, new = band(name="old", hold=10), band(name="new", hold=10)

    assert on_paper(judged("0:9@1 5:9@2", old, new, until=60)) == ["5 15 - -"]
    assert on_paper(judged("0:9@1 10:7@2", old, new, until=60)) == []


def test_a_deadline_before_the_band_is_gone_is_passed() -> None:
    found = judged("0:9@1 14:9@2", band(name="old", hold=10), band("30", name="new"), until=60)

    assert on_paper(found) == ["0 10 14 14"]


def test_the_other_side_is_another_band() -> None:
    found = judged("0:9@1 5:9@2", band("8"), band("10", side=Side.LOW), until=60)

    assert on_paper(found) == ["0 0 5 5", "5 5 - -"]
    assert [excursion.ended_by for excursion in found] == ["policy", None]


def test_bands_carry_on_in_whatever_order_they_are_written() -> None:
    warm, cold = band(hold=20), band("2", name="cold", side=Side.LOW)

    found = judged("0:9@1 5:9@2", (warm, cold), (cold, warm), until=60)

    assert on_paper(found) == ["0 20 - -"]


def test_a_band_that_is_new_starts_with_the_first_reading_of_its_version() -> None:
    found = judged("0:9@1 5:9@2", band("30", name="hot"), (band("30", name="hot"), band(hold=5)), until=60)

    assert on_paper(found) == ["5 10 - -"]


def test_a_band_that_comes_back_later_starts_anew() -> None:
    found = judged("0:9@1 5:9@2 9:9@1", band(), band("30", name="hot"), until=60)

    assert on_paper(found) == ["0 0 5 5", "9 9 - -"]


def test_a_fault_mark_brings_no_new_version_into_force() -> None:
    policies = versions(band(), band("30", name="hot"))

    state = FRESH
    for row in rows("0:9@1 5:x@2"):
        state = on_reading(state, row, policies).state

    assert [run.band for run in open_excursions(state, 9 * MINUTE, policies)] == ["warm"]


def test_a_policy_without_bands_ends_everything() -> None:
    policies = {**versions(band()), 0: NO_POLICY}
    state = on_reading(FRESH, rows("0:9@1")[0], policies).state

    step = on_reading(state, rows("5:9@0")[0], policies)

    assert [fact.closed_at for fact in step.facts] == [5 * MINUTE]  # type: ignore[union-attr]
    assert on_clock(step.state, 99 * MINUTE, policies).facts == ()
