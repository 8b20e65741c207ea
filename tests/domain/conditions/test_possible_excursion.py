"""Possible excursions follow a band: above 8 °C for 10 minutes, margin 1 degree. Series are minute:degrees, known for 15 minutes at most."""

from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.conditions.facts import ConditionEnd, ConditionFact, ConditionFacts, PendingRun
from pipelines.domain.conditions.possible_excursion import (
    NOT_POSSIBLE,
    TRANSITIONS,
    BandView,
    Possible,
    PossibleState,
    deadline,
    on_clock,
    on_end,
    on_reading,
)
from pipelines.domain.excursion_states import Breaching, InRange, Open, Reading, Recovering
from pipelines.domain.policy import Policy, SustainedBand
from pipelines.domain.sensor import FRESH, SensorState
from pipelines.domain.sensor import on_clock as sensor_on_clock
from pipelines.domain.sensor import on_reading as sensor_on_reading
from pipelines.domain.sensor_view import possible_excursions
from tests.domain.conditions.notation import on_paper
from tests.domain.random_rows import judgements
from tests.domain.timeline import MINUTE, band, ms, rows

BAND = band(hold=10, margin="1")
_STATE: msgspec.msgpack.Decoder[PossibleState] = msgspec.msgpack.Decoder(PossibleState)


def restored(state: PossibleState) -> PossibleState:
    """Return the state after a crash."""
    return _STATE.decode(msgspec.msgpack.encode(state))


@dataclass
class Follower:
    """A sensor with policies of at most one band of a name and side, and what may be possible there."""

    policies: dict[int, Policy]
    sensor: SensorState = FRESH
    state: PossibleState = NOT_POSSIBLE
    facts: list[ConditionFact] = field(default_factory=list)

    def view(self, key: tuple[str, str]) -> BandView | None:
        if self.sensor.newest is None or self.sensor.policy is None:
            return None
        bands = self.policies[self.sensor.policy].bands
        for one, run in zip(bands, self.sensor.bands, strict=True):
            if (one.name, one.side) == key:
                assert isinstance(one, SustainedBand)
                assert isinstance(run, InRange | Breaching | Open | Recovering)
                return BandView(run, self.sensor.newest, one)
        return None

    def take(self, row: Reading, key: tuple[str, str] = ("warm", "high")) -> None:
        before = self.view(key)
        self.sensor = sensor_on_reading(self.sensor, row, self.policies).state
        self.moved(*on_reading(self.state, before, self.view(key), row.measured_at))

    def tick(self, until: int, key: tuple[str, str] = ("warm", "high")) -> None:
        before = self.view(key)
        self.sensor = sensor_on_clock(self.sensor, until, self.policies).state
        if before is not None:
            self.moved(*on_clock(self.state, before, until))

    def moved(self, state: PossibleState, found: ConditionFacts) -> None:
        allowed = {after for (before, _), others in TRANSITIONS.items() if before is type(self.state) for after in others}
        assert type(state) is type(self.state) or type(state) in allowed
        self.state = restored(state)
        self.facts += found


def told(series: str, until: float, *versions: SustainedBand) -> list[str]:
    follower = Follower({number: Policy((one,)) for number, one in enumerate(versions or (BAND,), start=1)})
    for row in rows(series):
        follower.take(row)
    follower.tick(ms(until))
    return on_paper(follower.facts)


@pytest.mark.parametrize(
    ("series", "until", "facts"),
    [
        ("0:9 2:x", 9.5, []),
        ("0:9 2:x", 10, ["possible_excursion + 10 10"]),
        ("0:9 2:x 12:7", 12, ["possible_excursion + 10 10", "possible_excursion - 12 12 recovery"]),
        ("0:9 2:x 10:7", 12, []),
        ("0:9 2:x 10:9", 12, ["possible_excursion + 10 10"]),
        ("0:9 2:x 12:9", 20, ["possible_excursion + 10 10", "possible_excursion - 20 20 opened"]),
        ("0:9 2:x 12:9 30:7", 30, ["possible_excursion + 10 10", "possible_excursion - 20 20 opened"]),
        ("0:9 2:x 12:9 20:7", 30, ["possible_excursion + 10 10", "possible_excursion - 20 20 recovery"]),
        ("0:9 2:x 12:7.5", 22, ["possible_excursion + 10 10", "possible_excursion - 22 22 recovery"]),
        ("0:9 9:x 11:9", 99, ["possible_excursion + 10 10", "possible_excursion - 12 12 opened"]),
        ("0:9 2:x 12:7.9 22:9", 22, ["possible_excursion + 10 10", "possible_excursion - 22 22 recovery"]),
        ("0:9", 99, []),
        ("0:9 2:7.9", 99, []),
        ("0:9 2:7.9 8:x", 15.9, []),
        ("0:9 2:7.9 8:x", 16, ["possible_excursion + 16 16"]),
    ],
)
def test_it_begins_when_collected_and_unknown_time_reach_the_hold(series: str, until: float, facts: list[str]) -> None:
    assert told(series, until) == facts


def test_a_single_warm_reading_of_the_two_it_takes_is_a_possible_excursion() -> None:
    twice = band(hold=10, margin="1", min_samples=2)

    assert told("0:9 12:9", 12, twice) == ["possible_excursion + 10 10", "possible_excursion - 12 12 opened"]


def test_known_time_inside_the_margin_brings_it_no_nearer() -> None:
    longer = band(hold=20, margin="1")

    assert told("0:9 2:7.9", 34.5, longer) == []
    assert told("0:9 2:7.9", 35, longer) == ["possible_excursion + 35 35"]


def test_a_shorter_hold_makes_a_run_possible_there() -> None:
    longer, shorter = band(hold=60, margin="1"), band(hold=10, margin="1")

    assert told("0:9 2:x 30:7.9@2", 30, longer, shorter) == ["possible_excursion + 30 30"]


def test_it_ends_with_its_band() -> None:
    other = band(name="hot", hold=10)

    assert told("0:9 2:x 12:9@2", 12, BAND, other) == ["possible_excursion + 10 10", "possible_excursion - 12 12 terms"]


def test_it_ends_with_the_assignment_and_tells_of_its_run() -> None:
    state = Possible(10 * MINUTE, PendingRun("warm", 0))

    (ended,) = on_end(state, 12 * MINUTE, ConditionEnd.ASSIGNMENT)

    assert on_paper([ended]) == ["possible_excursion - 12 12 assignment"]
    assert ended.detail == PendingRun("warm", 0)


@given(judgement=judgements(), clocks=st.lists(st.integers(0, 40_000), max_size=6), data=st.data())
def test_at_any_instant_it_stands_where_the_sensors_view_says_so(
    judgement: tuple[list[Reading], dict[int, Policy], int], clocks: list[int], data: st.DataObject
) -> None:
    given_rows, policies, _ = judgement
    one = data.draw(st.sampled_from(policies[1].bands))
    key = (one.name, one.side)
    follower, now = Follower(policies), 0
    instants = sorted({*clocks, *(row.measured_at - 1 for row in given_rows), *(row.measured_at for row in given_rows)})
    by_time = {row.measured_at: row for row in given_rows}
    for now in instants:
        if now in by_time:
            follower.take(by_time[now], key)
        follower.tick(now, key)
        assert isinstance(follower.state, Possible) == view_says(follower.sensor, now, policies, key)
        after = follower.view(key)
        due = None if after is None else deadline(follower.state, after)
        assert due is None or due > now


@given(judgement=judgements(), clocks=st.lists(st.integers(0, 40_000), max_size=6), data=st.data())
def test_clocks_between_change_nothing(
    judgement: tuple[list[Reading], dict[int, Policy], int], clocks: list[int], data: st.DataObject
) -> None:
    given_rows, policies, _ = judgement
    one = data.draw(st.sampled_from(policies[1].bands))
    key = (one.name, one.side)
    by_time: dict[int, Reading | None] = {**dict.fromkeys(clocks), **{row.measured_at: row for row in given_rows}}
    end = max(by_time, default=0)
    found = []
    for with_clocks in (True, False):
        follower = Follower(policies)
        for at in sorted(by_time):
            row = by_time[at]
            if row is not None:
                follower.take(row, key)
            elif with_clocks:
                follower.tick(at, key)
        follower.tick(end, key)
        found.append((follower.state, follower.facts))

    assert found[0] == found[1]


def view_says(state: SensorState, now: int, policies: dict[int, Policy], key: tuple[str, str]) -> bool:
    """Return whether `possible_excursions` names the band; its names are unique within a policy."""
    if state.policy is None or key not in [(one.name, one.side) for one in policies[state.policy].bands]:
        return False
    return key[0] in possible_excursions(state, now, policies)
