"""Cases that the campaign found and cut down, each by hand: fleets that must come to what the simple implementation says."""

from tests.truth.fleet import Act, Assignment, Clock, Event, Fleet, Row, Sensor, Uplink, What
from tests.truth.random_fleet import SETTLE_MS
from tests.truth.trying import tried

AT = 1_700_000_000_000
BAND = {"kind": "mkt", "name": "a", "side": "high", "inclusive": True, "margin": 50, "min_known": 0}
LONG = {**BAND, "limit": 750, "window": 613_370}
SHORT = {**BAND, "limit": 800, "window": 5}


def moved(*events: Event) -> Fleet:
    """Return a sensor that watched one unit under a long window, and then another under a short one."""
    sensor = Sensor(1, 1, 1, 0, (Assignment(10, 100, (1,), AT + 1_336_044), Assignment(11, 101, (2,), None)))
    return Fleet(0, "mkt", (sensor,), {1: (LONG,), 2: (SHORT,)}, events, SETTLE_MS)


def uplink(at: int, value: int, *, later: bool = True) -> Uplink:
    """Return an uplink of one reading, of the later assignment unless told."""
    return Uplink((Row(1, 11 if later else 10, AT + at, value, 2 if later else 1, 3 if later else 184_011),))


def test_a_revision_from_an_assignments_first_row_on_ends_what_the_one_before_left_open() -> None:
    """It went back to the first row of the assignment alone, and the table refused a second open excursion of the band's name."""
    fleet = moved(
        uplink(0, 1_201, later=False),
        Act(What.DETECT, 5),
        uplink(1_336_049, 849),
        Act(What.DETECT, 1),
        Act(What.STORE, 50),
        uplink(1_336_044, 850),
        Act(What.RECORD),
        Act(What.ASK, 2),
        Act(What.STORE, 2),
        Act(What.REVISE, 12),
    )

    assert tried(fleet).findings == ()


def test_an_excursion_ends_with_its_assignment_though_the_next_ones_first_row_comes_before_the_end_is_said() -> None:
    fleet = moved(Clock(AT), uplink(0, 1_201, later=False), Act(What.DETECT, 50), uplink(1_336_049, 400), Act(What.DETECT, 50))

    assert tried(fleet).findings == ()
