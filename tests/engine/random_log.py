"""Random logs of one partition: sensors with nasty readings, ticks, two policies, cut into records and batches at will."""

import random
from dataclasses import dataclass

import numpy as np

from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import parse_policy
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import RowKind, Rows, blank_rows

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
SUSTAINED = (1, 2)
WINDOWED = (3, 4)
"""Versions that a log changes between."""
CONFIGURATIONS = {1: Configuration(7_500, 36_000), 2: Configuration(18_000, 0), 3: Configuration(7_500, 15_000)}


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
