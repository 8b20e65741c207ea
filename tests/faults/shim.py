"""Builds the shim with gcc and gives its orders: the wall clock of one process, or the time its fsyncs take."""

import contextlib
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.faults.places import OPEN, open_place
from tests.faults.work import PARTS

SOURCE: Final = Path(__file__).with_name("shim.c")
ORDERS: Final = struct.Struct("=qq")
COUNT: Final = struct.Struct("=q")
EVERYONE: Final = 0o666


class ShimError(Exception):
    """The shim cannot be built."""


class Shim:
    """The orders of the processes of one stack, in a folder that every user can read."""

    def __init__(self, folder: Path) -> None:
        """Build the shim and write the orders of each part: nothing is changed yet."""
        self._folder = open_place(folder)
        self._library = self._folder / "shim.so"
        if shutil.which("gcc") is None:
            raise ShimError("gcc is needed for clock jumps and slow disks: apt-get install -y gcc libc6-dev")
        command = ["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(self._library), str(SOURCE), "-ldl"]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            raise ShimError(f"gcc could not build the shim: {built.stderr[-1000:]}")
        self._library.chmod(OPEN)
        for part in PARTS:
            self.order(part)

    def order(self, part: str, *, clock_offset_seconds: float = 0, fsync_delay_seconds: float = 0) -> None:
        """Change what one part's process sees, at once."""
        orders = ORDERS.pack(round(clock_offset_seconds * 1e9), round(fsync_delay_seconds * 1e6))
        path = self._folder / part
        if not path.exists():
            path.write_bytes(orders + COUNT.pack(0))
            path.chmod(EVERYONE)
            return
        # Written in place: the processes have this very file mapped.
        with path.open("r+b") as file:
            file.write(orders)

    def held_up(self, part: str) -> int:
        """Return how many fsyncs of a part's processes have been made to wait so far."""
        return int(COUNT.unpack_from((self._folder / part).read_bytes(), ORDERS.size)[0])

    @contextlib.contextmanager
    def loaded(self) -> Iterator[None]:
        """Load the shim into every process that is started while the block runs."""
        names = {"LD_PRELOAD": str(self._library), "FAULT_SHIM": str(self._folder)}
        os.environ |= names
        try:
            yield
        finally:
            for name in names:
                del os.environ[name]
