"""The shard evaluator: all sensors of one partition, judged in batches.

A reading that is in range for every band of a sensor without a run changes nothing but the newest reading: such readings are
taken by the column. All others go through the pure machine, sensor by sensor. Whatever the batching, the facts are the same,
and so are the offsets they are as of. Knows no Bytewax and reads no clock.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from pipelines.connectors.errors import Misconfigured
from pipelines.domain.conditions.possible_excursion import Possible
from pipelines.domain.partition_clock import NEVER, PartitionClock
from pipelines.domain.sensor import SensorState, with_windows_begun
from pipelines.engine.awaiting import Answer, Awaiting
from pipelines.engine.clocks import Clock, Clocks
from pipelines.engine.conditions import Conditions, Watched
from pipelines.engine.devices import Devices
from pipelines.engine.judgements import Fact, Judged, LateReadings, Output, StandingFact
from pipelines.engine.sensors import Late, Sensors
from pipelines.engine.shard_table import CONDITION, DEVICE, FROZEN, PROBE, SENSOR, compressed, decompressed, packed, unpacked
from pipelines.engine.terms import Terms
from pipelines.engine.ticks import read_ticks
from pipelines.engine.unpack import fresh_rows

SNAPSHOT_VERSION: Final = 6
"""Of the bytes below. A shipped version must load for ever or be migrated: version 1 had its tables as they are, 2 has them packed, 3
has the machine states packed too, with one for each band of any kind, 4 what waits for a revision, 5 the conditions of
sensors and devices, 6 the probes of devices."""

UNPACKED_VERSION: Final = 1
SUSTAINED_VERSION: Final = 2
"""Up to it a machine state had bands of kind sustained alone."""
AWAITING_VERSION: Final = 4
"""Up to it nothing was kept of conditions."""


class KeptConditions(msgspec.Struct, frozen=True, array_like=True):
    """What a shard keeps of conditions."""

    sensors: bytes = b""
    """How far each sensor is judged; packed in a snapshot."""
    watched: dict[int, Watched] = {}
    """By slot of that table, the sensors in or near a condition."""
    clocks: dict[int, Clock] = {}
    """By device."""
    possible: dict[int, tuple[Possible, ...]] = {}
    """By slot of the table of sensors."""
    frozen: bytes = b""
    """How sensors vary that are looked at; packed in a snapshot."""


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """What a shard keeps over a restart."""

    version: int
    done: int
    clock: PartitionClock
    sensors: bytes
    devices: bytes
    machines: dict[int, SensorState] | bytes
    """Machine states by slot, of sensors that are not quiet; packed since version 3."""
    awaiting: dict[int, Awaiting] | bytes = b""
    """By slot, the sensors that wait for a revision; packed. Nothing before version 4."""
    conditions: KeptConditions | bytes = b""
    """Packed. Nothing before version 5."""
    probes: bytes = b""
    """Packed. Nothing before version 6."""


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Snapshot)
_MACHINES: Final = msgspec.msgpack.Decoder(dict[int, SensorState])
_AWAITING: Final = msgspec.msgpack.Decoder(dict[int, Awaiting])
_CONDITIONS: Final = msgspec.msgpack.Decoder(KeptConditions)


class Shard:
    """The state of one partition."""

    def __init__(self, partition: int, terms: Terms, snapshot: bytes | None = None, recorded: int = -1) -> None:
        """Start fresh or from a snapshot; raises Misconfigured on one that this code cannot read.

        `recorded` is the offset up to which facts of the partition are on record: what is found up to it is not recorded again, so
        answers wait until the shard has passed it.
        """
        self.partition = partition
        self._recorded = recorded
        self._is_compared = recorded < 0
        kept = (
            Snapshot(SNAPSHOT_VERSION, -1, PartitionClock(), b"", b"", {}, {}, KeptConditions())
            if snapshot is None
            else read_snapshot(snapshot)
        )
        self.done = kept.done
        self.clock = kept.clock
        self._devices = Devices(kept.devices, terms, kept.probes)
        machines, awaiting, conditions = kept.machines, kept.awaiting, kept.conditions
        assert isinstance(machines, dict), "read_snapshot unpacks them"
        assert isinstance(awaiting, dict), "read_snapshot unpacks them"
        assert isinstance(conditions, KeptConditions), "read_snapshot unpacks them"
        if kept.version <= SUSTAINED_VERSION:
            machines = {slot: with_windows_begun(state, terms.policies) for slot, state in machines.items()}
        self._sensors = Sensors(kept.sensors, machines, terms, self._devices, awaiting)
        self._conditions = Conditions(conditions.sensors, conditions.watched, conditions.frozen, terms)
        if kept.version <= AWAITING_VERSION:
            known = np.frombuffer(kept.sensors, SENSOR)
            self._conditions.take_over(known["id"], known["measured_at"])
        self._clocks = Clocks(conditions.clocks, terms)
        self._sensors.possibles.resume(conditions.possible, self._sensors.machines)

    @property
    def sensors(self) -> int:
        """How many sensors' state is kept."""
        return len(self._sensors)

    @property
    def running(self) -> int:
        """How many of them are not quiet."""
        return len(self._sensors.machines)

    def on_records(self, values: Sequence[bytes]) -> list[Output]:
        """Judge the records of the topic `readings` that came next; return facts in the order of their offsets."""
        rows, done, dropped = fresh_rows(values, self.done)
        self._sensors.count("repeated", dropped)
        if not len(rows):
            return []
        ticks = read_ticks(rows, self.clock)
        facts: list[Fact] = []
        self._devices.on_rows(rows, ticks, facts)
        late = self._sensors.on_rows(rows, ticks, facts)
        self._conditions.on_rows(rows, ticks, facts)
        self._clocks.on_rows(rows, ticks, self._devices.left, facts)
        self.clock = ticks.after
        self.done = done
        facts.sort(key=lambda fact: fact.as_of)
        again = self._settled(facts)
        self._compare(facts)
        outputs = [*self._requests(late), *again]
        if facts:
            outputs.append(Judged(self.partition, done, tuple(facts)))
        return outputs

    def on_answer(self, answer: Answer) -> list[Output]:
        """Go on from a revision, or ask for one where its sensor waits for none: on record is what its state does not know."""
        unasked = self._sensors.on_answer(answer, self.done)
        facts: list[Fact] = []
        requests = [*self._requests(() if unasked is None else (unasked,)), *self._settled(facts)]
        return [*requests, Judged(self.partition, self.done, tuple(facts))] if facts else requests

    def _compare(self, facts: list[Fact]) -> None:
        """Say what stands, once, when all that was on record is passed: a shard that was rebuilt may differ from it."""
        if self._is_compared or self.done < self._recorded or self.clock.now == NEVER:
            return
        self._is_compared = True
        at = (self.done, self.clock.now)
        standing = [*self._conditions.standing(*at), *self._clocks.standing(*at), *self._sensors.possible(*at)]
        devices, sensors = frozenset(self._devices.devices()), frozenset(self._conditions.sensors())
        unsettled = frozenset(self._sensors.unsettled())
        facts.append(StandingFact(*at, self.clock.now, devices, sensors, unsettled, tuple(standing)))

    def _settled(self, facts: list[Fact]) -> list[Output]:
        """Put answers in place, add what came of them to `facts`, and return further requests."""
        if not self._sensors.awaiting or self.done < self._recorded or self.clock.now == NEVER:
            return []
        return self._requests(self._sensors.settle(self.done, self.clock.now, facts))

    def _requests(self, late: Sequence[Late]) -> list[Output]:
        """Return requests; an assignment's end has judged its sensor that far, though the clock may stand still before it.

        A revision passes deadlines up to the clock, so it must know every row that came before the clock was there: not those alone up to
        the late one.
        """
        return [
            LateReadings(self.partition, sensor, device, organization, measured_from, self.done, max(ended_at, self.clock.now), reason)
            for sensor, device, organization, measured_from, _, ended_at, reason in late
        ]

    def snapshot(self) -> bytes:
        """Return what must be kept over a restart."""
        return _ENCODER.encode(
            Snapshot(
                SNAPSHOT_VERSION,
                self.done,
                self.clock,
                packed(self._sensors.content(), SENSOR),
                packed(self._devices.content(), DEVICE),
                compressed(_ENCODER.encode(self._sensors.machines)),
                compressed(_ENCODER.encode(self._sensors.awaiting)),
                compressed(_ENCODER.encode(self._kept_conditions())),
                packed(self._devices.probes(), PROBE),
            ),
        )

    def _kept_conditions(self) -> KeptConditions:
        sensors, possible = packed(self._conditions.content(), CONDITION), self._sensors.possibles.standing
        frozen = packed(self._conditions.frozen.content(), FROZEN)
        return KeptConditions(sensors, self._conditions.watched, self._clocks.clocks, possible, frozen)


def read_snapshot(content: bytes) -> Snapshot:
    """Return a snapshot with its tables unpacked; raises Misconfigured on an unknown version or a damaged one."""
    try:
        snapshot = _DECODER.decode(content)
        if snapshot.version > UNPACKED_VERSION:
            snapshot = replace(snapshot, sensors=unpacked(snapshot.sensors, SENSOR), devices=unpacked(snapshot.devices, DEVICE))
        if isinstance(snapshot.machines, bytes):
            snapshot = replace(snapshot, machines=_MACHINES.decode(decompressed(snapshot.machines)))
        if isinstance(snapshot.awaiting, bytes):
            snapshot = replace(snapshot, awaiting=_AWAITING.decode(decompressed(snapshot.awaiting)) if snapshot.awaiting else {})
        if isinstance(snapshot.conditions, bytes):
            snapshot = replace(snapshot, conditions=_conditions_of(snapshot.conditions))
        if snapshot.probes:
            snapshot = replace(snapshot, probes=unpacked(snapshot.probes, PROBE))
        whole = len(snapshot.sensors) % SENSOR.itemsize == 0 and len(snapshot.devices) % DEVICE.itemsize == 0
    except (msgspec.DecodeError, ValueError) as error:
        message = f"a snapshot of detect_excursions cannot be read: {error}; delete the recovery folder to rebuild it from the log"
        raise Misconfigured(message) from error
    if not UNPACKED_VERSION <= snapshot.version <= SNAPSHOT_VERSION or not whole:
        message = (
            f"a snapshot of detect_excursions has version {snapshot.version}; this code reads {UNPACKED_VERSION} to {SNAPSHOT_VERSION}: "
            "run the code that wrote it, or delete the recovery folder to rebuild it from the log"
        )
        raise Misconfigured(message)
    return snapshot


def _conditions_of(content: bytes) -> KeptConditions:
    """Return what is kept of conditions, unpacked."""
    if not content:
        return KeptConditions()
    kept = _CONDITIONS.decode(decompressed(content))
    return replace(kept, sensors=unpacked(kept.sensors, CONDITION), frozen=unpacked(kept.frozen, FROZEN) if kept.frozen else b"")
