"""Makes the log that a uniform fleet leaves in `readings`: readings by the column, a tick a second, cut as decode_uplinks cuts it.

2 % of the readings are out of range, in runs of 1 to 3 that do not reach the hold; one in 100,000 starts a real excursion.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infra.seed_fleet import Fleet
from schemas.partitions import DEVICE_PARTITIONS, device_partition
from schemas.readings import HEAD, ROW, RowKind, Rows, blank_rows

DOCUMENT: Final = {
    "bands": [
        {
            "name": "warm",
            "side": "high",
            "limit_celsius": 8,
            "hold_seconds": 900,
            "min_samples": 2,
            "recovery_margin_celsius": 0.5,
        },
        {
            "name": "cold",
            "side": "low",
            "limit_celsius": 2,
            "hold_seconds": 900,
            "min_samples": 2,
            "recovery_margin_celsius": 0.5,
        },
    ],
}
HOLD_MS: Final = 900_000

TICK_MS: Final = 1_000
RUN_SLOT: Final = 4
"""A run of at most 3 readings starts at every fourth reading of a sensor at most, so that two never join to reach the hold."""
RUN_CHANCE: Final = 0.04
"""With a mean length of 2 that is 2 % of the readings."""
EXCURSION_CHANCE: Final = 0.00001
RECORD_ROWS: Final = (500, 1_000)
"""Rows of one record, as decode_uplinks writes them when it catches up."""

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class FleetLog:
    """What to make."""

    fleet: Fleet
    interval_ms: int
    first_reports: int
    """Of each sensor, in the part of the log that comes first: in it every sensor is seen."""
    reports: int
    """Of each sensor, in the rest of the log."""
    start_at: int
    seed: int = 1

    @property
    def first_readings(self) -> int:
        """How many readings the first part has."""
        return self.fleet.size * self.first_reports

    @property
    def readings(self) -> int:
        """How many readings the rest has."""
        return self.fleet.size * self.reports

    def records(self) -> Iterator[tuple[int, bytes, bool]]:
        """Return records, each with its partition and whether it is of the first part, a partition after the other."""
        chance = np.random.default_rng(self.seed)
        partitions = np.array([device_partition(self.fleet.dev_eui(place)) for place in range(self.fleet.size)])
        for partition in range(DEVICE_PARTITIONS):
            rows = self.rows(np.flatnonzero(partitions == partition), chance)
            first_until = self.start_at + self.first_reports * self.interval_ms
            first_rows = int(np.searchsorted(rows["received_at"], first_until, "right"))
            for part, is_first in ((rows[:first_rows], True), (rows[first_rows:], False)):
                for record in cut(part, chance):
                    yield partition, record, is_first

    def rows(self, places: Places, chance: np.random.Generator) -> Rows:
        """Return the rows of one partition, which holds the sensors at some places, in log order."""
        reports = self.first_reports + self.reports
        end_at = self.start_at + reports * self.interval_ms
        phases = np.sort(chance.integers(1, self.interval_ms, len(places)))
        times = (self.start_at + np.arange(reports)[:, None] * self.interval_ms + phases).ravel()
        temperatures = temperatures_of(len(places), reports, self.interval_ms, chance).ravel()
        ticks = np.arange(self.start_at + TICK_MS, end_at + 1, TICK_MS)
        order = np.argsort(np.concatenate([times, ticks]), kind="stable")
        rows = blank_rows(len(order))
        fill_readings(rows[: len(times)], self.fleet, np.tile(places, reports), times, temperatures)
        rows["kind"][len(times) :] = RowKind.TICK
        rows["measured_at"][len(times) :] = rows["received_at"][len(times) :] = ticks
        rows = rows[order]
        rows["offset"] = np.arange(len(rows))
        return rows


def temperatures_of(sensors: int, reports: int, interval_ms: int, chance: np.random.Generator) -> npt.NDArray[np.int16]:
    """Return hundredths of a degree, a row for each report, a column for each sensor."""
    shape = (reports, sensors)
    in_slot = (np.arange(reports)[:, None] + np.arange(sensors)) % RUN_SLOT == 0
    starts = in_slot & (chance.random(shape, dtype=np.float32) < RUN_CHANCE)
    lengths = np.where(starts, chance.integers(1, RUN_SLOT, shape), 0)
    excursion_reports = HOLD_MS // interval_ms + 2
    lengths[chance.random(shape) < EXCURSION_CHANCE] = excursion_reports
    out = np.zeros(shape, dtype=np.bool_)
    for report, sensor in np.argwhere(lengths >= RUN_SLOT).tolist():
        out[report : report + excursion_reports, sensor] = True
    for back in range(RUN_SLOT - 1):
        out[back:] |= lengths[: reports - back] > back
    temperatures = chance.integers(350, 650, shape, dtype=np.int16)
    temperatures[out] = chance.integers(810, 1_200, int(out.sum()), dtype=np.int16)
    return temperatures


def fill_readings(
    rows: Rows,
    fleet: Fleet,
    places: Places,
    times: npt.NDArray[Any],
    temperatures: npt.NDArray[np.int16],
) -> None:
    """Fill in readings of the sensors at some places of a fleet."""
    rows["kind"] = RowKind.READING
    rows["measured_at"] = times
    rows["received_at"] = times
    rows["sensor"] = fleet.first_sensor + places
    rows["device"] = fleet.first_device + places
    rows["unit"] = fleet.first_unit + places
    rows["organization"] = fleet.organization
    rows["assignment"] = fleet.first_assignment + places
    rows["policy"] = fleet.policy_version
    rows["configuration"] = fleet.first_configuration + places
    rows["temperature"] = temperatures
    rows["battery_millivolts"] = 3_000


def cut(rows: Rows, chance: np.random.Generator) -> Iterator[bytes]:
    """Return the values of records that hold the rows in order."""
    content = rows.tobytes()
    first = 0
    while first < len(rows):
        last = min(first + int(chance.integers(*RECORD_ROWS)), len(rows))
        yield HEAD + content[first * ROW.itemsize : last * ROW.itemsize]
        first = last
