"""What a message comes to: readings by probe, the one to show, or why there is none. Values only.

Structs, not dataclasses: some are made for every uplink, and a frozen dataclass takes ten times as long to make.
"""

import msgspec

from pipelines.domain.decoders.message import MessageKind, Rejection
from schemas.reasons import RejectReason


class ProbeReading(msgspec.Struct, frozen=True, gc=False):
    """One row of an uplink: a probe's temperature or fault, or what stands beside. Hundredths, millivolts, ms UTC."""

    probe: str
    measured_at: int
    temperature: int | None = None
    humidity: int | None = None
    battery_millivolts: int | None = None
    battery_percent: int | None = None
    door_open: bool | None = None
    fault: RejectReason | None = None
    detail: str = ""
    history: bool = False
    secondary: bool = False
    """Of the device itself, soil, a liquid or a process: never the headline."""
    battery_guessed: bool = False
    """Nothing but its value says that `battery_percent` is percent: it is to be shown, and not to be judged."""


class Decoded(msgspec.Struct, frozen=True):
    """What a message came to."""

    kind: MessageKind
    readings: tuple[ProbeReading, ...] = ()
    headline: ProbeReading | None = None
    """The reading to show: a valid external probe before a built-in one; None where several are equal or none is valid."""
    main: ProbeReading | None = None
    """The best-ranked probe the device has, even if faulty; None where several are equal. With history alone, its newest reading."""
    rejection: Rejection | None = None
    """Why nothing is stored; NO_READING where it was understood."""
    decoder: str = ""
    """What judged it: a line of the table of models, `normalized`, or `fallback` for a model of which nothing is known."""
