"""From records of `uplinks` to rows of `readings` and dead letters: parse, decode, stamp. Every uplink gives at least one row.

The only I/O is the registry's, prepared once a batch. A poison message costs its own dead letter and nothing else.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import psycopg

from pipelines.connectors.metrics import DECODE_DEAD_LETTERS, DECODE_READINGS, DECODE_SECONDS, DECODE_UPLINKS
from pipelines.domain.assigning import calibrated, clock_refusal, refusal, sensor_of, unassigned, unregistered
from pipelines.domain.decoders.decode import Decoded, ProbeReading, decode
from pipelines.domain.decoders.message import Rejection, TtnMessage, parse_message
from pipelines.domain.partition_clock import GRACE_MS
from pipelines.domain.registered import Device, Sensor, Stamp
from pipelines.engine.clock_metrics import show_clock
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.registry import AssignmentEnd, Registry, Rejudgement
from pipelines.engine.source import Batch, Record
from pipelines.engine.unsaid import Unsaid
from schemas.dead_letters import DeadLetter
from schemas.readings import ABSENT_I1, ABSENT_I2, PACKED_ROW, ROW, STORED_KINDS, RowFlag, RowKind, Rows
from schemas.reasons import RejectReason, code_of_reason, name_of_code
from schemas.revisions import REASONS
from schemas.topics import UPLINKS
from schemas.uplinks import APPLICATION, ORGANIZATION, RECEIVED_AT, REPLAY_OF, TICK

FLOW: Final = "decode_uplinks"

HUMIDITY_MOST: Final = 10_000
"""Hundredths of a percent."""
MILLIVOLTS_MOST: Final = 32_000
PERCENT_MOST: Final = 100

Row = bytes
"""One row, packed as schemas.readings.ROW."""

pack: Final = PACKED_ROW.pack
FLAGS_AT: Final = ROW.fields["flags"][1] if ROW.fields else 0
"""Where the flags of a packed row stand."""

WITH_READINGS: Final = DECODE_UPLINKS.labels("readings", "none")
OF_KIND: Final = {int(kind): DECODE_READINGS.labels(kind.name.lower()) for kind in STORED_KINDS}
ENDED_AS: Final = {int(kind): kind.name.lower() for kind in (RowKind.HEARD, RowKind.REJECTED, RowKind.UNASSIGNED)}
"""Looked up once: some of them are counted for every batch."""


class Uplink(msgspec.Struct, frozen=True, gc=False):
    """One record of `uplinks`, parsed."""

    record: Record
    organization: int
    application: str
    message: TtnMessage | Rejection
    received_at: int
    """ms UTC: the record's stamp; of a replayed dead letter that of its first record."""
    replay_of: str = ""
    """Id of the dead letter that this replays; empty for what a device sent just now."""
    flags: int = 0
    """What each of its rows says of it."""


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """What a batch of one partition came to."""

    partition: int
    rows: Rows
    letters: list[DeadLetter]


class UplinkDecoder:
    """Decodes batches of one process."""

    def __init__(self, database: Reconnecting) -> None:
        """Take the database that holds the registry."""
        self._database = database
        self._registry = Registry()
        self.unsaid = Unsaid(self._registry)

    def decode(self, batch: Batch) -> DecodedBatch:
        """Return rows and dead letters of records of one partition, in order."""
        with DECODE_SECONDS.time():
            decoded, uplinks = self._decode(batch)
        count(decoded, uplinks)
        return decoded

    def _decode(self, batch: Batch) -> tuple[DecodedBatch, int]:
        """Return what a batch came to, and how many of its records are uplinks."""
        partition, records = batch.partition, batch.records
        uplinks = [parsed(record) for record in records]
        keys = {
            (uplink.organization, uplink.message.dev_eui)
            for uplink in uplinks
            if uplink is not None and isinstance(uplink.message, TtnMessage) and uplink.message.dev_eui is not None
        }
        newest = max(record.stamp for record in records)
        self._database.transact(lambda connection: self._prepare(connection, keys, newest))
        packed: list[Row] = []
        letters: list[DeadLetter] = []
        for record, uplink in zip(records, uplinks, strict=True):
            if uplink is None:
                packed += self._tick_rows(partition, record)
            else:
                rows, rejected = self._rows(uplink)
                packed += rows
                if rejected:
                    letters += [letter_of(uplink, partition, part, rejection) for part, rejection in enumerate(rejected)]
        decoded = DecodedBatch(partition, np.frombuffer(b"".join(packed), dtype=ROW), letters)
        return decoded, sum(uplink is not None for uplink in uplinks)

    def _prepare(self, connection: psycopg.Connection, keys: set[tuple[int, str]], newest_stamp: int) -> None:
        self._registry.prepare(connection, keys, newest_stamp)

    def _tick_rows(self, partition: int, record: Record) -> list[Row]:
        """Return the ends of assignments and the corrections that the clock has passed and no tick has said yet, and the tick.

        Of very many some wait for the next ticks: all rows of a tick have its offset, and stand in one record. Whatever stands behind a
        correction in the log was decoded by one who knows of it.
        """
        ends, again = self.unsaid.said_with(partition, record.stamp - GRACE_MS)
        show_clock(FLOW, partition, self.unsaid.clock(partition))
        beside = [assignment_end_row(record, end) for end in ends] + [rejudgement_row(record, one) for one in again]
        return [*beside, tick_row(record)]

    def _rows(self, uplink: Uplink) -> tuple[list[Row], list[Rejection]]:
        """Return the rows of one uplink, never none, and what of it was rejected."""
        message = uplink.message
        if isinstance(message, TtnMessage):
            refused = refusal(message, uplink.application, uplink.received_at)
            device = None if message.dev_eui is None else self._registry.device((uplink.organization, message.dev_eui))
        else:
            refused, device = message, None
        if refused is not None:
            return [end_row(uplink, RowKind.REJECTED, device, refused.reason)], [refused]
        assert isinstance(message, TtnMessage)
        if device is None:
            missing = unregistered(message.dev_eui)
            return [end_row(uplink, RowKind.UNASSIGNED, None, missing.reason)], [missing]
        decoded = decode(message)
        if decoded.rejection is not None:
            if decoded.rejection.reason is RejectReason.NO_READING:
                return [end_row(uplink, RowKind.HEARD, device, None)], []
            return [end_row(uplink, RowKind.REJECTED, device, decoded.rejection.reason)], [decoded.rejection]
        return stamped_rows(uplink, decoded, device)


def count(decoded: DecodedBatch, uplinks: int) -> None:
    """Count a batch: by what each uplink ended as, its readings by kind, its dead letters by reason."""
    rows = decoded.rows
    ended = 0
    for kind, many in Counter(rows["kind"].tolist()).items():
        if kind in OF_KIND:
            OF_KIND[kind].inc(many)
        elif kind in ENDED_AS:
            ended += many
            for reason, of_reason in Counter(rows["reason"][rows["kind"] == kind].tolist()).items():
                DECODE_UPLINKS.labels(ENDED_AS[kind], name_of_code(reason)).inc(of_reason)
    if uplinks > ended:
        WITH_READINGS.inc(uplinks - ended)
    for name, many in Counter(letter.reason for letter in decoded.letters).items():
        DECODE_DEAD_LETTERS.labels(name).inc(many)


def parsed(record: Record) -> Uplink | None:
    """Return a record's uplink, or None for a tick."""
    organization, application = 0, ""
    received_at, replay_of, flags = record.stamp, "", 0
    for name, value in record.headers:
        if name == TICK:
            return None
        if name == ORGANIZATION and value.isdigit():
            organization = int(value)
        elif name == APPLICATION:
            application = value.decode("utf-8", "replace")
        elif name == RECEIVED_AT and value.isdigit():
            received_at = int(value)
        elif name == REPLAY_OF:
            replay_of, flags = value.decode("ascii", "replace"), int(RowFlag.REPLAYED)
    return Uplink(record, organization, application, parse_message(record.value), received_at, replay_of, flags)


def stamped_rows(uplink: Uplink, decoded: Decoded, device: Device) -> tuple[list[Row], list[Rejection]]:
    """Return the rows of decoded readings under the terms in force when they were measured."""
    rows: list[Row] = []
    rejected: list[Rejection] = []
    for reading in decoded.readings:
        sensor = sensor_of(reading, decoded, device)
        stamp = None if sensor is None else sensor.stamp(reading.measured_at)
        wrong = clock_refusal(reading.measured_at, uplink.received_at) if reading.history else None
        if wrong is not None:
            rejected.append(wrong)
        elif sensor is not None and stamp is not None:
            row, fault = reading_row(uplink, reading, device, sensor, stamp)
            rows.append(row)
            if fault is not None:
                rejected.append(fault)
    if rows:
        if any(one.reason is RejectReason.CLOCK_WRONG for one in rejected):
            rows[0] = marked(rows[0], RowFlag.CLOCK_WRONG)
        return rows, rejected
    if rejected:
        return [end_row(uplink, RowKind.REJECTED, device, rejected[0].reason)], rejected
    if device.sensors and all(reading.secondary for reading in decoded.readings):
        return [end_row(uplink, RowKind.HEARD, device, None)], []
    missing = unassigned(decoded)
    return [end_row(uplink, RowKind.UNASSIGNED, device, missing.reason)], [missing]


def reading_row(uplink: Uplink, reading: ProbeReading, device: Device, sensor: Sensor, stamp: Stamp) -> tuple[Row, Rejection | None]:
    """Return the row of one reading, calibrated, and why its value was not believed, if it was not."""
    temperature, fault, detail = calibrated(reading, stamp.calibration)
    flags = uplink.flags | (int(RowFlag.HISTORY) if reading.history else 0) | (int(RowFlag.CORRECTED) if stamp.is_corrected else 0)
    if reading.battery_guessed:
        flags |= int(RowFlag.BATTERY_GUESSED)
    kind = RowKind.FAULT if fault is not None else RowKind.ANCILLARY if temperature is None else RowKind.READING
    row = pack(
        uplink.record.offset,
        reading.measured_at,
        uplink.received_at,
        sensor.id,
        device.id,
        stamp.unit,
        device.organization,
        stamp.assignment,
        stamp.policy,
        stamp.configuration,
        ABSENT_I2 if temperature is None or fault is not None else temperature,
        within(reading.humidity, HUMIDITY_MOST, ABSENT_I2),
        within(reading.battery_millivolts, MILLIVOLTS_MOST, ABSENT_I2),
        within(reading.battery_percent, PERCENT_MOST, ABSENT_I1),
        ABSENT_I1 if reading.door_open is None else int(reading.door_open),
        int(kind),
        code_of_reason(fault),
        flags,
        0,
    )
    return row, None if fault is None else Rejection(fault, f"probe {reading.probe}: {detail}")


def marked(row: Row, flag: RowFlag) -> Row:
    """Return a row with one more flag."""
    return row[:FLAGS_AT] + bytes([row[FLAGS_AT] | flag]) + row[FLAGS_AT + 1 :]


def within(value: int | None, most: int, absent: int) -> int:
    """Return a value beside the temperature, or that there is none where it is absent or cannot be true."""
    return absent if value is None or not 0 <= value <= most else value


def end_row(uplink: Uplink, kind: RowKind, device: Device | None, reason: RejectReason | None) -> Row:
    """Return the row of an uplink that stores nothing; where the device is known, it was heard."""
    message = uplink.message
    heard_at = message.measured_at if isinstance(message, TtnMessage) else None
    if heard_at is None or clock_refusal(heard_at, uplink.received_at) is not None:
        heard_at = uplink.received_at
    unit = configuration = sensor = policy = 0
    if device is not None:
        for candidate in device.sensors.values():
            stamp = candidate.stamp(heard_at)
            if stamp is not None:
                sensor, unit, configuration, policy = candidate.id, stamp.unit, stamp.configuration, stamp.policy
                break
    return pack(
        uplink.record.offset,
        heard_at,
        uplink.received_at,
        sensor,
        0 if device is None else device.id,
        unit,
        uplink.organization,
        0,
        policy,
        configuration,
        ABSENT_I2,
        ABSENT_I2,
        ABSENT_I2,
        ABSENT_I1,
        ABSENT_I1,
        int(kind),
        code_of_reason(reason),
        uplink.flags,
        0,
    )


def tick_row(record: Record) -> Row:
    """Return the row of a tick."""
    absent = (ABSENT_I2, ABSENT_I2, ABSENT_I2, ABSENT_I1, ABSENT_I1)
    return pack(record.offset, record.stamp, record.stamp, 0, 0, 0, 0, 0, 0, 0, *absent, int(RowKind.TICK), 0, 0, 0)


def assignment_end_row(record: Record, end: AssignmentEnd) -> Row:
    """Return the row that ends an assignment; it stands with its tick, under the tick's offset."""
    absent = (ABSENT_I2, ABSENT_I2, ABSENT_I2, ABSENT_I1, ABSENT_I1)
    place = (end.sensor, end.device, end.unit, end.organization, end.assignment)
    return pack(record.offset, end.at, record.stamp, *place, 0, 0, *absent, int(RowKind.ASSIGNMENT_END), 0, 0, 0)


def rejudgement_row(record: Record, one: Rejudgement) -> Row:
    """Return the row that has a sensor judged again; it stands with its tick, under the tick's offset."""
    absent = (ABSENT_I2, ABSENT_I2, ABSENT_I2, ABSENT_I1, ABSENT_I1)
    place = (one.sensor, one.device, 0, one.organization, 0, 0, 0)
    return pack(record.offset, one.measured_from, record.stamp, *place, *absent, int(RowKind.CORRECTION), REASONS.index(one.reason), 0, 0)


def letter_of(uplink: Uplink, partition: int, part: int, rejection: Rejection) -> DeadLetter:
    """Return the dead letter of something rejected, with the uplink's raw bytes; of a replay the first letter has them."""
    message = uplink.message
    return DeadLetter(
        organization=uplink.organization,
        application=uplink.application,
        kind="unassigned" if rejection.reason is RejectReason.UNASSIGNED else "rejected",
        reason=rejection.reason.value,
        detail=rejection.detail,
        dev_eui=(message.dev_eui or "") if isinstance(message, TtnMessage) else "",
        received_at=uplink.received_at,
        topic=UPLINKS.name,
        partition=partition,
        offset=uplink.record.offset,
        part=part,
        raw=b"" if uplink.replay_of else uplink.record.value,
        replay_of=uplink.replay_of,
    )
