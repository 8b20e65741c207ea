"""Draws a fleet and its life from a seed: nasty series for every sensor, arrivals in bad orders, and everything that may go wrong between."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from random import Random

from tests.domain.random_series import KINDS, Band, Series, random_series
from tests.truth.fleet import Act, Assignment, Clock, Correction, Event, Fleet, Row, Said, Sensor, Uplink, What

SETTLE_MS = 70 * 61_337
"""Longer than any hold, recovery, gap or window of the series."""

MINUTE_MS = 60_000

CALM = 500
"""A temperature in range of most bands: some sensors measure little else, as most do in life."""

Arrival = tuple[int, Row]
"""When a row comes (ms UTC), and the row."""


def random_fleet(seed: int, kind: str | None = None) -> Fleet:
    """Return the fleet of a seed, with bands of one kind or of the one it draws."""
    chance = Random(f"fleet {seed}")
    drawn = chance.choice(tuple(KINDS))
    kind = drawn if kind is None else kind
    sensors, policies, by_sensor = _sensors(chance, kind)
    arrivals = sorted((one for sensor in sensors for one in _arrivals(by_sensor[sensor.number], chance)), key=lambda one: one[0])
    happenings = _uplinks(arrivals, sensors, chance)
    trouble = chance.choice((0.0, 0.0, 0.02, 0.08))
    pace = chance.choice((0.15, 0.4, 0.8))
    people = Random(f"corrections {seed}")
    corrected = people.choice((0.0, 0.0, 0.01, 0.05))
    events: list[Event] = []
    for comes_at, uplink in happenings:
        if chance.random() < 0.6:
            events.append(Clock(comes_at + chance.choice((-2_000, 0, 0, 0, 1, 3_000))))
        events.append(uplink)
        while chance.random() < pace:
            events.append(_work(chance))
        if chance.random() < trouble:
            events.append(_trouble(chance))
        if people.random() < corrected:
            events.append(_correction(uplink.rows[0], by_sensor, people))
    bound = chance.choice((None, None, 4))
    return Fleet(seed, kind, tuple(sensors), policies, tuple(events), SETTLE_MS, bound)


def _sensors(chance: Random, kind: str) -> tuple[list[Sensor], dict[int, tuple[Band, ...]], dict[int, list[Row]]]:
    """Draw who there is: some devices of some organizations, one to three probes each, and the rows of each in the order of its series."""
    policies: dict[int, tuple[Band, ...]] = {}
    rows: dict[int, list[Row]] = {}
    sensors: list[Sensor] = []
    numbers = count(1)
    for device in range(1, 1 + chance.choice((1, 1, 2, 3))):
        organization, partition = chance.choice((1, 1, 2)), chance.choice((0, 1, 5))
        for _ in range(chance.choice((1, 1, 2, 3))):
            number = next(numbers)
            series = [random_series(chance.randrange(1 << 40), kind) for _ in range(chance.choice((1, 1, 1, 2)))]
            assignments, rows[number] = _assigned(number, series, policies, chance)
            sensors.append(Sensor(number, device, organization, partition, assignments))
    return sensors, policies, rows


def _assigned(
    sensor: int, several: Sequence[Series], policies: dict[int, tuple[Band, ...]], chance: Random
) -> tuple[tuple[Assignment, ...], list[Row]]:
    """Give each series an assignment of its own, one after another; a unit has a policy of its own."""
    assignments, rows, begins_at = list[Assignment](), list[Row](), 0
    for place, series in enumerate(several):
        versions = tuple(range(len(policies) + 1, len(policies) + 1 + len(series.versions)))
        policies |= dict(zip(versions, series.versions, strict=True))
        first = min((row[0] for row in series.rows), default=begins_at)
        shift = max(0, begins_at - first)
        last = max((row[0] for row in series.rows), default=first) + shift
        ends_at = None if series.assignment_end is None else max(series.assignment_end + shift, begins_at + 1)
        if place + 1 < len(several):
            ends_at = last + chance.choice((1, 1, MINUTE_MS, 10 * MINUTE_MS)) if ends_at is None else ends_at
            begins_at = ends_at + chance.choice((0, 0, 5 * MINUTE_MS))
        number = 10 * sensor + place
        assignments.append(Assignment(number, 100 * sensor + place, versions, ends_at))
        rows += [
            Row(sensor, number, at + shift, value, versions[version], gap)
            for at, value, version, gap in series.rows
            if ends_at is None or at + shift < ends_at
        ]
    if chance.random() < 0.4:
        once = {row.at: row for row in rows}
        rows = [replace(row, value=CALM) if chance.random() < 0.9 else row for _, row in sorted(once.items())]
    if chance.random() < 0.3:
        rows = [one for row in rows for one in _with_bare(row, rows, chance)]
    return tuple(assignments), rows


def _with_bare(row: Row, rows: list[Row], chance: Random) -> list[Row]:
    """Put a row without a temperature beside another at times, of the same assignment and at an instant of its own."""
    at = row.at + chance.choice((-1, 1, 2))
    neighbours = [other for other in rows if other.at == row.at - 1 or other.at == row.at + 2]
    if chance.random() > 0.15 or neighbours or any(other.at == at for other in rows):
        return [row]
    return [row, replace(row, at=at, value=None, bare=True)]


def _arrivals(rows: list[Row], chance: Random) -> list[Arrival]:
    """Say when each row of a sensor comes: in order, late in bursts, newest first, or in no order at all."""
    if not rows:
        return []
    manner = chance.choice(
        ("in order", "in order", "in order", "some late", "some late", "an outage", "an outage", "newest first", "as drawn", "ahead")
    )
    first, last = min(row.at for row in rows), max(row.at for row in rows)
    span = max(1, last - first)
    match manner:
        case "in order":
            return [(row.at, row) for row in rows]
        case "some late":
            delays = (span // 50 + 1, span // 5 + 1, span, span + 3 * 3_600_000)
            return [(row.at + (chance.choice(delays) if chance.random() < 0.25 else 0), row) for row in rows]
        case "an outage":
            begins, ends = sorted((first + chance.randrange(span + 1), first + chance.randrange(span + 1)))
            order = chance.choice((-1, 1))
            return [(ends, row) if begins <= row.at < ends else (row.at, row) for row in sorted(rows, key=lambda row: order * row.at)]
        case "newest first":
            return [(last + place, row) for place, row in enumerate(sorted(rows, key=lambda row: -row.at))]
        case "as drawn":
            return [(last + place, row) for place, row in enumerate(rows)]
        case _:
            return [(row.at - chance.choice((0, 0, 2_500, 200_000)), row) for row in rows]


def _uplinks(arrivals: list[Arrival], sensors: list[Sensor], chance: Random) -> list[tuple[int, Uplink]]:
    """Put rows of one device that come one after another into one uplink at times, and send some uplinks twice."""
    device_of = {sensor.number: sensor.device for sensor in sensors}
    most = chance.choice((1, 1, 3, 8))
    uplinks: list[tuple[int, Uplink]] = []
    for comes_at, row in arrivals:
        if uplinks and len(uplinks[-1][1].rows) < most and device_of[uplinks[-1][1].rows[-1].sensor] == device_of[row.sensor]:
            before = uplinks[-1][1]
            if chance.random() < 0.5:
                uplinks[-1] = (comes_at, replace(before, rows=(*before.rows, row)))
                continue
        uplinks.append((comes_at, Uplink((row,))))
    again = [(comes_at + chance.choice((0, 10_000, 4_000_000)), one) for comes_at, one in uplinks if chance.random() < 0.05]
    return sorted(uplinks + again, key=lambda entry: entry[0])


def _correction(row: Row, by_sensor: dict[int, list[Row]], chance: Random) -> Correction:
    """Draw what a person says of a sensor's past, or of what comes yet: from the instant of one row to about that of another."""
    instants = [one.at for one in by_sensor[row.sensor]]
    first, last = sorted((chance.choice(instants), chance.choice(instants)))
    said = chance.choice(tuple(Said))
    offset = chance.choice((-150, -1, 1, 150)) if said is Said.CALIBRATION else 0
    return Correction(row.sensor, said, first + chance.choice((0, 0, 1)), last + chance.choice((1, 2, MINUTE_MS)), offset)


def _work(chance: Random) -> Act:
    """Draw what a part of the system does in the ordinary way."""
    what = chance.choice(
        (What.DETECT,) * 4
        + (What.RECORD,) * 3
        + (What.STORE,) * 4
        + (What.ANSWERS, What.ASK) * 2
        + (What.REVISE,) * 2
        + (What.DETECT_EPOCH,)
    )
    match what:
        case What.REVISE:
            return Act(what, chance.choice((0, 1, 12)))
        case What.DETECT | What.STORE | What.ANSWERS | What.ASK:
            return Act(what, chance.choice((1, 2, 5, 50, 1_000)))
        case _:
            return Act(what)


def _trouble(chance: Random) -> Act:
    """Draw what goes wrong."""
    what = chance.choice(
        (
            What.DETECT_DIES,
            What.DETECT_DIES,
            What.DETECT_DIES_AT_CALL,
            What.REVISE_EPOCH,
            What.REVISE_DIES,
            What.REVISE_DIES_AT_CALL,
            What.OVERTAKEN,
            What.DATABASE_DROPS,
            What.ROWS_AGAIN,
            What.ENDS_AGAIN,
        )
    )
    match what:
        case What.DETECT_DIES | What.REVISE_DIES:
            return Act(what, chance.choice((0, 0, 1, 3, 1_000)))
        case What.DETECT_DIES_AT_CALL | What.REVISE_DIES_AT_CALL | What.DATABASE_DROPS:
            return Act(what, chance.randint(1, 25))
        case What.ROWS_AGAIN:
            return Act(what, chance.choice((1, 3, 10)))
        case _:
            return Act(what)
