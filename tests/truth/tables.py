"""The tables that detect and revise look at, in memory: every statement of theirs by its text, with transactions that are undone.

A stand-in for PostgreSQL: tests/integration/test_truth_tables.py holds it to the real one. It keeps the constraints that matter: a version is written once, and
a band of a sensor has one open excursion.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from pipelines.domain import corrections as domain
from pipelines.domain.corrections import CorrectionKind
from pipelines.engine import condition_rows, excursion_rows, outbox, partitions_ahead, recorder, reviser, state_rows, stretches
from schemas.readings import ABSENT_I2, STORED_KINDS, RowKind, Rows
from tests.truth.fleet import Correction, Fleet, Said

DONE_STATEMENT: Final = "SELECT partition, position FROM flow_progress WHERE flow = %s"
ADVANCE_BEGINS: Final = "INSERT INTO flow_progress (flow, partition, position) "

StoredRow = tuple[int, int | None, int, int, int, int, int, int]
"""measured_at, temperature, configuration, policy version, unit, organization, assignment, offset: as `stretches` selects them."""

Found = list[tuple[Any, ...]]


@dataclass(slots=True)
class Stored:
    """A row of the hypertable."""

    is_fault: bool
    row: StoredRow


@dataclass(slots=True)
class Kept:
    """What a transaction may change."""

    progress: dict[tuple[str, int], int] = field(default_factory=dict)
    versions: dict[tuple[uuid.UUID, int], dict[str, Any]] = field(default_factory=dict)
    current: dict[uuid.UUID, dict[str, Any]] = field(default_factory=dict)
    running: dict[uuid.UUID, Mapping[str, Any]] = field(default_factory=dict)
    condition_events: set[tuple[uuid.UUID, int]] = field(default_factory=set)
    conditions: dict[uuid.UUID, Mapping[str, Any]] = field(default_factory=dict)
    outbox: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    """By id: flow, cell, organization, site, unit, event, data."""

    def copied(self) -> "Kept":
        """Return what can be put back."""
        return Kept(*(copy(getattr(self, name)) for name in self.__slots__))


class MemoryTables:
    """The database of one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.kept = Kept()
        self.told = 0
        """The newest id that the outbox gave; as a sequence of PostgreSQL it is not undone with a transaction."""
        self.readings: dict[int, dict[int, Stored]] = {}
        self.corrections: dict[int, list[domain.Correction]] = {}
        self._handlers = self._statements()

    def store(self, rows: Rows, partition: int) -> None:
        """Write rows of the topic as store_readings does: the first of an identity stays, but a reading takes an empty row's place."""
        done = self.kept.progress.get(("store_readings", partition), -1)
        for one in rows[rows["offset"] > done]:
            done = max(done, int(one["offset"]))
            if one["kind"] not in STORED_KINDS or one["sensor"] <= 0:
                continue
            temperature = None if one["temperature"] == ABSENT_I2 else int(one["temperature"])
            at, terms = int(one["measured_at"]), ("configuration", "policy", "unit", "organization", "assignment")
            of_sensor = self.readings.setdefault(int(one["sensor"]), {})
            before = of_sensor.get(at)
            if before is not None and (before.row[1] is not None or temperature is None):
                continue
            row = (at, temperature, *(int(one[name]) for name in terms), int(one["offset"]))
            of_sensor[at] = Stored(bool(one["kind"] == RowKind.FAULT), row)  # type: ignore[arg-type]
        self.kept.progress["store_readings", partition] = done

    def begin(self) -> Kept:
        """Begin a transaction, or one within one; return what `undo` puts back."""
        return self.kept.copied()

    def keep(self) -> None:
        """End the newest transaction, and keep what it did."""

    def undo(self, before: Kept) -> None:
        """End the newest transaction as if it had not been."""
        self.kept = before

    def execute(self, statement: str, values: Any) -> tuple[Found, int]:
        """Carry a statement out; return its rows and how many it wrote. An unknown one is an error of the stand-in."""
        handler = self._handlers.get(statement)
        if handler is None:
            assert statement.startswith(ADVANCE_BEGINS), f"tests.truth.tables does not know the statement: {statement}"
            return [], self._advance(values)
        return handler(values) or [], 0

    def _statements(self) -> dict[str, Callable[[Any], Found | None]]:
        return {
            excursion_rows.CURRENT_OF_SENSORS: self._current_of_sensors,
            excursion_rows.TAKEN_OF_SENSORS: self._taken,
            excursion_rows.INSERT_VERSION: self._insert_version,
            excursion_rows.UPSERT_CURRENT: self._upsert_current,
            excursion_rows.UPSERT_RUNNING: self._upsert_running,
            "DELETE FROM current_excursions WHERE excursion_id = ANY(%s)": lambda values: _drop(self.kept.current, values[0]),
            "DELETE FROM open_excursions WHERE excursion_id = ANY(%s)": lambda values: _drop(self.kept.running, values[0]),
            "SELECT pg_advisory_xact_lock(%s, %s)": _nothing,
            partitions_ahead.ENSURE: _nothing,
            reviser.READ_ONLY: _nothing,
            DONE_STATEMENT: lambda values: self._done(values[0]),
            stretches.STORED: lambda _: self._done("store_readings"),
            stretches.BEFORE: self._before,
            stretches.UP_TO: lambda v: [row for row in reversed(self._rows(v)) if row[0] <= v["at"]][: v["most"]],
            stretches.BETWEEN: lambda v: [row for row in self._rows(v) if v["start"] <= row[0] <= v["end"]],
            stretches.AFTER: self._after,
            stretches.FIRST_AFTER: lambda v: self._after(v)[: v["most"]],
            stretches.FIRST_OF_ASSIGNMENT: lambda v: _one(min, (row[0] for row in self._of_assignment(v) if row[0] < v["at"])),
            stretches.STRETCHES: lambda v: self._stretches(v["sensor"]),
            stretches.APPLIED: _none_at_all,
            stretches.ENDS: lambda v: list(self._fleet.ends_of(v["sensor"]).items()),
            condition_rows.STANDING: self._standing_conditions,
            condition_rows.VERSIONS: self._condition_versions,
            condition_rows.INSERT: self._insert_condition,
            condition_rows.OPEN: self._open_condition,
            condition_rows.CLOSE: lambda values: _drop(self.kept.conditions, [values["id"]]),
            state_rows.INSERT_CONDITION: self._insert_condition,
            state_rows.OPEN_CONDITION: self._open_condition,
            state_rows.LEFT_UNITS: _nothing,
            state_rows.UPSERT_STATES: _nothing,
            recorder.STATES_OF_UNITS: _nothing,
            "SELECT site_id FROM units WHERE id = %s": lambda _: [(1,)],
            outbox.INSERT: self._tell,
            outbox.LEFT_BEHIND: self._left_behind,
            "DELETE FROM outbox WHERE id = ANY(%s)": lambda values: _drop(self.kept.outbox, values[0]),
        }

    def correct(self, correction: Correction) -> None:
        """Let a correction lie over what is stored, and over what comes yet: painted by the product's own rule."""
        kind = {Said.CALIBRATION: CorrectionKind.CALIBRATION, Said.FLAG: CorrectionKind.FLAG, Said.DELETE: CorrectionKind.DELETE}
        several = self.corrections.setdefault(correction.sensor, [])
        number, since, until = len(several) + 1, correction.since, correction.until
        several.append(domain.Correction(number, kind[correction.said], since, until, calibration=correction.offset))

    def _stretches(self, sensor: int) -> Found:
        return [
            (one.since, one.until, None if one.mark is None else one.mark.value, one.calibration, one.unit, one.assignment, one.policy)
            for one in domain.stretches_of(self.corrections.get(sensor, []), (), {})
        ]

    def _done(self, flow: str) -> Found:
        return [(partition, position) for (name, partition), position in self.kept.progress.items() if name == flow]

    def _advance(self, values: Mapping[str, Any]) -> int:
        written = 0
        for partition, position, before in zip(values["partitions"], values["positions"], values["before"], strict=True):
            known = self.kept.progress.get((values["flow"], partition))
            if known is None or known == before < position:
                self.kept.progress[values["flow"], partition] = position
                written += 1
        return written

    def _current_of_sensors(self, values: Sequence[Any]) -> Found:
        sensors, closed_from = values
        found = []
        for current in self.kept.current.values():
            if current["sensor"] not in sensors or (current["closed_at"] is not None and current["closed_at"] < closed_from):
                continue
            version = self.kept.versions[current["id"], current["version"]]
            found.append(tuple((version if name in OF_VERSION else current)[name] for name in CURRENT_COLUMNS))
        return found

    def _taken(self, values: Mapping[str, Any]) -> Found:
        return [(one["id"],) for one in self.kept.versions.values() if one["sensor"] in values["sensors"]]

    def _insert_version(self, values: Mapping[str, Any]) -> None:
        key = (values["id"], values["version"])
        assert key not in self.kept.versions, f"version {key} is written twice"
        self.kept.versions[key] = dict(values)

    def _upsert_current(self, values: Mapping[str, Any]) -> None:
        before = self.kept.current.get(values["id"])
        after = dict(values) if before is None else before | {name: values[name] for name in UPDATED}
        if after["closed_at"] is None:
            for other in self.kept.current.values():
                is_same = other["id"] == after["id"]
                of_band = (other["sensor"], other["band"]) == (after["sensor"], after["band"])
                assert is_same or not of_band or other["closed_at"] is not None, f"band {after['band']} has two open excursions"
        self.kept.current[values["id"]] = after

    def _upsert_running(self, values: Mapping[str, Any]) -> None:
        self.kept.running[values["id"]] = values

    def _rows(self, values: Mapping[str, Any]) -> list[StoredRow]:
        """Return the rows that count for judging, in order: a row without a temperature and without a fault does not."""
        of_sensor = self.readings.get(values["sensor"], {})
        stored = (of_sensor[at] for at in sorted(of_sensor))
        return [one.row for one in stored if one.row[7] <= values["offset"] and counts(one)]

    def _before(self, values: Mapping[str, Any]) -> Found:
        return [row for row in reversed(self._rows(values)) if row[0] < values["at"]][: values["most"]]

    def _after(self, values: Mapping[str, Any]) -> Found:
        return [row for row in self._rows(values) if row[0] > values["at"]]

    def _of_assignment(self, values: Mapping[str, Any]) -> list[StoredRow]:
        return [row for row in self._rows(values) if row[6] == values["assignment"]]

    def _standing_conditions(self, values: Mapping[str, Any]) -> Found:
        columns = ("id", "device", "sensor", "kind", "band", "alert", "unit", "organization", "started_at", "opened_at")
        return [
            (*(one[name] for name in columns), one["detail"].obj)
            for one in self.kept.conditions.values()
            if one["device"] in values["devices"] or one["sensor"] in values["sensors"]
        ]

    def _condition_versions(self, values: Mapping[str, Any]) -> Found:
        newest = dict(sorted(self.kept.condition_events))
        return [(identity, version) for identity, version in newest.items() if identity in values["ids"]]

    def _insert_condition(self, values: Mapping[str, Any]) -> None:
        key = (values["id"], values["version"])
        assert key not in self.kept.condition_events, f"version {key} of a condition is written twice"
        self.kept.condition_events.add(key)

    def _open_condition(self, values: Mapping[str, Any]) -> None:
        of = ("device", "sensor", "kind", "band")
        assert all(any(one[name] != values[name] for name in of) for one in self.kept.conditions.values()), "a condition is open twice"
        self.kept.conditions[values["id"]] = values

    def _tell(self, values: Sequence[Any]) -> Found:
        self.told += 1
        self.kept.outbox[self.told] = tuple(values)
        return [(self.told,)]

    def _left_behind(self, values: Mapping[str, Any]) -> Found:
        rows = [(number, *row[2:6], _text(row[6])) for number, row in self.kept.outbox.items() if row[0] == values["flow"]]
        return rows[: values["most"]]


CURRENT_COLUMNS: Final = (
    *(
        "id",
        "version",
        "first_started_at",
        "late",
        "sensor",
        "device",
        "unit",
        "organization",
        "policy",
        "band",
        "side",
        "severity",
        "limit",
    ),
    *("started_at", "opened_at", "ended_at", "closed_at", "ended_by", "kind", "window", "offset"),
    *("peak", "mean", "degree_minutes", "exposure", "known", "unknown", "samples", "largest_gap"),
)
"""In the order of excursion_rows.CURRENT_OF_SENSORS."""

OF_VERSION: Final = frozenset(CURRENT_COLUMNS[-9:])
"""Of them, those of the newest version."""

UPDATED: Final = (
    *("version", "unit", "severity", "limit", "policy"),
    *("started_at", "opened_at", "ended_at", "closed_at", "ended_by", "late"),
)
"""What excursion_rows.UPSERT_CURRENT changes of one that is there."""


def counts(stored: Stored) -> bool:
    """Tell whether a row of the hypertable is selected by `stretches`."""
    return stored.row[1] is not None or stored.is_fault


def _nothing(_values: Any) -> None:
    return None


def _none_at_all(_values: Any) -> Found:
    return []


def _drop(table: dict[Any, Any], keys: Sequence[Any]) -> None:
    for key in keys:
        table.pop(key, None)


def _one(choose: Callable[..., int], instants: Any) -> Found:
    return [(choose(instants, default=None),)]


def _text(document: Any) -> str:
    return msgspec.json.encode(document.obj).decode()
