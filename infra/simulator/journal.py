"""What was acknowledged, one JSON line per uplink, for whoever wants to compare it with the database afterwards."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from infra.simulator.uplink import Uplink

BUFFER_BYTES: Final = 1 << 16


class JournalLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One acknowledged uplink; times in ms UTC, the temperature in hundredths of a degree Celsius."""

    kind: str
    dev_eui: str
    count: int
    measured_at: int
    hundredths: int | None
    acked_at: int
    tries: int
    """Above 1 the log may hold the uplink more than once: an earlier try may have been taken without an answer."""
    twice: bool = False
    """The same body is delivered a second time; that has a line of its own, of kind "duplicate"."""
    held_ms: int = 0
    """How much later it was delivered than it could have been, so that others may have overtaken it."""
    history: tuple[tuple[int, int], ...] = ()
    """Readings from the device's log that it carries: when measured, and hundredths of a degree."""


class Journal:
    """Appends lines to a file; without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        """Open the file anew."""
        self._file = None if path is None else path.open("wb", buffering=BUFFER_BYTES)
        self._encoder = msgspec.json.Encoder()
        self._lock = threading.Lock()

    def write(self, uplink: Uplink, acked_at: int, tries: int) -> None:
        """Append the line of an uplink that was acknowledged at `acked_at` (ms UTC)."""
        if self._file is None:
            return
        line = JournalLine(
            kind=uplink.kind.value,
            dev_eui=uplink.dev_eui,
            count=uplink.count,
            measured_at=uplink.measured_at,
            hundredths=uplink.hundredths,
            acked_at=acked_at,
            tries=tries,
            twice=uplink.is_twice,
            held_ms=uplink.held_ms,
            history=uplink.history,
        )
        with self._lock:
            self._file.write(self._encoder.encode(line) + b"\n")

    def flush(self) -> None:
        """Write what is buffered."""
        if self._file is not None:
            with self._lock:
                self._file.flush()

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def read_journal(path: Path) -> list[JournalLine]:
    """Return the lines of a journal; a last line that is cut off is left out."""
    *lines, _rest = path.read_bytes().split(b"\n")
    decoder = msgspec.json.Decoder(JournalLine)
    return [decoder.decode(line) for line in lines]
