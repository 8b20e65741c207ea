"""Snapshots of small shards in every shipped version, and what they load as: every later version of the code must load them."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from pipelines.engine.shard import SUSTAINED_VERSION, KeptConditions, Shard, Snapshot, read_snapshot
from pipelines.engine.shard_table import CONDITION, DEVICE, FROZEN, LONG_AGO, PROBE, SENSOR
from schemas.readings import encode_rows
from tests.engine.random_log import CONDITIONED, STEP_MS, SUSTAINED, WINDOWED, random_log, terms, with_conditions

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Kept:
    """A checked-in snapshot: its version, the log it is of, and how many rows of it; a restarted shard goes on with the rest."""

    name: str
    version: int
    seed: int
    sensors: int
    rows: int
    versions: tuple[int, int] = SUSTAINED
    """Of the policies in its log."""
    disorder: bool = False
    """Whether readings come late, so that sensors wait for a revision."""
    conditions: bool = False
    """Whether its rows tell of batteries, doors and rejected times."""

    @property
    def file(self) -> Path:
        """Return where its bytes are."""
        return FOLDER / f"{self.name}.bin"

    @property
    def loads_as(self) -> Path:
        """Return where it is written down what they load as."""
        return FOLDER / f"{self.name}.json"

    def records(self) -> list[bytes]:
        """Return two random logs, the second behind the first, a row a record."""
        first, second = (
            random_log(seed, sensors=self.sensors, versions=self.versions, disorder=self.disorder).rows
            for seed in (self.seed, self.seed + 1)
        )
        if self.conditions:
            with_conditions(first, self.seed), with_conditions(second, self.seed + 1)
        last, start = first[-1], second[0]
        for name in ("measured_at", "received_at"):
            shift = int(last[name][0] - start[name][0]) + STEP_MS
            for row in second:
                row[name] += shift
        for row in second:
            row["offset"] += len(first)
        return [encode_rows(row) for row in first + second]


QUIET: Final = Kept("shard_snapshot_v1", 1, seed=7, sensors=4, rows=120)
RUNS: Final = Kept("shard_snapshot_v1_runs", 1, seed=8, sensors=8, rows=381)
"""With a run in every state, and a device that is offline."""

PACKED: Final = Kept("shard_snapshot_v2", 2, seed=7, sensors=4, rows=120)
PACKED_RUNS: Final = Kept("shard_snapshot_v2_runs", 2, seed=8, sensors=8, rows=381)

WINDOWS: Final = Kept("shard_snapshot_v3", 3, seed=9, sensors=12, rows=200, versions=WINDOWED)
"""With bands of every kind, each idle and with an open excursion."""

WAITING: Final = Kept("shard_snapshot_v4", 4, seed=9, sensors=4, rows=120, versions=WINDOWED, disorder=True)
"""With sensors that wait for a revision, and rows that came of them meanwhile."""

CONDITIONS: Final = Kept("shard_snapshot_v5", 5, seed=16, sensors=12, rows=250, versions=CONDITIONED, conditions=True)
"""With conditions of every kind, in every state."""

VARYING: Final = replace(CONDITIONS, name="shard_snapshot_v5_varying", seed=17, conditions=False)
"""With what is known of how quiet sensors vary in columns of its own: the first snapshots of this version had it among the watched."""

PROBES: Final = replace(CONDITIONS, name="shard_snapshot_v6", version=6)
"""With the probes of devices, and rejections with when they are forgotten."""

SNAPSHOTS: Final = (QUIET, RUNS, PACKED, PACKED_RUNS, WINDOWS, WAITING, CONDITIONS, VARYING, PROBES)

FIELDS_OF_SUSTAINED: Final = 5
"""Of a machine state before version 3: those that came later are empty there."""

FIELDS_OF_QUESTIONED: Final = 2
"""Of rejections up to version 5, with their tag: when they are forgotten came later."""

FIELDS_OF_WAITING: Final = 4
"""Of a sensor that waits in version 4: whether an assignment had ended came later."""


def snapshot(kept: Kept) -> bytes:
    """Return the snapshot after the first rows of its log."""
    shard = Shard(3, terms())
    shard.on_records(kept.records()[: kept.rows])
    return shard.snapshot()


def loaded(content: bytes) -> str:
    """Return what a snapshot loads as, as JSON that people can read."""
    kept = read_snapshot(content)
    found: dict[str, Any] = {
        "version": kept.version,
        "done": kept.done,
        "clock": msgspec.to_builtins(kept.clock),
        "sensors": records_of(np.frombuffer(kept.sensors, SENSOR)),
        "devices": records_of(np.frombuffer(kept.devices, DEVICE)),
        "machines": machines_of(kept),
    }
    if kept.version > WINDOWS.version:
        found["awaiting"] = awaiting_of(kept)
    if kept.version > WAITING.version:
        assert isinstance(kept.conditions, KeptConditions)
        found["conditions"] = records_of(np.frombuffer(kept.conditions.sensors, CONDITION))
        found["watched"] = msgspec.to_builtins(kept.conditions.watched, str_keys=True)
        found["clocks"] = clocks_of(kept.version, kept.conditions)
        found["possible"] = msgspec.to_builtins(kept.conditions.possible, str_keys=True)
        if kept.conditions.frozen:
            found["frozen"] = records_of(np.frombuffer(kept.conditions.frozen, FROZEN))
    if kept.version >= PROBES.version:
        found["probes"] = records_of(np.frombuffer(kept.probes, PROBE))
    parts = [f"{json.dumps(name)}: {_lines(value)}" for name, value in found.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def machines_of(kept: Snapshot) -> Any:
    """Return the machine states, with the fields that the snapshot's version had."""
    fields = FIELDS_OF_SUSTAINED if kept.version <= SUSTAINED_VERSION else None
    states = msgspec.to_builtins(kept.machines, str_keys=True, builtin_types=(bytes,))
    assert fields is None or not any(later for state in states.values() for later in state[fields:])
    return {slot: json.loads(msgspec.json.encode(state[:fields])) for slot, state in states.items()}


def clocks_of(version: int, kept: KeptConditions) -> Any:
    """Return the clocks, with the fields that the snapshot's version had."""
    clocks = msgspec.to_builtins(kept.clocks, str_keys=True)
    for state, *_ in clocks.values():
        if version < PROBES.version and state[0] == "questioned":
            assert state[FIELDS_OF_QUESTIONED:] == [None]
            del state[FIELDS_OF_QUESTIONED:]
    return clocks


def awaiting_of(kept: Snapshot) -> Any:
    """Return what waits for revisions, with the fields that the snapshot's version had."""
    fields = FIELDS_OF_WAITING if kept.version <= WAITING.version else None
    waiting = msgspec.to_builtins(kept.awaiting, str_keys=True)
    assert fields is None or all(one[fields:] == [LONG_AGO] for one in waiting.values())
    return {slot: one[:fields] for slot, one in waiting.items()}


def records_of(rows: np.ndarray[Any, Any]) -> list[dict[str, int]]:
    """Return the rows, each by column."""
    return [dict(zip(rows.dtype.names or (), row, strict=True)) for row in rows.tolist()]


def write_once(file: Path, content: bytes) -> None:
    """Write a file of a shipped version, unless it is there."""
    if not file.exists():
        file.write_bytes(content)


def write_snapshots() -> None:
    """Write what is not there yet; what is there is never written again."""
    for kept in SNAPSHOTS:
        write_once(kept.file, snapshot(kept))
        write_once(kept.loads_as, loaded(kept.file.read_bytes()).encode())


def _lines(value: object) -> str:
    """Return JSON with a row, or a sensor's machine, a line."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n  " + ",\n  ".join(json.dumps(one) for one in value) + "\n ]"
    if isinstance(value, dict) and value:
        return "{\n  " + ",\n  ".join(f"{json.dumps(key)}: {json.dumps(one)}" for key, one in value.items()) + "\n }"
    return json.dumps(value)
