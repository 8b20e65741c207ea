"""The numbers of excursions.md section 4, worked out by hand. Series are minute:degrees, known for 15 minutes at most."""

from pipelines.domain.excursion_facts import ExcursionClosed, ExcursionOpened, Fact
from pipelines.domain.figures import Figures
from pipelines.domain.policy import Side
from pipelines.domain.sensor import FRESH, on_reading
from tests.domain.timeline import MINUTE, band, judged, rows, versions


def figures_of(series: str, one: object, **terms: str | float) -> Figures:
    found = judged(series, one, **terms)  # type: ignore[arg-type]
    assert len(found) == 1
    return found[0].figures


def test_peak_is_the_highest_on_side_high() -> None:
    numbers = figures_of("0:9 5:12.34 10:10 15:7", band(), until=20)

    assert numbers.peak_celsius == 12.34


def test_peak_is_the_lowest_on_side_low() -> None:
    numbers = figures_of("0:1 5:-3.21 10:1.5 15:7", band("2", side=Side.LOW), until=20)

    assert numbers.peak_celsius == -3.21


def test_mean_is_weighted_by_known_time() -> None:
    numbers = figures_of("0:9 10:12 15:7", band(), until=20)

    assert numbers.mean_celsius == 10


def test_unknown_time_has_no_part_in_the_mean() -> None:
    numbers = figures_of("0:9 100:12 115:7", band(), until=200)

    assert numbers.mean_celsius == 10.5
    assert (numbers.known_ms, numbers.unknown_ms) == (30 * MINUTE, 85 * MINUTE)


def test_mean_is_the_plain_mean_of_its_readings_when_nothing_is_known_yet() -> None:
    numbers = figures_of("0:9.5", band(), until=0)

    assert numbers.mean_celsius == 9.5
    assert (numbers.known_ms, numbers.unknown_ms, numbers.samples, numbers.largest_gap_ms) == (0, 0, 1, 0)


def test_degree_minutes_count_the_distance_beyond_the_limit_only() -> None:
    numbers = figures_of("0:9 5:7.5 7:10 10:7", band(margin="1"), until=20)

    assert numbers.degree_minutes == 5 * 1 + 3 * 2


def test_degree_minutes_below_a_low_limit() -> None:
    numbers = figures_of("0:1 5:0.5 7:3", band("2", side=Side.LOW), until=20)

    assert numbers.degree_minutes == 5 * 1 + 2 * 1.5


def test_exposure_is_known_time_out_of_range() -> None:
    numbers = figures_of("0:9 5:7.5 7:9 30:x 40:7", band(margin="1"), until=60)

    assert numbers.exposure_ms == (5 + 15) * MINUTE
    assert numbers.known_ms == 22 * MINUTE
    assert numbers.unknown_ms == 18 * MINUTE


def test_an_inclusive_limit_counts_as_exposure_without_degree_minutes() -> None:
    numbers = figures_of("0:8 5:7", band(inclusive=True), until=60)

    assert numbers.exposure_ms == 5 * MINUTE
    assert numbers.degree_minutes == 0


def test_numbers_end_where_the_recovery_began() -> None:
    numbers = figures_of("0:9 5:7 6:6 7:5", band(recovery_hold=10), until=60)

    assert numbers.samples == 1
    assert numbers.mean_celsius == 9
    assert numbers.known_ms == 5 * MINUTE


def test_a_recovery_not_yet_complete_counts_as_open() -> None:
    numbers = figures_of("0:9 5:7 6:6", band(recovery_hold=10), until=9)

    assert numbers.samples == 3
    assert numbers.known_ms == 9 * MINUTE
    assert numbers.exposure_ms == 5 * MINUTE
    assert numbers.mean_celsius == (9 * 5 + 7 + 6 * 3) / 9


def test_a_voided_recovery_stays_in_the_numbers() -> None:
    numbers = figures_of("0:9 5:7 6:10 8:7", band(recovery_hold=10), until=60)

    assert numbers.samples == 3
    assert numbers.known_ms == 8 * MINUTE
    assert numbers.mean_celsius == (9 * 5 + 7 + 10 * 2) / 8


def test_time_before_the_hold_is_in_the_numbers() -> None:
    numbers = figures_of("0:9 5:11 12:7", band(hold=10), until=60)

    assert numbers.samples == 2
    assert numbers.exposure_ms == 12 * MINUTE


def test_a_reading_at_until_counts_while_open() -> None:
    numbers = figures_of("0:9 5:20", band(), until=5)

    assert numbers.samples == 2
    assert numbers.peak_celsius == 20
    assert numbers.mean_celsius == 9


def test_known_time_ends_at_until() -> None:
    numbers = figures_of("0:9", band(), until=4)

    assert (numbers.known_ms, numbers.unknown_ms) == (4 * MINUTE, 0)


def test_known_time_ends_with_the_assignment() -> None:
    numbers = figures_of("0:9", band(), until=40, ends_at=30)

    assert (numbers.known_ms, numbers.unknown_ms, numbers.largest_gap_ms) == (15 * MINUTE, 15 * MINUTE, 30 * MINUTE)


def test_largest_gap_lies_between_neighbouring_readings() -> None:
    numbers = figures_of("0:9 5:9 30:9 40:7", band(), until=60)

    assert numbers.largest_gap_ms == 25 * MINUTE


def test_largest_gap_may_end_with_the_excursion() -> None:
    numbers = figures_of("0:9 5:9 30:7", band(), until=60)

    assert numbers.largest_gap_ms == 25 * MINUTE


def test_largest_gap_may_end_at_until() -> None:
    numbers = figures_of("0:9 5:9", band(), until=60)

    assert numbers.largest_gap_ms == 55 * MINUTE


def test_a_fault_mark_is_no_sample_and_parts_no_gap() -> None:
    numbers = figures_of("0:9 10:x 20:9 25:7", band(), until=60)

    assert numbers.samples == 2
    assert numbers.largest_gap_ms == 20 * MINUTE


def test_facts_carry_the_numbers_as_of_their_instant() -> None:
    policies = versions(band(hold=10))
    state, facts = FRESH, list[Fact]()
    for row in rows("0:9 5:11 20:7"):
        step = on_reading(state, row, policies)
        state = step.state
        facts += step.facts

    opened, closed = facts

    assert isinstance(opened, ExcursionOpened)
    assert isinstance(closed, ExcursionClosed)
    assert (opened.figures.known_ms, opened.figures.samples, opened.figures.peak_hundredths) == (10 * MINUTE, 2, 1100)
    assert closed.figures.known_ms == 20 * MINUTE


def test_sums_stay_exact_over_years() -> None:
    century = " ".join(f"{minute}:8.01" for minute in range(0, 15 * 1000, 15))

    numbers = figures_of(century, band(), until=15_000)

    assert numbers.weighted == 801 * 15_000 * MINUTE
    assert numbers.mean_celsius == 8.01
    assert numbers.degree_minutes == 150
