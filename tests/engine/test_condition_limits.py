"""Limits by policy version, as columns: each version is read once, and each row is held to its own."""

import numpy as np

from pipelines.domain.conditions.terms import FrozenTerms
from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import parse_policy
from pipelines.engine.condition_limits import ConditionLimits
from pipelines.engine.judgements import ConditionChange
from pipelines.engine.shard import Shard
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms
from schemas.readings import RowKind, encode_rows
from tests.engine.lone_rows import facts_of, numbered, row
from tests.engine.random_log import WARM

FAR_OFF = 5_000
"""Beyond the room that is made at first."""


def policy_of(number: int) -> Policy:
    """Return a policy by which a battery is low below its own number in percent, the far one below 3 V."""
    battery: dict[str, int] = {"low_percent": number, "readings": 1} if number < 100 else {"low_percent": 0, "low_volts": 3, "readings": 1}
    conditions: dict[str, object] = {"battery_low": battery}
    if number == 7:
        conditions["frozen_value"] = {}
    return parse_policy({"bands": [WARM], "conditions": conditions})


class CountedPolicies(Policies):
    """Policies that count how often they are looked at."""

    looks = 0

    def __getitem__(self, number: int) -> Policy:
        """Return a version, and count it."""
        self.looks += 1
        return super().__getitem__(number)


def counted() -> tuple[CountedPolicies, Terms]:
    """Return policies that count, and terms with them."""
    policies = CountedPolicies(policy_of)
    return policies, Terms(policies, Configurations(lambda numbers: {number: Configuration(60_000, 0) for number in numbers}))


def test_a_version_is_read_once_however_many_batches_name_it() -> None:
    policies, terms = counted()
    limits = ConditionLimits(terms)

    for _ in range(3):
        limits.prepare(np.array([3, 7, FAR_OFF, 7], dtype=np.int32))

    assert policies.looks == 3
    assert limits.percent[[3, 7, FAR_OFF]].tolist() == [3, 7, 0]
    assert limits.millivolts[[3, 7, FAR_OFF]].tolist() == [0, 0, 3_000]
    assert limits.looks.nonzero()[0].tolist() == [7]
    assert int(limits.frozen["after_ms"][7]) == FrozenTerms().after_ms


def test_each_row_is_held_to_the_limits_of_its_own_policy() -> None:
    levels = {
        3: {"battery_percent": 4},
        7: {"battery_percent": 4},
        FAR_OFF: {"battery_millivolts": 2_900},
        50: {"battery_millivolts": 2_900},
    }
    rows = [row(1, RowKind.READING, sensor=number, policy=number, **values) for number, values in levels.items()]

    found = facts_of(Shard(0, counted()[1]).on_records([encode_rows(np.concatenate(numbered(rows)))]))

    assert {fact.sensor for fact in found if isinstance(fact, ConditionChange)} == {7, FAR_OFF}
