"""decode_uplinks' step over a real registry: every uplink gives a row, stamped with the terms in force when it was measured."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.decoding import DecodedBatch, UplinkDecoder
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.source import Batch, Record
from pipelines.engine.stop import StopFlag
from pipelines.engine.writers import pieces
from schemas.partitions import device_partition
from schemas.readings import ABSENT_I2, RowFlag, RowKind
from schemas.reasons import CODES, RejectReason
from schemas.revisions import REASONS
from schemas.uplinks import replay_headers, tick_headers, uplink_headers
from tests.integration.engine_database import fill_registry, new_database

AT = 1_790_000_000_000
MEASURED = "2026-09-21T14:13:20.250Z"
EUI = "70B3D50000000001"
PARTITION = device_partition(EUI)


@pytest.fixture
def database(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """A migrated database with one sensor."""
    with new_database(stack.database_url) as config:
        fill_registry(config)
        yield config


def uplink(offset: int, payload: object, *, eui: str = EUI, application: str = "app", measured: str = MEASURED, **fields: Any) -> Record:
    """Return a record of `uplinks` as ingest writes it."""
    ids = {"dev_eui": eui, "application_ids": {"application_id": application}}
    message = {
        "f_port": 2,
        "decoded_payload": payload,
        "received_at": measured,
        "version_ids": {"brand_id": "dragino", "model_id": "lht65"},
    }
    body = {"end_device_ids": ids, "uplink_message": {**message, **fields}}
    return Record(offset, AT, [*uplink_headers(1, "app")], json.dumps(body).encode())


def decoded(database: DatabaseConfig, *records: Record) -> DecodedBatch:
    """Decode records with a decoder of their own."""
    return UplinkDecoder(Reconnecting(database, "decode_uplinks", StopFlag())).decode(Batch(PARTITION, list(records)))


def run(database: DatabaseConfig, statement: str) -> None:
    """Change the registry."""
    with psycopg.connect(database.url) as connection:
        connection.execute(statement)


def test_a_reading_carries_its_judgements_terms(database: DatabaseConfig) -> None:
    batch = decoded(database, uplink(7, {"TempC_DS": 4.31, "TempC_SHT": 21.0, "BatV": 3.05}))

    (row,) = batch.rows
    assert (row["kind"], row["temperature"], row["battery_millivolts"]) == (RowKind.READING, 431, 3_050)
    assert (row["offset"], row["received_at"], row["measured_at"]) == (7, AT, AT + 250)
    names = ("sensor", "device", "unit", "organization", "assignment", "policy", "configuration")
    assert [int(row[name]) for name in names] == [1] * 7


def test_an_unplugged_external_probe_is_a_fault_of_the_main_sensor_and_a_dead_letter(database: DatabaseConfig) -> None:
    batch = decoded(database, uplink(0, {"TempC_DS": 327.67, "TempC_SHT": 21.0}))

    (row,) = batch.rows
    assert (row["kind"], row["temperature"], row["reason"]) == (RowKind.FAULT, ABSENT_I2, CODES[RejectReason.SENTINEL])
    assert [(letter.kind, letter.reason, letter.dev_eui) for letter in batch.letters] == [("rejected", "sentinel", EUI)]


@pytest.mark.parametrize(
    ("record", "kind", "reason"),
    [
        (uplink(0, {"TempC_DS": 4}, eui="70B3D500000000FF"), RowKind.UNASSIGNED, RejectReason.UNASSIGNED),
        (uplink(0, {"TempC_DS": 4}, application="other"), RowKind.REJECTED, RejectReason.FOREIGN_APPLICATION),
        (uplink(0, {"TempC_DS": 4}, measured="2026-08-01T00:00:00Z"), RowKind.REJECTED, RejectReason.CLOCK_WRONG),
        (uplink(0, {"TempC_DS": 4}, measured="2026-09-21T15:00:00Z"), RowKind.REJECTED, RejectReason.CLOCK_WRONG),
        (uplink(0, None, frm_payload="AQID"), RowKind.REJECTED, RejectReason.DECODER_FAILED),
        (Record(0, AT, uplink_headers(1, "app"), b"{not json"), RowKind.REJECTED, RejectReason.NOT_JSON),
    ],
)
def test_what_cannot_be_used_is_one_row_and_one_dead_letter_with_its_raw_bytes(
    database: DatabaseConfig, record: Record, kind: RowKind, reason: RejectReason
) -> None:
    batch = decoded(database, record)

    assert [(row["kind"], row["reason"]) for row in batch.rows] == [(kind, CODES[reason])]
    assert [(letter.reason, letter.raw) for letter in batch.letters] == [(reason.value, record.value)]


def test_a_status_frame_says_that_the_device_was_heard(database: DatabaseConfig) -> None:
    batch = decoded(database, uplink(0, {"Firmware_Version": "1.2"}))

    (row,) = batch.rows
    assert (row["kind"], row["device"], row["configuration"]) == (RowKind.HEARD, 1, 1)
    assert batch.letters == []


def test_a_later_version_is_in_force_from_its_instant_on_and_not_before(database: DatabaseConfig) -> None:
    run(
        database,
        "INSERT INTO sensor_configurations (organization_id, sensor_id, effective_at, calibration_hundredths, expected_interval_ms, "
        "max_gap_ms, offline_after_ms) VALUES (1, 1, '2026-09-21T14:13:30Z', -50, 1000, 3000, 60000)",
    )

    batch = decoded(database, uplink(0, {"TempC_DS": 4}), uplink(1, {"TempC_DS": 4}, measured="2026-09-21T14:13:30Z"))

    assert batch.rows["configuration"].tolist() == [1, 2]
    assert batch.rows["temperature"].tolist() == [400, 350]


def test_a_registered_probe_name_takes_its_own_reading(database: DatabaseConfig) -> None:
    run(database, "INSERT INTO sensors (organization_id, device_id, probe) VALUES (1, 1, 'ambient')")
    run(database, "INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from) VALUES (1, 2, 1, '2020-01-01')")

    batch = decoded(database, uplink(0, {"TempC_DS": 4, "TempC_SHT": 21}))

    assert dict(zip(batch.rows["sensor"].tolist(), batch.rows["temperature"].tolist(), strict=True)) == {1: 400, 2: 2_100}


def test_a_tick_is_a_row_and_the_end_of_an_assignment_stands_before_it(database: DatabaseConfig) -> None:
    run(database, "UPDATE assignments SET valid_to = date_trunc('second', now()) - interval '1 minute'")
    with psycopg.connect(database.url) as connection:
        (ended_at,) = connection.execute("SELECT (extract(epoch FROM valid_to) * 1000)::bigint FROM assignments").fetchone() or (0,)
    stamp = int(ended_at) + 60_000

    batch = decoded(database, Record(3, stamp, tick_headers("api"), b""))

    assert batch.rows["kind"].tolist() == [RowKind.ASSIGNMENT_END, RowKind.TICK]
    assert batch.rows["measured_at"].tolist() == [ended_at, stamp]
    assert batch.rows["offset"].tolist() == [3, 3]


def test_ends_within_one_millisecond_are_said_once_whatever_their_order_within_it(database: DatabaseConfig) -> None:
    run(
        database,
        """
        UPDATE assignments SET valid_to = date_trunc('second', now()) - interval '1 minute' + interval '200 microseconds';
        INSERT INTO sensors (organization_id, device_id, probe) VALUES (1, 1, 'ambient');
        INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from, valid_to)
        SELECT 1, 2, 1, '2020-01-01', valid_to - interval '100 microseconds' FROM assignments
        """,
    )
    with psycopg.connect(database.url) as connection:
        (now,) = connection.execute("SELECT (extract(epoch FROM now()) * 1000)::bigint").fetchone() or (0,)
    decoder = UplinkDecoder(Reconnecting(database, "decode_uplinks", StopFlag()))

    ticks = [Record(offset, int(now) + 1_000 * offset, tick_headers("api"), b"") for offset in range(3)]
    said = [decoder.decode(Batch(PARTITION, [tick])).rows["sensor"].tolist() for tick in ticks]

    assert said == [[1, 2, 0], [0], [0]]


def test_a_device_registered_later_is_found_when_time_has_moved_on(database: DatabaseConfig) -> None:
    decoder = UplinkDecoder(Reconnecting(database, "decode_uplinks", StopFlag()))
    unknown = "70B3D500000000FF"
    first = decoder.decode(Batch(PARTITION, [uplink(0, {"TempC_DS": 4}, eui=unknown)]))
    run(database, f"INSERT INTO devices (organization_id, dev_eui) VALUES (1, '{unknown}')")
    with psycopg.connect(database.url) as connection:
        (now,) = connection.execute("SELECT (extract(epoch FROM now()) * 1000)::bigint").fetchone() or (0,)

    later = Record(1, int(now) + 60_000, uplink_headers(1, "app"), uplink(1, {"TempC_DS": 4}, eui=unknown).value)
    second = decoder.decode(Batch(PARTITION, [later]))

    assert first.rows["device"].tolist() == [0]
    assert second.rows["device"].tolist() == [2]


def replayed(offset: int, payload: object, *, received_at: int, **fields: Any) -> Record:
    """Return an uplink that first came at an instant, written again a year later."""
    first = uplink(offset, payload, **fields)
    headers = replay_headers(1, "app", replay_of=LETTER, received_at=received_at)
    return Record(offset, AT + 365 * 86_400_000, headers, first.value)


LETTER = "07a89c77-5bc5-5435-8bf3-2d40a84b08c0"


def test_a_replayed_uplink_is_judged_by_when_it_first_came_and_not_by_its_new_stamp(database: DatabaseConfig) -> None:
    batch = decoded(database, replayed(9, {"TempC_DS": 4.31}, received_at=AT))

    (row,) = batch.rows
    assert (row["kind"], row["temperature"], row["measured_at"], row["received_at"]) == (RowKind.READING, 431, AT + 250, AT)
    assert (row["offset"], row["flags"]) == (9, RowFlag.REPLAYED)


def test_an_event_time_that_falls_back_is_that_of_the_first_reception(database: DatabaseConfig) -> None:
    batch = decoded(database, replayed(9, {"TempC_DS": 4}, received_at=AT, measured="2026-08-01T00:00:00Z"))

    assert batch.rows["measured_at"].tolist() == [AT]
    assert batch.rows["reason"].tolist() == [CODES[RejectReason.CLOCK_WRONG]]


def test_a_replay_that_fails_again_refers_to_the_first_letter_and_keeps_no_second_copy(database: DatabaseConfig) -> None:
    batch = decoded(database, replayed(9, {"TempC_DS": 4}, received_at=AT, eui="70B3D500000000FF"))

    (letter,) = batch.letters
    assert (letter.reason, letter.replay_of, letter.received_at, letter.raw) == ("unassigned", LETTER, AT, b"")
    assert batch.rows["flags"].tolist() == [RowFlag.REPLAYED]


def test_a_correction_stands_before_the_tick_at_which_it_holds_and_what_is_measured_in_it_is_marked(database: DatabaseConfig) -> None:
    run(
        database,
        """
        INSERT INTO corrections (organization_id, kind, sensor_id, starts_at, ends_at, made_by, comment)
        VALUES (1, 'flag', 1, '2026-09-21T14:13:00Z', '2026-09-21T14:13:30Z', 'ada', 'x');
        INSERT INTO corrected_stretches (sensor_id, starts_at, ends_at, organization_id, mark)
        SELECT sensor_id, starts_at, ends_at, organization_id, 'flagged' FROM corrections;
        INSERT INTO rejudgements (organization_id, correction_id, sensor_id, measured_from, effective_at, reason)
        SELECT 1, id, 1, starts_at, date_trunc('second', now()), 'correction' FROM corrections
        """,
    )
    with psycopg.connect(database.url) as connection:
        (holds_at,) = connection.execute("SELECT (extract(epoch FROM effective_at) * 1000)::bigint FROM rejudgements").fetchone() or (0,)
    inside, behind = uplink(0, {"TempC_DS": 4}), uplink(1, {"TempC_DS": 4}, measured="2026-09-21T14:13:30Z")

    batch = decoded(database, inside, behind, Record(2, int(holds_at) + 2_000, tick_headers("api"), b""))

    assert batch.rows["flags"].tolist() == [RowFlag.CORRECTED, 0, 0, 0]
    assert batch.rows["kind"].tolist() == [RowKind.READING, RowKind.READING, RowKind.CORRECTION, RowKind.TICK]
    correction = batch.rows[2]
    assert [int(correction[name]) for name in ("offset", "sensor", "device", "organization")] == [2, 1, 1, 1]
    assert (REASONS[correction["reason"]], int(correction["measured_at"])) == ("correction", AT - 20_000)


def test_a_sensor_corrected_over_and_over_in_a_day_is_one_row_at_the_first_tick_after_a_start(database: DatabaseConfig) -> None:
    run(
        database,
        """
        INSERT INTO corrections (organization_id, kind, sensor_id, starts_at, ends_at, made_by, comment)
        VALUES (1, 'flag', 1, '2026-09-21T14:13:00Z', '2026-09-21T14:13:30Z', 'ada', 'x');
        INSERT INTO rejudgements (organization_id, correction_id, sensor_id, measured_from, effective_at, reason)
        SELECT 1, id, 1, starts_at, now() - n * interval '1 second', 'correction' FROM corrections, generate_series(1, 8200) n
        """,
    )
    with psycopg.connect(database.url) as connection:
        (now,) = connection.execute("SELECT (extract(epoch FROM now()) * 1000)::bigint").fetchone() or (0,)

    batch = decoded(database, Record(2, int(now) + 2_000, tick_headers("api"), b""))

    assert batch.rows["kind"].tolist() == [RowKind.CORRECTION, RowKind.TICK]
    assert len(pieces(batch.rows)) == 1
