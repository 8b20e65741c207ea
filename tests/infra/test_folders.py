"""Where the data of a stack lives, and how a folder is kept to one supervisor."""

import os
import shutil
from pathlib import Path

import pytest

from infra.local.errors import StackError
from infra.local.folders import Folders
from infra.local.lock import exclusive, holder
from infra.local.postgres import remove_stale_pid_file


def test_a_data_folder_made_anew_does_not_find_the_old_database_outside(tmp_path: Path) -> None:
    first = Folders.at(tmp_path / "data").outside(Path("/somewhere"))
    again = Folders.at(tmp_path / "data").outside(Path("/somewhere"))
    shutil.rmtree(tmp_path / "data")

    anew = Folders.at(tmp_path / "data").outside(Path("/somewhere"))

    assert first == again
    assert anew != first


def test_a_second_supervisor_is_refused_with_the_id_of_the_first(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"):
        with pytest.raises(StackError, match=f"process {os.getpid()}"), exclusive(tmp_path / "lock"):
            pass
        assert holder(tmp_path / "lock") == os.getpid()

    assert holder(tmp_path / "lock") is None


def test_a_free_folder_has_no_holder(tmp_path: Path) -> None:
    assert holder(tmp_path / "absent") is None


def test_lock_file_of_a_killed_server_is_removed(tmp_path: Path) -> None:
    # The id is taken again by a process, this one, that does not work in the folder.
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")

    remove_stale_pid_file(tmp_path)

    assert not (tmp_path / "postmaster.pid").exists()


def test_lock_file_of_a_living_server_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")

    with pytest.raises(StackError, match=str(os.getpid())):
        remove_stale_pid_file(tmp_path)

    assert (tmp_path / "postmaster.pid").exists()
