"""A full disk under one part at a time: its folder moves to a small file system of its own, which is filled and freed again."""

import contextlib
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Final

from infra.local.errors import StackError
from infra.local.parts import Part
from tests.faults.places import open_place
from tests.faults.rig import Rig, now, wait_for, written_since
from tests.faults.work import Recovery, Watch

ROOM_BYTES: Final = 96 << 20
"""What the small file system holds beyond what is in the folder."""
START_TRIES: Final = 3
FULL_SECONDS: Final = 15.0
MEET_SECONDS: Final = 30.0
"""So much longer it stays full until the part has met it."""
NO_SPACE: Final = (b"No space left on device", b"database or disk is full")
CHUNK: Final = bytes(1 << 20)


class SmallDisk:
    """A tmpfs of fixed size that a part's folder was moved to."""

    def __init__(self, rig: Rig, part: Part, folder: Path) -> None:
        """Stop the part, move its folder, and start it again."""
        self._rig, self._part = rig, part
        self.place = open_place(rig.folder / f"disk-{part}")
        self._ballast = self.place / "ballast"
        rig.stack.stop_child(part)
        size = int(run("du", "-sB1", str(folder)).split()[0]) + ROOM_BYTES
        try:
            run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(self.place))
        except subprocess.CalledProcessError as error:
            raise AssertionError(f"a full disk needs root and the right to mount: {error.stderr.strip()}") from error
        rig.afterwards.callback(run, "umount", str(self.place))
        run("cp", "-a", str(folder), str(self.place / folder.name))
        folder.rename(folder.with_name(f"{folder.name}.moved"))
        folder.symlink_to(self.place / folder.name)
        start(rig, part)

    def fill(self) -> None:
        """Leave not a byte free."""
        with self._ballast.open("wb", buffering=0) as file:
            for chunk in (CHUNK, CHUNK[:4096]):
                with contextlib.suppress(OSError):
                    while file.write(chunk):
                        pass
        assert os.statvfs(self.place).f_bavail == 0

    def full_seconds(self, seconds: float) -> None:
        """Stay full for a while, and until the part has met it: it says so in its log, or ended and was started again."""
        log = self._rig.stack.logs / f"{self._part}.log"
        begin, restarts = log.stat().st_size, self._rig.stack.restarts(self._part)
        deadline = time.monotonic() + seconds + MEET_SECONDS
        time.sleep(seconds)

        def has_met_it() -> bool:
            return self._rig.stack.restarts(self._part) > restarts or any(words in written_since(log, begin) for words in NO_SPACE)

        assert wait_for(has_met_it, deadline), f"{self._part} never met its full disk"

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


def start(rig: Rig, part: Part) -> None:
    """Start a part that is down, on a busy machine at a later try."""
    for _ in range(START_TRIES - 1):
        with contextlib.suppress(StackError):
            rig.stack.start_child(part)
            return
    rig.stack.start_child(part)


def run(*command: str) -> str:
    """Run a command; raises CalledProcessError."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def folder_of(rig: Rig, part: Part) -> Path:
    """Return where a part keeps what must not be lost."""
    if part is Part.POSTGRES:
        pid = rig.stack.pid(part)
        assert pid is not None
        return Path(f"/proc/{pid}/cwd").resolve()
    return rig.folder / "stack" / part / ("log" if part is Part.KAFKA else "recovery")


def fill_disks(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Fill the disk of the broker, of PostgreSQL and of a flow's recovery store, one after another; each is freed after a while."""
    watch = Watch(rig)
    disks: dict[Part, SmallDisk] = {}
    for _ in range(rounds):
        for part in chance.sample([Part.KAFKA, Part.POSTGRES, Part.DETECT_EXCURSIONS], 3):
            if part not in disks:
                began_at = now()
                disks[part] = SmallDisk(rig, part, folder_of(rig, part))
                watch.until_at_work("moved", part, began_at, now())
                watch.wait_all()
            time.sleep(chance.uniform(2.0, 4.0))
            began_at = now()
            disks[part].fill()
            try:
                disks[part].full_seconds(FULL_SECONDS)
            finally:
                disks[part].free()
            watch.until_at_work("full disk", part, began_at, now())
            watch.wait_all()
    return [one for one in watch.recoveries if one.fault != "moved"]
