"""Random fleets through shard, recorder, queue and reviser come to what the simple implementation says; `make truth` tries many more.

`COLDSTREAM_TRUTH_FLEETS` sets how many fleets of each kind are tried.
"""

import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from tests.domain.random_series import KINDS
from tests.truth.fleet import Act, Said, Uplink, What
from tests.truth.fleets import explained, try_fleet
from tests.truth.random_fleet import random_fleet

FLEETS = int(os.environ.get("COLDSTREAM_TRUTH_FLEETS", "40"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Leave out the product's lines about what is broken on purpose."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("kind", KINDS)
def test_fleets_come_to_what_the_simple_implementation_says(kind: str) -> None:
    revised = 0
    for seed in range(FLEETS):
        counted = try_fleet(kind, seed)
        revised += counted.late

        assert not counted.failed, explained(kind, seed, seconds=20)
    assert revised > FLEETS / 2


def test_fleets_have_all_that_may_befall_them() -> None:
    fleets = [random_fleet(seed) for seed in range(150)]

    acts = {event.what for fleet in fleets for event in fleet.events if isinstance(event, Act)}
    uplinks = [event for fleet in fleets for event in fleet.events if isinstance(event, Uplink)]

    assert acts == set(What)
    assert {one.said for fleet in fleets for one in fleet.corrections} == set(Said)
    assert {fleet.kind for fleet in fleets} == set(KINDS)
    assert any(len({row.sensor for row in uplink.rows}) > 1 for uplink in uplinks)
    assert any(len({sensor.organization for sensor in fleet.sensors}) > 1 for fleet in fleets)
    assert any(len(fleet.partitions) > 1 for fleet in fleets)
    assert any(one.ends_at is not None for fleet in fleets for sensor in fleet.sensors for one in sensor.assignments)
    assert any(row.bare for fleet in fleets for row in fleet.rows)
    assert any(row.value is None and not row.bare for fleet in fleets for row in fleet.rows)


def test_the_same_seed_is_the_same_fleet_and_comes_to_the_same() -> None:
    assert random_fleet(7, "mixed") == random_fleet(7, "mixed")
    first, second = try_fleet("mixed", 7), try_fleet("mixed", 7)

    assert first == second
    assert first.versions
