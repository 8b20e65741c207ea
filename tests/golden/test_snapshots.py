"""Snapshots of a shipped version load for ever, as what was written down with them."""

import json
from pathlib import Path

import pytest

from pipelines.domain.excursion_states import Breaching, InRange, Open, Recovering
from pipelines.domain.windowed_states import BandState, CumulativeIdle, CumulativeOpen, MeanIdle, MeanOpen, MktIdle, MktOpen
from pipelines.engine.judgements import ConditionChange, Fact, Judged, Output, RunningFact
from pipelines.engine.shard import Shard, read_snapshot
from tests.engine.random_log import terms
from tests.golden.snapshot import CONDITIONS, PACKED_RUNS, RUNS, SNAPSHOTS, VARYING, WAITING, WINDOWS, Kept, loaded, write_once

EACH = pytest.mark.parametrize("kept", SNAPSHOTS, ids=lambda kept: kept.name)


def facts(outputs: list[Output], kept: Kept) -> list[Fact]:
    """Return the facts among a shard's outputs; running figures are told once a minute of a process's life, so a restart tells more.

    Nor is a condition that stood before version 5 known after it.
    """
    left_out = (RunningFact,) if kept.version >= CONDITIONS.version else (RunningFact, ConditionChange)
    return [fact for output in outputs if isinstance(output, Judged) for fact in output.facts if not isinstance(fact, left_out)]


def kinds_in(kept: Kept) -> set[type[BandState]]:
    """Return the types of all bands' states in a snapshot."""
    machines = read_snapshot(kept.file.read_bytes()).machines
    assert isinstance(machines, dict)
    return {type(band) for state in machines.values() for band in state.bands}


@EACH
def test_a_shipped_snapshot_loads_as_what_was_written_down_with_it(kept: Kept) -> None:
    content = kept.file.read_bytes()

    assert read_snapshot(content).version == kept.version
    assert json.loads(loaded(content)) == json.loads(kept.loads_as.read_text())


@EACH
def test_a_shard_restored_from_a_shipped_version_goes_on_as_if_nothing_had_happened(kept: Kept) -> None:
    records = kept.records()
    whole = Shard(3, terms())
    whole.on_records(records[: kept.rows])

    restored = Shard(3, terms(), kept.file.read_bytes())

    assert restored.done == whole.done
    after = facts(restored.on_records(records[kept.rows :]), kept)
    assert after == facts(whole.on_records(records[kept.rows :]), kept)
    assert after


def test_every_state_of_a_band_and_an_offline_device_stand_in_a_snapshot() -> None:
    written = json.loads(RUNS.loads_as.read_text())

    kinds = kinds_in(RUNS)

    assert kinds == {InRange, Breaching, Open, Recovering}
    assert kinds_in(WINDOWS) >= {CumulativeIdle, CumulativeOpen, MeanIdle, MeanOpen, MktIdle, MktOpen}
    assert any(device["offline_since"] > 0 for device in written["devices"])


def test_a_sensor_that_waits_for_a_revision_stands_in_a_snapshot_with_what_came_of_it() -> None:
    awaiting = read_snapshot(WAITING.file.read_bytes()).awaiting

    assert isinstance(awaiting, dict)
    assert any(one.lines for one in awaiting.values())


def test_every_condition_stands_in_a_snapshot() -> None:
    written = json.loads(CONDITIONS.loads_as.read_text())

    states = [state for watched in written["watched"].values() for state in watched[0][1:5]]
    kinds = {state[0] for state in states} | {clock[0][0] for clock in written["clocks"].values()}
    assert kinds >= {"sagging", "low", "ajar", "open_too_long", "varying", "frozen", "doubted", "faulty", "wrong"}
    assert written["possible"]
    assert any(row["readings"] for row in json.loads(VARYING.loads_as.read_text())["frozen"])


def test_a_file_of_a_shipped_version_is_never_written_again(tmp_path: Path) -> None:
    file = tmp_path / "v1.bin"

    write_once(file, b"first")
    write_once(file, b"second")

    assert file.read_bytes() == b"first"


def test_versions_of_the_same_shard_load_as_the_same() -> None:
    one, two = (json.loads(kept.loads_as.read_text()) for kept in (RUNS, PACKED_RUNS))

    assert {**one, "version": 2} == two
