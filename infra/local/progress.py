"""What the local stack tells the person who watches: one line for each thing that happened."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TextIO

NAME_WIDTH: Final = 18


class Progress(Protocol):
    """Told of everything that happens to the parts of a stack."""

    def say(self, name: str, text: str) -> None:
        """Tell of something that went as it should."""

    def warn(self, name: str, text: str) -> None:
        """Tell of something a person may want to look into."""


@dataclass(frozen=True, slots=True)
class TerminalProgress:
    """Writes a line for each event, with the seconds since the start; in colour on a terminal."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    started: float = field(default_factory=time.monotonic)
    clock: Callable[[], float] = time.monotonic

    def say(self, name: str, text: str) -> None:
        """Write an ordinary line."""
        self._write(name, text, "32")

    def warn(self, name: str, text: str) -> None:
        """Write a line that stands out."""
        self._write(name, text, "33")

    def _write(self, name: str, text: str, colour: str) -> None:
        label = f"{name:<{NAME_WIDTH}}"
        if self.out.isatty():
            label = f"\x1b[{colour}m{label}\x1b[0m"
        print(
            f"{self.clock() - self.started:7.1f}s  {label} {text}",
            file=self.out,
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class RecordedProgress:
    """Keeps the lines instead of showing them, for tests."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def say(self, name: str, text: str) -> None:
        """Keep an ordinary line."""
        self.lines.append((name, text))

    def warn(self, name: str, text: str) -> None:
        """Keep a warning."""
        self.lines.append((name, text))
