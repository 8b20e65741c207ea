"""What happens to a replay's claim: given back only where the log has surely not taken the record."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import pytest
from confluent_kafka import KafkaError

from api.replays import replaying
from api.replays.ledger import Claim
from api.replays.plan import Planned, Status, planned
from api.replays.replaying import Replays
from pipelines.connectors.errors import Retryable
from tests.api.fake_log import FakeLog
from tests.api.test_replay_plan import FIRST, LETTER, REGISTERED, SOURCE

MSG_TIMED_OUT = -192


class SettledDatabase:
    """Says that the registry was changed long ago."""

    async def row(self, _query: str, _parameters: Any) -> dict[str, int]:
        return {"age_ms": 10_000_000}


class FakeLedger:
    """Keeps what was claimed, given back and placed; fails to place so often first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.released: list[UUID] = []
        self.placed: list[tuple[UUID, int]] = []

    async def claim(self, claims: Sequence[Claim], _by: str) -> set[UUID]:
        return {claim.letter for claim in claims}

    async def place(self, placed: Sequence[tuple[Claim, int, int]]) -> None:
        if self.failures:
            self.failures -= 1
            raise Retryable("away")
        self.placed += [(claim.letter, offset) for claim, _, offset in placed]

    async def release(self, claims: Sequence[Claim]) -> None:
        self.released += [claim.letter for claim in claims]


def written(log: FakeLog, ledger: FakeLedger) -> Planned:
    replays = Replays(cast("Any", SettledDatabase()), cast("Any", ledger), log, cast("Any", None))
    plan = planned([LETTER], SOURCE, REGISTERED, set())
    plans, _ = asyncio.run(replays._write([1], [plan], "ada"))
    return plans[0]


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "ACK_SECONDS", 0.02)
    monkeypatch.setattr(replaying, "PLACE_PAUSES", (0.0, 0.0))


def test_a_record_that_may_still_be_delivered_keeps_its_claim_and_says_to_wait() -> None:
    log, ledger = FakeLog(), FakeLedger()
    log.acknowledges = False

    plan = written(log, ledger)

    assert (plan.status, ledger.released) == (Status.NOT_ACKNOWLEDGED, [])
    assert "wait a minute" in plan.message


def test_a_record_that_ran_out_of_time_within_the_producer_may_have_arrived_too() -> None:
    log, ledger = FakeLog(), FakeLedger()
    log.error = KafkaError(MSG_TIMED_OUT)

    plan = written(log, ledger)

    assert (plan.status, ledger.released) == (Status.NOT_ACKNOWLEDGED, [])


def test_what_the_log_refused_may_be_tried_again_at_once() -> None:
    log, ledger = FakeLog(), FakeLedger()
    log.error = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)

    plan = written(log, ledger)

    assert (plan.status, ledger.released) == (Status.NOT_ACKNOWLEDGED, [FIRST])


def test_a_place_is_written_down_though_the_database_was_away_for_a_moment() -> None:
    ledger = FakeLedger(failures=2)

    plan = written(FakeLog(), ledger)

    assert (plan.status, ledger.placed) == (Status.REPLAYED, [(FIRST, 0)])


def test_a_database_that_stays_away_is_told_to_the_caller() -> None:
    with pytest.raises(Retryable):
        written(FakeLog(), FakeLedger(failures=9))
