"""A folder that every user can enter is found also below one that is closed."""

from pathlib import Path

from tests.faults.places import open_place, remove_places


def test_below_a_closed_folder_the_place_is_outside_and_goes_with_it(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    place = open_place(closed / "shim")

    assert closed not in place.parents
    assert place.stat().st_mode & 0o777 == 0o755
    assert open_place(closed / "shim") == place
    remove_places(closed)
    assert not place.exists()
    assert not closed.exists()
