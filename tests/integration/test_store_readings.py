"""The hypertable's writer: once, the first stays, a reading takes a fault mark's place, and every uplink has one end."""

from collections.abc import Iterator

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.reading_store import ReadingStore
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.source import Batch, Record
from pipelines.engine.stop import StopFlag
from schemas.readings import RowFlag, RowKind, Rows, blank_rows, encode_rows
from tests.integration.engine_database import fill_registry, new_database

PARTITION = 5
AT = 1_790_000_000_000
MINUTE = 60_000


@pytest.fixture
def database(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """A migrated database with one sensor."""
    with new_database(stack.database_url) as config:
        fill_registry(config)
        yield config


def reading_store(database: DatabaseConfig) -> ReadingStore:
    """Return a store that publishes nothing."""
    return ReadingStore(Reconnecting(database, "store_readings", StopFlag()), None)


def row(offset: int, minute: int, temperature: int | None = 400, kind: RowKind = RowKind.READING) -> Rows:
    """Return one row of sensor 1."""
    rows = blank_rows(1)
    rows["offset"], rows["measured_at"], rows["received_at"] = offset, AT + minute * MINUTE, AT + minute * MINUTE + 150
    rows["sensor"] = rows["device"] = rows["unit"] = rows["organization"] = rows["assignment"] = 1
    rows["policy"] = rows["configuration"] = 1
    rows["kind"] = kind
    if temperature is not None:
        rows["temperature"] = temperature
    if kind is RowKind.FAULT:
        rows["reason"] = 33
    return rows


def batch(*rows: Rows) -> Batch:
    """Return rows as one record each."""
    return Batch(PARTITION, [Record(place, AT, [], encode_rows(one)) for place, one in enumerate(rows)])


def store(writer: ReadingStore, *rows: Rows) -> None:
    """Write rows and make sure of them."""
    writer.write([batch(*rows)])
    writer.flush()


def stored(database: DatabaseConfig) -> list[tuple[int, int | None, bool]]:
    """Return (minute, temperature, late) of everything stored."""
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "SELECT (extract(epoch FROM measured_at) * 1000)::bigint, temperature, late FROM readings ORDER BY 1"
        ).fetchall()
    return [((at - AT) // MINUTE, temperature, late) for at, temperature, late in rows]


def ends(database: DatabaseConfig) -> dict[str, int]:
    """Return how many uplinks ended how."""
    with psycopg.connect(database.url) as connection:
        return dict(connection.execute("SELECT ended_as, sum(uplinks)::int FROM uplink_ends GROUP BY 1").fetchall())


def test_rows_written_again_after_a_restart_are_stored_and_counted_once(database: DatabaseConfig) -> None:
    store(reading_store(database), row(0, 0), row(1, 5))

    store(reading_store(database), row(0, 0), row(1, 5), row(2, 10))

    assert stored(database) == [(0, 400, False), (5, 400, False), (10, 400, False)]
    assert ends(database) == {"stored": 3}


def test_the_same_reading_in_another_uplink_is_a_duplicate_and_the_first_value_stays(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 0, 400))

    store(writer, row(1, 0, 400), row(2, 0, 750), row(3, 5, 410))

    assert stored(database) == [(0, 400, False), (5, 410, False)]
    assert ends(database) == {"stored": 2, "duplicate": 2}


def test_a_duplicate_with_another_value_is_kept_as_a_dead_letter(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 0, 400))

    store(writer, row(1, 0, 750))

    with psycopg.connect(database.url) as connection:
        letters = connection.execute("SELECT reason, dev_eui, uplink_partition, uplink_offset, detail FROM dead_letters").fetchall()
    assert [letter[:4] for letter in letters] == [("conflicting_duplicate", "70B3D50000000001", PARTITION, 1)]
    assert "measured 7.50, and 4.00 is stored already" in letters[0][4]


def test_two_values_for_one_time_in_one_batch_keep_the_first_and_a_dead_letter_of_the_other(database: DatabaseConfig) -> None:
    writer = reading_store(database)

    store(writer, row(0, 0, 400), row(1, 0, 400), row(2, 0, 750), row(3, 5, 410))

    assert stored(database) == [(0, 400, False), (5, 410, False)]
    assert ends(database) == {"stored": 2, "duplicate": 2}
    with psycopg.connect(database.url) as connection:
        letters = connection.execute("SELECT reason, uplink_partition, uplink_offset, detail FROM dead_letters").fetchall()
    assert [letter[:3] for letter in letters] == [("conflicting_duplicate", PARTITION, 2)]
    assert "measured 7.50, and 4.00 is stored already" in letters[0][3]


def test_three_values_for_one_time_leave_a_dead_letter_for_each_that_is_not_the_stored_one(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 0, 400))

    store(writer, row(1, 0, 500), row(2, 0, 750), row(3, 0, 400))

    assert stored(database) == [(0, 400, False)]
    with psycopg.connect(database.url) as connection:
        letters = connection.execute("SELECT uplink_offset FROM dead_letters ORDER BY 1").fetchall()
    assert letters == [(1,), (2,)]


def test_a_reading_takes_the_place_of_a_fault_mark_of_the_same_time(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 0, None, RowKind.FAULT))
    assert stored(database) == [(0, None, False)]

    store(writer, row(1, 0, 420))

    assert stored(database) == [(0, 420, False)]
    assert ends(database) == {"rejected": 1, "stored": 1}


def test_a_reading_older_than_the_newest_is_stored_and_marked_late_and_is_not_the_latest(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 10, 500))

    store(writer, row(1, 5, 900))

    assert stored(database) == [(5, 900, True), (10, 500, False)]
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT temperature FROM latest_readings").fetchone() == (500,)


def test_a_frame_without_a_temperature_hides_no_reading_of_the_same_commit_and_makes_none_late(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    battery = row(1, 2, None, RowKind.ANCILLARY)
    battery["battery_millivolts"] = 3_050

    store(writer, row(0, 0, 400), battery)
    store(writer, row(2, 1, 410))

    assert [one for one in stored(database) if one[1] is not None] == [(0, 400, False), (1, 410, False)]
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT temperature, battery_millivolts FROM latest_readings").fetchone() == (410, 3_050)


def test_every_kind_of_uplink_has_its_one_end_and_ticks_have_none(database: DatabaseConfig) -> None:
    writer = reading_store(database)

    store(
        writer,
        row(0, 0),
        row(1, 1, None, RowKind.HEARD),
        row(2, 2, None, RowKind.REJECTED),
        row(3, 3, None, RowKind.UNASSIGNED),
        row(4, 4, None, RowKind.TICK),
        row(5, 5, None, RowKind.ASSIGNMENT_END),
        row(6, 6, None, RowKind.FAULT),
        row(7, 7, None, RowKind.ANCILLARY),
    )

    assert ends(database) == {"stored": 2, "no_reading": 1, "rejected": 2, "unassigned": 1}


def test_months_old_readings_find_their_partition(database: DatabaseConfig) -> None:
    store(reading_store(database), row(0, -200 * 24 * 60))

    assert stored(database) == [(-200 * 24 * 60, 400, False)]


def test_a_second_process_on_the_same_partition_is_fenced_off(database: DatabaseConfig) -> None:
    one, other = reading_store(database), reading_store(database)
    store(one, row(0, 0))
    store(other, row(1, 5))

    with pytest.raises(Misconfigured, match="another process has written"):
        store(one, row(2, 10))


def test_a_restarted_database_costs_nothing(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 0))
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'store_readings' AND datname = current_database()",
        )

    store(writer, row(1, 5))

    assert stored(database) == [(0, 400, False), (5, 400, False)]
    assert ends(database) == {"stored": 2}


def replayed(one: Rows) -> Rows:
    """Return the row of an uplink that is a dead letter's, written again."""
    again = one.copy()
    again["flags"] = RowFlag.REPLAYED
    return again


def query(database: DatabaseConfig, statement: str) -> list[tuple[object, ...]]:
    """Return what a query finds."""
    with psycopg.connect(database.url) as connection:
        return connection.execute(statement).fetchall()


def test_a_replayed_uplink_is_counted_apart_and_its_end_is_known_by_its_place(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 5), row(1, 0, None, RowKind.UNASSIGNED))

    store(writer, replayed(row(2, 0)), replayed(row(3, 5)), replayed(row(4, 6, None, RowKind.UNASSIGNED)))

    assert ends(database) == {"stored": 1, "unassigned": 1, "duplicate": 0}
    assert query(database, "SELECT ended_as, sum(replayed)::int FROM uplink_ends GROUP BY 1 ORDER BY 1") == [
        ("duplicate", 1),
        ("stored", 1),
        ("unassigned", 1),
    ]
    assert query(database, "SELECT uplink_offset::int, ended_as, readings FROM replay_ends ORDER BY 1") == [
        (2, "stored", 1),
        (3, "duplicate", 0),
        (4, "unassigned", 0),
    ]
    assert stored(database) == [(0, 400, True), (5, 400, False)]


def test_a_replay_that_differs_from_what_is_stored_makes_no_second_letter(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 0, 400))

    store(writer, replayed(row(1, 0, 750)))
    store(writer, row(2, 0, 760))

    assert query(database, "SELECT uplink_offset::int FROM dead_letters") == [(2,)]


def test_what_left_neither_a_reading_nor_a_letter_is_known_by_its_device(database: DatabaseConfig) -> None:
    writer = reading_store(database)
    store(writer, row(0, 0), row(1, 1, None, RowKind.HEARD), row(2, 2, None, RowKind.FAULT))

    store(writer, row(3, 3, None, RowKind.HEARD), row(4, 0), replayed(row(5, 9, None, RowKind.HEARD)))

    known = query(
        database,
        "SELECT ended_as, uplinks::int, (extract(epoch FROM last_at) * 1000)::bigint FROM device_ends WHERE device_id = 1 ORDER BY 1",
    )
    assert known == [
        ("duplicate", 1, AT + 150),
        ("no_reading", 2, AT + 3 * MINUTE + 150),
    ]
