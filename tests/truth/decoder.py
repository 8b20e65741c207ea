"""What decode_uplinks writes for a fleet: rows under offsets, ticks, and ends of assignments with the tick that passes them."""

from itertools import pairwise

import numpy as np

from pipelines.domain.partition_clock import GRACE_MS
from schemas.readings import ABSENT_I2, RowFlag, RowKind, Rows, blank_rows, encode_rows
from schemas.revisions import REASONS
from schemas.topics import READINGS
from tests.truth.documents import gaps_of
from tests.truth.fleet import Correction, Fleet, Uplink
from tests.truth.log import MemoryLog

TICK_MS = 4_900
"""Between ticks, so that no two are an outage apart."""

STILL_MS = 70_000
"""After a stretch without ticks the clock stands still for up to a minute: so long ticks come before an instant is reached."""

DAY_MS = 86_400_000


class Decoder:
    """Writes the topic `readings`."""

    def __init__(self, fleet: Fleet, log: MemoryLog) -> None:
        self._fleet = fleet
        self._log = log
        self._configurations = {gap: number for number, gap in enumerate(gaps_of(fleet), 1)}
        self._sensors = {sensor.number: sensor for sensor in fleet.sensors}
        self._units = {one.number: one.unit for sensor in fleet.sensors for one in sensor.assignments}
        self._offset = dict.fromkeys(fleet.partitions, -1)
        self._written: dict[int, list[Rows]] = {partition: [] for partition in fleet.partitions}
        self._stamp = min((row.at for row in fleet.rows), default=0) - DAY_MS
        self._unsaid: list[Correction] = []
        self._said: list[Correction] = []
        """Corrections that hold: rows that come from there on are marked."""
        self._ticked: int | None = None
        """Clock of the newest tick; None after a start."""
        self.newest = self._stamp
        """The newest instant (ms UTC) of any row, tick or end."""

    @property
    def clock(self) -> int:
        """What the clock of every partition says once it stands still no more (ms UTC)."""
        return self._stamp - GRACE_MS

    def write(self, uplink: Uplink) -> None:
        """Write an uplink's rows under the next offset of its partition."""
        rows = blank_rows(len(uplink.rows))
        partition = self._sensors[uplink.rows[0].sensor].partition
        self._offset[partition] += 1
        rows["offset"], rows["received_at"] = self._offset[partition], self._stamp
        for row, one in zip(rows, uplink.rows, strict=True):
            sensor = self._sensors[one.sensor]
            row["measured_at"], row["sensor"], row["device"], row["organization"] = one.at, one.sensor, sensor.device, sensor.organization
            row["unit"], row["assignment"], row["policy"] = self._units[one.assignment], one.assignment, one.policy
            row["configuration"] = self._configurations[one.max_gap]
            row["kind"] = RowKind.ANCILLARY if one.bare else RowKind.FAULT if one.value is None else RowKind.READING
            row["reason"] = int(row["kind"] == RowKind.FAULT)
            if any(each.sensor == one.sensor and each.since <= one.at < each.until for each in self._said):
                row["flags"] = RowFlag.CORRECTED
            row["temperature"] = ABSENT_I2 if one.value is None else one.value
            self.newest = max(self.newest, one.at)
        self._append(partition, rows)

    def correct(self, correction: Correction) -> None:
        """Have a correction said with the next tick."""
        self._unsaid.append(correction)

    def tick(self, to: int) -> None:
        """Write ticks to every partition until its clock says an instant, unless it is there already."""
        if to <= self.clock:
            return
        goal = to + GRACE_MS
        stamps = [goal] if goal - self._stamp <= TICK_MS else [*range(max(self._stamp + 1, goal - STILL_MS), goal, TICK_MS), goal]
        clocks = [self._ticked if self._ticked is not None else self._stamp - GRACE_MS - DAY_MS, *(stamp - GRACE_MS for stamp in stamps)]
        for partition in self._fleet.partitions:
            pieces: list[Rows] = []
            for before, clock in pairwise(clocks):
                self._offset[partition] += 1
                pieces += [*self._ends(partition, before, clock), *(self._corrections(partition, clock) if clock == clocks[1] else ())]
                pieces.append(self._row(partition, RowKind.TICK, clock + GRACE_MS, clock + GRACE_MS))
            self._append(partition, np.concatenate(pieces))
        self._said += self._unsaid
        self._unsaid.clear()
        self._stamp, self._ticked = goal, to
        self.newest = max(self.newest, goal)

    def write_again(self, many: int) -> None:
        """Write the newest records of every partition once more, as one: their offsets are the same."""
        for partition, written in self._written.items():
            if written:
                self._log.append(READINGS.name, partition, encode_rows(np.concatenate(written[-many:])))

    def start_anew(self) -> None:
        """Forget which ends were said: those of a day are said again with the next tick."""
        self._ticked = None

    def _ends(self, partition: int, before: int, clock: int) -> list[Rows]:
        found = []
        for sensor in self._sensors.values():
            for one in sensor.assignments:
                if sensor.partition == partition and one.ends_at is not None and before < one.ends_at <= clock:
                    row = self._row(partition, RowKind.ASSIGNMENT_END, one.ends_at, clock + GRACE_MS)
                    row["sensor"], row["device"], row["organization"] = sensor.number, sensor.device, sensor.organization
                    row["unit"], row["assignment"] = one.unit, one.number
                    found.append(row)
        return found

    def _corrections(self, partition: int, clock: int) -> list[Rows]:
        found = []
        for sensor in sorted({one.sensor for one in self._unsaid if self._sensors[one.sensor].partition == partition}):
            since = min(one.since for one in self._unsaid if one.sensor == sensor)
            row = self._row(partition, RowKind.CORRECTION, since, clock + GRACE_MS)
            row["sensor"], row["device"], row["organization"] = sensor, self._sensors[sensor].device, self._sensors[sensor].organization
            row["reason"] = REASONS.index("correction")
            found.append(row)
        return found

    def _row(self, partition: int, kind: RowKind, at: int, received_at: int) -> Rows:
        row = blank_rows(1)
        row["offset"], row["measured_at"], row["received_at"], row["kind"] = self._offset[partition], at, received_at, kind
        return row

    def _append(self, partition: int, rows: Rows) -> None:
        self._written[partition].append(rows)
        self._log.append(READINGS.name, partition, encode_rows(rows))
