"""A fleet's log of one partition, with and without an hour in which a process of ours stood still."""

import random
from dataclasses import dataclass, replace

from pipelines.domain.policy_document import parse_policy
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import RowKind, Rows, blank_rows

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START_AT = 1_760_000_000_000
INTERVAL = 5 * MINUTE
OFFLINE_AFTER = 15 * MINUTE
SILENT_SENSOR = 1
"""This one really falls silent, two hours in."""

POLICY = parse_policy(
    {
        "bands": [
            {"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 900, "min_samples": 2, "recovery_margin_celsius": 0.5},
            {"name": "hot", "side": "high", "limit_celsius": 15},
            {"name": "cold", "side": "low", "limit_celsius": 2, "hold_seconds": 600, "min_samples": 2, "recovery_hold_seconds": 300},
        ],
    },
)


def terms() -> Terms:
    """Return the terms of the whole fleet."""
    configuration = Configuration(3 * INTERVAL, OFFLINE_AFTER)
    return Terms(Policies({1: POLICY}.__getitem__), Configurations(lambda numbers: dict.fromkeys(numbers, configuration)))


@dataclass(frozen=True)
class Arrival:
    """Something that reaches the log: a reading (of a sensor) or a tick (sensor 0)."""

    arrives_at: int
    measured_at: int
    sensor: int
    temperature: int


def fleet(seed: int, *, sensors: int = 20, hours: int = 6) -> list[Arrival]:
    """Return what a fleet with warm spells sends, and a tick each second, as it arrives when nothing stops."""
    chance = random.Random(seed)
    arrivals = [Arrival(START_AT + second * SECOND, START_AT + second * SECOND, 0, 0) for second in range(hours * 3600 + 90)]
    for sensor in range(1, sensors + 1):
        at = START_AT + chance.randrange(INTERVAL)
        warm_until = 0
        offset = 0
        end = START_AT + (2 if sensor == SILENT_SENSOR else hours) * HOUR
        while at < end:
            if at > warm_until and chance.random() < 0.06:
                warm_until = at + chance.choice([4, 12, 30, 50]) * MINUTE
                offset = chance.choice([450, 400, 1_200, -400])
            value = 500 + chance.randrange(-60, 60) + (offset if at <= warm_until else 0)
            arrivals.append(Arrival(at + chance.randrange(1_500), at, sensor, value))
            at += INTERVAL
    return sorted(arrivals, key=lambda arrival: arrival.arrives_at)


def api_away(arrivals: list[Arrival], away_from: int, away_for: int, *, delivers_within: int, seed: int) -> list[Arrival]:
    """Return the same when no API ran for a while: no ticks, and what was refused is delivered soon after, in order per sensor."""
    chance = random.Random(seed)
    back_at = away_from + away_for
    waits = {sensor: chance.randrange(delivers_within - 2_000) for sensor in {arrival.sensor for arrival in arrivals}}
    shifted = []
    for arrival in arrivals:
        if not away_from <= arrival.arrives_at < back_at:
            shifted.append(arrival)
        elif arrival.sensor:
            place = (arrival.arrives_at - away_from) * 1_000 // away_for
            shifted.append(replace(arrival, arrives_at=back_at + waits[arrival.sensor] + place))
    behind = [
        replace(arrival, arrives_at=max(arrival.arrives_at, back_at + waits[arrival.sensor] + 1_001))
        if arrival.sensor and arrival.measured_at >= back_at - 2_000 and arrival.arrives_at >= back_at
        else arrival
        for arrival in shifted
    ]
    return sorted(behind, key=lambda arrival: arrival.arrives_at)


def rows_of(arrivals: list[Arrival]) -> list[Rows]:
    """Return the rows decode_uplinks writes for them, in order."""
    rows = []
    for offset, arrival in enumerate(arrivals):
        row = blank_rows(1)
        row["offset"], row["received_at"] = offset, arrival.arrives_at
        if arrival.sensor:
            row["kind"] = RowKind.READING
            row["measured_at"], row["temperature"] = arrival.measured_at, arrival.temperature
            row["sensor"], row["device"], row["unit"], row["organization"] = arrival.sensor, arrival.sensor, arrival.sensor, 1
            row["assignment"], row["policy"], row["configuration"] = arrival.sensor, 1, 1
        else:
            row["kind"], row["measured_at"] = RowKind.TICK, arrival.arrives_at
        rows.append(row)
    return rows
