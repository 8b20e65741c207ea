"""Grouping cells anew: what some folders keep is found in the new ones, each thing once, and nothing is risked on the way."""

from pathlib import Path

import pytest

from pipelines.connectors.errors import Misconfigured
from pipelines.engine.cell import Cell, claim, has_store
from pipelines.engine.regroup import Kept, Shape, read_store, regroup, shape_of, write_store
from pipelines.engine.source import partition_key
from tests.golden.drawings import flows

SHAPE = Shape("detect_excursions", "read_readings", "readings", ("judge",), (("read_revised", "revised"),))


@pytest.fixture(autouse=True)
def _small_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make stores of few files: each is synced to the disk, and nothing here depends on their number."""
    monkeypatch.setattr("pipelines.engine.cell.RECOVERY_PARTITIONS", 2)


def cell(folder: Path, first: int, last: int) -> Cell:
    """Return a cell of detect_excursions."""
    return Cell("detect_excursions", tuple(range(first, last + 1)), folder)


def some_state(partitions: range, *, newest: int = 0) -> Kept:
    """Return offsets and snapshots that differ for each partition."""
    states = {("judge", partition_key(number)): b"state of %d, %d" % (number, newest) for number in partitions}
    further = {"revised": {number: 10 + number for number in partitions}}
    return Kept({number: 1_000 + number + newest for number in partitions}, states, further)


def kept_by(one: Cell) -> Kept:
    """Return what a folder keeps."""
    kept = Kept()
    read_store(SHAPE, one, kept)
    return kept


def test_a_split_and_a_merge_bring_back_every_offset_and_every_snapshot(tmp_path: Path) -> None:
    whole = cell(tmp_path / "whole", 0, 9)
    parts = [cell(tmp_path / "a", 0, 2), cell(tmp_path / "b", 3, 3), cell(tmp_path / "c", 4, 9)]
    again = cell(tmp_path / "again", 0, 9)
    write_store(SHAPE, whole, some_state(range(10)))

    regroup(SHAPE, [whole], parts)
    regroup(SHAPE, parts, [again])

    assert kept_by(parts[0]) == some_state(range(3))
    assert kept_by(parts[1]) == some_state(range(3, 4))
    assert kept_by(again) == some_state(range(10))
    assert kept_by(whole) == some_state(range(10))


def test_a_flow_without_state_keeps_its_offsets(tmp_path: Path) -> None:
    shape = Shape("store_readings", "read_readings", "readings", ())
    whole, halves = cell(tmp_path / "whole", 0, 3), [cell(tmp_path / "a", 0, 1), cell(tmp_path / "b", 2, 3)]
    write_store(shape, whole, Kept({0: 5, 1: 6, 2: 7}))
    kept = Kept()

    regroup(shape, [whole], halves)

    read_store(shape, halves[1], kept)
    assert kept == Kept({2: 7})


def test_a_folder_whose_cell_runs_is_not_touched(tmp_path: Path) -> None:
    whole, half, other = cell(tmp_path / "whole", 0, 3), cell(tmp_path / "a", 0, 1), cell(tmp_path / "b", 2, 3)
    write_store(SHAPE, whole, some_state(range(4)))

    with claim(whole.folder), pytest.raises(Misconfigured, match="already runs on the recovery folder"):
        regroup(SHAPE, [whole], [half, other])

    assert not half.folder.exists()


def test_partitions_may_neither_be_left_out_nor_come_twice(tmp_path: Path) -> None:
    whole = cell(tmp_path / "whole", 0, 3)
    write_store(SHAPE, whole, some_state(range(4)))

    with pytest.raises(Misconfigured, match=r"\(00-03\) and to write \(00-02\) must be the same"):
        regroup(SHAPE, [whole], [cell(tmp_path / "a", 0, 2)])
    with pytest.raises(Misconfigured, match="must be the same"):
        regroup(SHAPE, [whole, whole], [cell(tmp_path / "a", 0, 3)])


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    whole = cell(tmp_path / "whole", 0, 3)
    write_store(SHAPE, whole, some_state(range(4)))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "letter").write_text("dear")

    with pytest.raises(Misconfigured, match="is not empty"):
        regroup(SHAPE, [whole], [cell(tmp_path / "a", 0, 3)])

    assert (tmp_path / "a" / "letter").read_text() == "dear"


def test_a_folder_of_other_partitions_is_not_read_as_if_it_were_this_ones(tmp_path: Path) -> None:
    write_store(SHAPE, cell(tmp_path / "whole", 0, 9), some_state(range(10)))
    half = cell(tmp_path / "whole", 0, 4)

    with pytest.raises(Misconfigured, match="is of detect_excursions-00-09"):
        regroup(SHAPE, [half], [cell(tmp_path / "a", 0, 4)])

    assert not has_store(tmp_path / "a")


def test_every_real_flow_says_where_it_keeps_something() -> None:
    shapes = {shape.flow: shape for shape in map(shape_of, flows())}

    assert shapes["detect_excursions"] == SHAPE
    assert shapes["revise_excursions"] == Shape("revise_excursions", "read_revisions", "revisions", ("gather",))
    assert shapes["decode_uplinks"] == Shape("decode_uplinks", "read_uplinks", "uplinks", ("decode",))
    assert shapes["store_readings"].state_steps == shapes["store_dead_letters"].state_steps == ()
