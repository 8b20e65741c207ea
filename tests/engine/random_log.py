"""Random logs of one partition: sensors with nasty readings, ticks, two policies, cut into records and batches at will."""

import random
from dataclasses import dataclass

import numpy as np

from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import parse_policy
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import ABSENT_I1, ABSENT_I2, RowKind, Rows, blank_rows
from schemas.reasons import RejectReason, code_of_reason

START_AT = 1_750_000_000_000
STEP_MS = 3_000

POLICIES: dict[int, Policy] = {
    1: parse_policy(
        {
            "bands": [
                {"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 9, "min_samples": 2, "recovery_hold_seconds": 6},
                {"name": "frozen", "side": "low", "limit_celsius": 0, "inclusive": True, "recovery_margin_celsius": 0.5},
            ],
        },
    ),
    2: parse_policy({"bands": [{"name": "warm", "side": "high", "limit_celsius": 9, "hold_seconds": 3, "recovery_margin_celsius": 1}]}),
    3: parse_policy(
        {
            "bands": [
                {"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 9, "min_samples": 2},
                {"name": "spent", "kind": "cumulative", "side": "high", "limit_celsius": 8, "window_seconds": 60, "budget_seconds": 20},
                {"name": "shipped", "kind": "cumulative", "side": "high", "limit_celsius": 8, "window_seconds": None, "budget_seconds": 45},
                {"name": "mean", "kind": "mean", "side": "high", "limit_celsius": 6, "window_seconds": 15},
                {
                    "name": "kinetic",
                    "kind": "mkt",
                    "side": "high",
                    "limit_celsius": 6,
                    "window_seconds": 45,
                    "recovery_margin_celsius": 0.5,
                },
            ],
        },
    ),
    4: parse_policy(
        {
            "bands": [
                {"name": "spent", "kind": "cumulative", "side": "high", "limit_celsius": 8.5, "window_seconds": 60, "budget_seconds": 12},
                {"name": "mean", "kind": "mean", "side": "high", "limit_celsius": 7, "window_seconds": 15, "min_known_fraction": 0.2},
                {"name": "kinetic", "kind": "mkt", "side": "high", "limit_celsius": 7, "window_seconds": 45},
            ],
        },
    ),
}
WARM = {"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 30, "min_samples": 2}
POLICIES[5] = parse_policy(
    {
        "bands": [WARM],
        "conditions": {
            "battery_low": {"low_percent": 20, "low_volts": 3, "readings": 2},
            "door_open": {"open_seconds": 10, "alert": "critical"},
            "sensor_fault": {"marks": 2},
            "frozen_value": {"after_seconds": 6, "readings": 2, "changes": 1, "times_longest": 1, "coarse_celsius": 100},
        },
    }
)
POLICIES[6] = parse_policy(
    {"bands": [WARM], "conditions": {"door_open": {"enabled": False}, "clock_wrong": {"rejections": 1, "quiet_seconds": 9}}}
)
SOON = {"name": "soon", "side": "high", "limit_celsius": 8, "hold_seconds": 12}
"""Opens by known time alone, before a run of the other band becomes possible."""
POLICIES[7] = parse_policy({"bands": [SOON, WARM]})
POLICIES[8] = parse_policy(
    {"bands": [WARM, SOON], "conditions": {"clock_wrong": {"rejections": 2, "within_seconds": 20, "quiet_seconds": 9}}}
)
SUSTAINED = (1, 2)
WINDOWED = (3, 4)
CONDITIONED = (5, 6)
TWO_HOLDS = (7, 8)
"""Versions that a log changes between."""
CONFIGURATIONS = {
    1: Configuration(7_500, 36_000),
    2: Configuration(18_000, 0),
    3: Configuration(7_500, 15_000),
    4: Configuration(7_500, 36_000, 25),
}


def terms() -> Terms:
    """Return terms that know the policies and configurations above."""
    return Terms(Policies(POLICIES.__getitem__), Configurations(lambda numbers: {number: CONFIGURATIONS[number] for number in numbers}))


@dataclass(frozen=True)
class Log:
    """Rows in log order, one record an element."""

    rows: list[Rows]


def random_log(seed: int, *, sensors: int = 4, steps: int = 60, disorder: bool = False, versions: tuple[int, int] = SUSTAINED) -> Log:
    """Return a log in which each sensor's readings are in order, unless `disorder`."""
    chance = random.Random(seed)
    rows: list[Rows] = []
    offset = 0
    policy = dict.fromkeys(range(1, sensors + 1), versions[0])
    configuration = dict.fromkeys(range(1, sensors + 1), 1)
    for step in range(steps):
        now = START_AT + step * STEP_MS
        for sensor in chance.sample(range(1, sensors + 1), sensors):
            if chance.random() < 0.3:
                continue
            if chance.random() < 0.03:
                policy[sensor] = sum(versions) - policy[sensor]
            if chance.random() < 0.03:
                configuration[sensor] = 3 - configuration[sensor]
            at = now - (chance.choice([0, 0, 0, 40_000]) if disorder else 0)
            row = one_row(offset, at, sensor, policy[sensor], configuration[sensor], chance)
            rows.append(row)
            offset += 1
        if chance.random() < 0.7:
            rows.append(tick(offset, now + 2_000 + chance.choice([0, 1, STEP_MS - 1])))
            offset += 1
    rows += [tick(offset + extra, START_AT + (steps + extra + 2) * STEP_MS) for extra in range(20)]
    return Log(rows)


def with_conditions(rows: list[Rows], seed: int) -> list[Rows]:
    """Return the rows with batteries, doors, calibrations, values beside temperatures, ends of assignments and rejected times."""
    chance = random.Random(seed)
    for row in rows:
        if row["kind"][0] == RowKind.TICK:
            continue
        row["battery_percent"] = chance.choice([ABSENT_I1, ABSENT_I1, 50, 10, 10, 22])
        row["battery_millivolts"] = chance.choice([ABSENT_I2, ABSENT_I2, ABSENT_I2, 2_900, 3_050, 3_600])
        row["door"] = chance.choice([ABSENT_I1, 0, 1, 1, 1])
        row["configuration"] = chance.choice([int(row["configuration"][0])] * 9 + [4])
        if row["sensor"][0] % 4 == 0 and row["kind"][0] == RowKind.READING and chance.random() < 0.8:
            row["temperature"] = 400
        if row["sensor"][0] % 4 == 1 and chance.random() < 0.6:
            row["kind"], row["temperature"] = RowKind.FAULT, ABSENT_I2
        if row["kind"][0] == RowKind.FAULT:
            row["reason"] = code_of_reason(RejectReason.SENTINEL)
        kind = chance.random()
        if kind < 0.15:
            row["temperature"] = ABSENT_I2
            row["kind"] = RowKind.ANCILLARY if kind < 0.1 else RowKind.ASSIGNMENT_END if kind < 0.12 else RowKind.REJECTED
            row["reason"] = code_of_reason(RejectReason.CLOCK_WRONG) if kind >= 0.12 else 0
    return rows


def one_row(offset: int, at: int, sensor: int, policy: int, configuration: int, chance: random.Random) -> Rows:
    """Return a reading around the limits, or a fault mark."""
    row = blank_rows(1)
    row["offset"], row["measured_at"], row["received_at"] = offset, at, at + 100
    row["sensor"], row["device"], row["unit"], row["organization"], row["assignment"] = sensor, 100 + sensor, 7, 1, 1
    row["policy"], row["configuration"] = policy, configuration
    if chance.random() < 0.05:
        row["kind"] = RowKind.FAULT
    else:
        row["kind"] = RowKind.READING
        row["temperature"] = chance.choice([400, 400, 400, 400, 400, 800, 801, 850, 900, 901, 0, -1, 40, 60])
    return row


def tick(offset: int, stamp: int) -> Rows:
    """Return a tick."""
    row = blank_rows(1)
    row["offset"], row["measured_at"], row["received_at"], row["kind"] = offset, stamp, stamp, RowKind.TICK
    return row


def cut(rows: list[Rows], chance: random.Random, *, longest: int) -> list[Rows]:
    """Return the rows joined into pieces of random length."""
    pieces = []
    index = 0
    while index < len(rows):
        count = chance.randint(1, longest)
        pieces.append(np.concatenate(rows[index : index + count]))
        index += count
    return pieces
