"""Lengths of time as people write them: 30d, 12h, 90m, 45s, 250ms, with a minus where they may go back. Pure."""

import re
from typing import Final

UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
PATTERN: Final = re.compile(r"(-?)([0-9]{1,9})(d|h|m|s|ms)")


def milliseconds(text: str) -> int:
    """Return a length in ms; raises ValueError on anything else."""
    match = PATTERN.fullmatch(text)
    if match is None:
        message = f"{text!r} is no length of time: write 30d, 12h, 90m or 45s"
        raise ValueError(message)
    length = int(match[2]) * UNITS[match[3]]
    return -length if match[1] else length
