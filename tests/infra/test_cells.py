"""Cells of a local stack: who owns which partitions, and that no cell starts anew because their number changed."""

from pathlib import Path

import pytest

from infra.local.cells import STORE, UNFINISHED, CellPlace, flow_specs, groups, parse_counts, wanted_places
from infra.local.errors import StackError
from infra.local.folders import Folders
from infra.local.parts import Part
from infra.local.ports import Ports
from infra.local.regrouping import MOVES, REPLACED, regroup_flow
from pipelines.connectors.errors import Misconfigured
from pipelines.engine.cell import Cell
from pipelines.engine.regroup import Kept, Shape, read_store, write_store

STORED = Part.STORE_READINGS
SHAPE = Shape(STORED, "read_readings", "readings", ())


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """The folders of a stack; stores in them are made of few files."""
    monkeypatch.setattr("pipelines.engine.cell.RECOVERY_PARTITIONS", 2)
    return Folders.at(tmp_path / "data")


def cell(place: CellPlace) -> Cell:
    """Return the cell of a place."""
    return Cell(STORED, tuple(range(place.first, place.last + 1)), place.recovery)


def ran_as(folders: Folders, cells: int) -> None:
    """Have the flow's offsets on the disk, as so many cells leave them."""
    for place in wanted_places(folders, STORED, {STORED: cells}):
        write_store(SHAPE, cell(place), Kept({partition: 100 + partition for partition in range(place.first, place.last + 1)}))


def offsets_as(folders: Folders, cells: int) -> dict[int, int]:
    """Return the offsets that so many cells would start from."""
    kept = Kept()
    for place in wanted_places(folders, STORED, {STORED: cells}):
        read_store(SHAPE, cell(place), kept)
    return kept.offsets


def start_as(folders: Folders, cells: int) -> list[str]:
    """Return the names of the children that a start would have."""
    return [spec.name for spec in flow_specs(STORED, folders, Ports(30_000), {STORED: cells}, {})]


@pytest.mark.parametrize("cells", [1, 2, 3, 5, 64])
def test_every_partition_has_one_cell_and_cells_are_as_equal_as_can_be(cells: int) -> None:
    found = groups(64, cells)

    assert [partition for first, last in found for partition in range(first, last + 1)] == list(range(64))
    sizes = {last - first + 1 for first, last in found}
    assert max(sizes) - min(sizes) <= 1


def test_a_bare_number_is_for_flows_that_are_keyed_by_device_and_names_go_before_it() -> None:
    assert parse_counts("2,detect_excursions=4") == {
        Part.DECODE_UPLINKS: 2,
        STORED: 2,
        Part.REVISE_EXCURSIONS: 2,
        Part.DETECT_EXCURSIONS: 4,
    }


@pytest.mark.parametrize("wrong", ["0", "65", "two", "detect=2", "store_dead_letters=5", "store_readings="])
def test_a_number_that_cannot_be_is_told(wrong: str) -> None:
    with pytest.raises(StackError, match=r"cells, not|no flow"):
        parse_counts(wrong)


def test_one_cell_keeps_the_folder_and_the_name_that_it_always_had(folders: Folders) -> None:
    (spec,) = flow_specs(STORED, folders, Ports(30_000), {}, {})

    assert spec.name == "store_readings"
    assert spec.environment["RECOVERY_DIR"] == str(folders.data / "store_readings" / "recovery")


def test_several_cells_have_folders_ports_and_names_of_their_own(folders: Folders) -> None:
    specs = flow_specs(STORED, folders, Ports(30_000), {STORED: 2}, {})

    assert [spec.name for spec in specs] == ["store_readings-00-31", "store_readings-32-63"]
    assert [spec.command[-2:] for spec in specs] == [("--partitions", "00-31"), ("--partitions", "32-63")]
    assert len({spec.ports for spec in specs}) == 2
    assert specs[1].environment["RECOVERY_DIR"].endswith("/store_readings/32-63/recovery")


def test_a_flow_that_ran_as_other_cells_is_not_started_and_the_way_on_is_told(folders: Folders) -> None:
    ran_as(folders, 1)

    with pytest.raises(StackError, match=r"ran as 1 cell \(00-63\) before, and is to have 2 now") as told:
        start_as(folders, 2)

    assert f"coldstream regroup --data {folders.data} --cells store_readings=2" in told.value.advice


def test_a_cell_that_has_not_run_yet_beside_others_that_have_is_started(folders: Folders) -> None:
    ran_as(folders, 2)
    (folders.data / STORED / "00-31" / "recovery" / STORE).unlink()

    assert len(start_as(folders, 2)) == 2


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 3)])
def test_grouped_anew_every_partition_goes_on_where_it_was(folders: Folders, before: int, after: int) -> None:
    ran_as(folders, before)

    regroup_flow(folders, STORED, {STORED: after}, SHAPE)

    assert offsets_as(folders, after) == {partition: 100 + partition for partition in range(64)}
    assert len(start_as(folders, after)) == after
    assert len(list((folders.data / STORED / REPLACED).iterdir())) == before


def test_an_interruption_between_the_moves_is_finished_by_the_next_try(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    ran_as(folders, 1)
    rename = Path.rename
    moved: list[Path] = []

    def rename_once(path: Path, target: Path) -> Path:
        if moved:
            raise KeyboardInterrupt
        moved.append(target)
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename_once)
        with pytest.raises(KeyboardInterrupt):
            regroup_flow(folders, STORED, {STORED: 2}, SHAPE)
    assert (folders.data / STORED / UNFINISHED / MOVES).exists()
    with pytest.raises(StackError, match="interrupted"):
        start_as(folders, 2)

    regroup_flow(folders, STORED, {STORED: 2}, SHAPE)

    assert offsets_as(folders, 2) == {partition: 100 + partition for partition in range(64)}
    assert len(start_as(folders, 2)) == 2


def test_a_cell_that_is_missing_is_told_and_nothing_is_moved(folders: Folders) -> None:
    ran_as(folders, 2)
    (folders.data / STORED / "00-31" / "recovery" / STORE).unlink()

    with pytest.raises(Misconfigured, match="must be the same"):
        regroup_flow(folders, STORED, {STORED: 1}, SHAPE)

    assert len(start_as(folders, 2)) == 2
