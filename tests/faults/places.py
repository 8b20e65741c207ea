"""Folders that every user can enter: user postgres loads the shim, and moves to a small disk, also below a folder that is closed to it."""

import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

OPEN: Final = 0o755
PREFIX: Final = "coldstream-faults-"


def open_place(wanted: Path) -> Path:
    """Return a folder that every user can enter: `wanted` itself or, where a folder above it is closed, one that `wanted` then leads to."""
    if not wanted.exists():
        parent = wanted.parent
        parent.mkdir(parents=True, exist_ok=True)
        if all(folder.stat().st_mode & stat.S_IXOTH for folder in (parent.resolve(), *parent.resolve().parents)):
            wanted.mkdir()
        else:
            wanted.symlink_to(tempfile.mkdtemp(prefix=PREFIX))
    place = wanted.resolve()
    place.chmod(OPEN)
    return place


def remove_places(folder: Path) -> None:
    """Remove a folder, and those outside that it leads to."""
    for entry in folder.iterdir():
        if entry.is_symlink() and entry.resolve().name.startswith(PREFIX):
            shutil.rmtree(entry.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
