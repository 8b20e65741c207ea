"""Where everything of one local stack lives: all of it below one data folder, apart from the shared Kafka jars."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]


def kafka_libs() -> Path:
    """Return the folder of Kafka's jars, which several stacks share; `make setup` fills it."""
    return Path(os.environ.get("COLDSTREAM_KAFKA_LIBS") or REPOSITORY / ".local" / "kafka-libs")


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one stack, below `data`."""

    data: Path

    @classmethod
    def at(cls, data: Path) -> "Folders":
        """Create the folders that every part needs and return them."""
        folders = cls(data.resolve())
        for folder in (folders.data, folders.logs, folders.run):
            folder.mkdir(parents=True, exist_ok=True)
        return folders

    @property
    def logs(self) -> Path:
        """One `<name>.log` for each child."""
        return self.data / "logs"

    @property
    def run(self) -> Path:
        """One `<name>.pid` for each running child."""
        return self.data / "run"

    @property
    def environment(self) -> Path:
        """The file of resolved settings, which other commands read to find this stack."""
        return self.data / "env"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this folder."""
        return self.data / "lock"

    def part(self, name: str) -> Path:
        """Return the folder of one part, created when it is missing."""
        folder = self.data / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def outside(self, parent: Path) -> Path:
        """Return a folder below `parent` that belongs to this data folder alone.

        Its name holds an id kept in the data folder, so a data folder that was removed and made anew does not find
        the old database beside a new, empty log.
        """
        id_file = self.data / "stack-id"
        if not id_file.exists():
            id_file.write_text(secrets.token_hex(4) + "\n")
        place = hashlib.sha256(str(self.data).encode()).hexdigest()[:8]
        return parent / f"coldstream-{place}-{id_file.read_text().strip()}"
