"""The sensor machine under readings, late readings, fault marks, clocks, new versions, ends and crashes, in any order.

It makes only the moves of TRANSITIONS, and what it has found at any time is what one pass over the same rows finds.
"""

import random
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipelines.domain.evaluate import judge
from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed, Fact
from pipelines.domain.excursion_states import TRANSITIONS, Cause, InRange, Reading
from pipelines.domain.policy import Policy, Side, Standing, SustainedBand
from pipelines.domain.sensor import FRESH, SensorState, is_late, on_assignment_end, on_clock, on_reading
from pipelines.domain.sensor_view import open_excursions
from pipelines.domain.windowed_states import BandState
from tests.domain.random_rows import TEMPERATURES, UNIT, gaps, policy_versions, temperatures

CAUSES = {Standing.OUT: Cause.OUT, Standing.INSIDE: Cause.INSIDE, Standing.RECOVERED: Cause.RECOVERED}

Move = tuple[type[BandState], Cause, type[BandState]]
MOVES: Any = TRANSITIONS
"""Of bands of kind sustained, as the policies here have no others."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SensorState)


def clock_moves(before: SensorState, after: SensorState) -> set[Move]:
    """Return the moves that deadlines made."""
    return {(type(one), Cause.DEADLINE, type(other)) for one, other in zip(before.bands, after.bands, strict=True) if one != other}


def row_moves(before: SensorState, row: Reading, after: SensorState, policies: dict[int, Policy]) -> set[Move]:
    """Return the moves a row made in each band; deadlines before it must have been passed."""
    if row.temperature is None:
        # A deadline at the very instant of a fault mark is passed first; only it changes a band's kind of state.
        return {
            (type(one), Cause.FAULT_MARK if type(one) is type(other) else Cause.DEADLINE, type(other))
            for one, other in zip(before.bands, after.bands, strict=True)
        }
    had = {} if before.policy is None else dict(zip(keys(policies[before.policy]), before.bands, strict=True))
    return {
        (type(had.get((band.name, band.side), InRange())), CAUSES[band.standing(row.temperature)], type(state))
        for band, state in zip(policies[row.policy].bands, after.bands, strict=True)
        if isinstance(band, SustainedBand)
    }


def keys(policy: Policy) -> list[tuple[str, Side]]:
    return [(band.name, band.side) for band in policy.bands]


def allowed(move: Move) -> bool:
    before, cause, after = move
    return after in MOVES.get((before, cause), frozenset())


class SensorMachine(RuleBasedStateMachine):
    """One sensor, told things in any order that its caller may tell them in."""

    @initialize(versions=policy_versions)
    def begin(self, versions: dict[int, Policy]) -> None:
        self.policies = versions
        self.version = 1
        self.state = FRESH
        self.rows: list[Reading] = []
        self.facts: list[Fact] = []
        self.now = 0

    def take(self, row: Reading) -> None:
        """Pass the deadlines before a row, then the row, checking each move."""
        self.tick(row.measured_at - 1)
        before = self.state
        step = on_reading(before, row, self.policies)
        assert all(allowed(move) for move in row_moves(before, row, step.state, self.policies))
        self.state = step.state
        self.facts += step.facts
        self.rows.append(row)
        self.now = max(self.now, row.measured_at)

    def tick(self, until: int) -> None:
        step = on_clock(self.state, until, self.policies)
        assert all(allowed(move) for move in clock_moves(self.state, step.state))
        self.state = step.state
        self.facts += step.facts
        self.now = max(self.now, until)

    def ahead(self, wait: int) -> int:
        return max(self.now, self.state.judged_at or 0) + wait

    @rule(temperature=temperatures, wait=st.integers(1, 4), gap=gaps)
    def reading(self, temperature: int, wait: int, gap: int) -> None:
        self.take(Reading(self.ahead(wait * UNIT), temperature, gap, self.version))

    @rule(wait=st.integers(1, 2 * UNIT), gap=gaps)
    def fault_mark(self, wait: int, gap: int) -> None:
        self.take(Reading(self.ahead(wait), None, gap, self.version))

    @rule(wait=st.integers(0, 6))
    def clock(self, wait: int) -> None:
        self.tick(self.now + wait * UNIT)

    @rule()
    def deadline(self) -> None:
        if self.state.due is not None:
            self.tick(self.state.due)

    @precondition(lambda self: self.rows)
    @rule(back=st.integers(0, 5))
    def late_reading_or_duplicate(self, back: int) -> None:
        assert self.state.judged_at is not None
        assert is_late(self.state, self.state.judged_at - back * UNIT)

    @rule()
    def new_version(self) -> None:
        self.version = min(max(self.policies), self.version + 1)

    @rule(wait=st.integers(1, 4))
    def assignment_end(self, wait: int) -> None:
        at = self.ahead(wait * UNIT)
        expected = judge(self.rows, self.policies, at, at)
        self.tick(at - 1)
        step = on_assignment_end(self.state, at, self.policies)
        ended = [fact for fact in step.facts if isinstance(fact, ExcursionClosed)]
        assert all(fact.ended_by is EndedBy.ASSIGNMENT for fact in ended)
        found = [fact for fact in [*self.facts, *ended] if isinstance(fact, ExcursionClosed)]
        assert sorted((fact.band, fact.started_at, fact.closed_at) for fact in found) == [
            (one.band, one.started_at, one.closed_at) for one in expected
        ]
        self.state, self.now, self.rows, self.facts = step.state, at - 1, [], []

    @rule()
    def crash_and_restore(self) -> None:
        self.state = _DECODER.decode(_ENCODER.encode(self.state))

    @invariant()
    def found_is_what_one_pass_finds(self) -> None:
        closed = [
            (fact.band, fact.started_at, fact.opened_at, fact.ended_at, fact.closed_at, fact.ended_by, fact.figures)
            for fact in self.facts
            if isinstance(fact, ExcursionClosed)
        ]
        running = [
            (one.band, one.started_at, one.opened_at, None, None, None, one.figures)
            for one in open_excursions(self.state, self.now, self.policies)
        ]
        expected = judge(self.rows, self.policies, self.now)
        assert sorted([*closed, *running], key=lambda one: one[:2]) == [
            (one.band, one.started_at, one.opened_at, one.ended_at, one.closed_at, one.ended_by, one.figures) for one in expected
        ]


TestSensorMachine = SensorMachine.TestCase


def random_bands(chance: random.Random) -> Policy:
    return Policy(
        tuple(
            SustainedBand(
                name,
                Side.HIGH,
                chance.choice([780, 800]),
                hold_ms=chance.randrange(4) * UNIT,
                min_samples=chance.randint(1, 2),
                margin_hundredths=chance.choice([0, 60]),
                recovery_hold_ms=chance.randrange(4) * UNIT,
            )
            for name in "ab"
        )
    )


def test_every_move_in_the_table_is_made() -> None:
    chance = random.Random(7)
    made: set[Move] = set()

    for _ in range(400):
        policies = {1: random_bands(chance), 2: random_bands(chance)}
        state, at, version = FRESH, 0, 1
        for _ in range(30):
            at += chance.randint(1, 3) * UNIT
            version = chance.choice([version, version, version, 3 - version])
            temperature = chance.choice([*TEMPERATURES, 900, 900, 770, None])
            row = Reading(at, temperature, chance.randint(1, 4) * UNIT, version)
            passed = on_clock(state, at - 1, policies).state
            after = on_reading(passed, row, policies).state
            made |= clock_moves(state, passed) | row_moves(passed, row, after, policies)
            state = after

    ends = {Cause.POLICY_ENDED, Cause.ASSIGNMENT_ENDED}
    assert made == {(one, cause, other) for (one, cause), others in TRANSITIONS.items() for other in others if cause not in ends}
