"""Who replays a letter: one caller at a time, and a claim whose process died is taken up again."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from api.replays.ledger import Claim, Ledger
from infra.local.local_stack import LocalStack
from pipelines.connectors.errors import Retryable
from pipelines.connectors.timescale import DatabaseConfig
from tests.integration.engine_database import new_database

ONE, TWO = Claim(UUID(int=1), 1, 1), Claim(UUID(int=2), 1, 1)


@pytest.fixture
def database(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """A migrated database."""
    with new_database(stack.database_url) as config:
        yield config


def claimed(database: DatabaseConfig, *claims: Claim) -> set[int]:
    return {found.int for found in asyncio.run(Ledger(database).claim(claims, "ada"))}


def test_a_letter_is_claimed_by_one_caller(database: DatabaseConfig) -> None:
    assert claimed(database, ONE) == {1}

    assert claimed(database, ONE, TWO) == {2}


def test_a_claim_given_back_may_be_taken_again(database: DatabaseConfig) -> None:
    claimed(database, ONE)

    asyncio.run(Ledger(database).release([ONE]))

    assert claimed(database, ONE) == {1}


def test_a_claim_without_a_place_is_taken_up_again_after_a_minute(database: DatabaseConfig) -> None:
    claimed(database, ONE, TWO)
    asyncio.run(Ledger(database).place([(TWO, 5, 77)]))
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE dead_letter_replays SET replayed_at = now() - interval '61 seconds'")

    assert claimed(database, ONE, TWO) == {1}


def test_what_has_its_place_is_not_given_back(database: DatabaseConfig) -> None:
    claimed(database, ONE)
    asyncio.run(Ledger(database).place([(ONE, 5, 77)]))

    asyncio.run(Ledger(database).release([ONE]))

    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT uplink_partition, uplink_offset, replayed_by FROM dead_letter_replays").fetchall()
    assert rows == [(5, 77, "ada")]
    assert claimed(database, Claim(UUID(int=1), 2, 1)) == {1}


def test_a_database_that_is_away_is_said_so() -> None:
    with pytest.raises(Retryable, match="does not answer"):
        asyncio.run(Ledger(DatabaseConfig("postgresql://127.0.0.1:9/nowhere")).claim([ONE], "ada"))
