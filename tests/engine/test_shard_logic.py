"""The adapter around a shard keeps what it was given until there is something newer."""

import pytest

from pipelines.domain.policy import Policy
from pipelines.engine.shard_logic import ShardLogic
from pipelines.engine.source import Flush
from pipelines.engine.terms import Configurations, Policies, Terms


@pytest.fixture
def terms() -> Terms:
    """Terms that nobody asks for."""

    def nothing(_number: int) -> Policy:
        raise AssertionError

    return Terms(Policies(nothing), Configurations(lambda _numbers: {}))


def test_a_stop_before_the_first_batch_keeps_the_state_as_it_was(terms: Terms) -> None:
    logic = ShardLogic(terms, lambda _: -1, b"as it was")

    logic.on_eof()

    assert logic.snapshot() == b"as it was"


def test_a_flush_makes_no_state(terms: Terms) -> None:
    outputs, discarded = ShardLogic(terms, lambda _: -1, None).on_batch([Flush(), Flush()])

    assert list(outputs) == [Flush()]
    assert discarded
