"""One uplink as it is posted and remembered: what it was made as, when it is due, and what must come of it."""

from enum import StrEnum

import msgspec


class UplinkKind(StrEnum):
    """What an uplink was made as."""

    READING = "reading"
    DOOR = "door"
    STATUS = "status"
    JOIN = "join"
    DUPLICATE = "duplicate"
    """A body that is delivered a second time."""
    SENTINEL = "sentinel"
    """A value that says there is no probe."""
    HISTORY = "history"
    """Readings from the device's log, with the device's own times."""
    CLOCK = "clock"
    """A reading whose time cannot be believed."""
    STRANGER = "stranger"
    """Of a device that nobody registered."""
    FOREIGN = "foreign"
    """Of an application that is not the secret's."""
    GARBAGE = "garbage"


class Uplink(msgspec.Struct, frozen=True, gc=False):
    """One request to the webhook; times in ms UTC."""

    kind: UplinkKind
    dev_eui: str
    """Empty for garbage."""
    count: int
    measured_at: int
    due_at: int
    """When it is delivered: the message's outer `received_at`, unless it was held back."""
    hundredths: int | None
    """The temperature that must be stored for it, in hundredths of a degree Celsius."""
    body: bytes
    is_twice: bool = False
    """The same body is delivered a second time."""
    held_ms: int = 0
    """How much later than it could have been it is delivered."""
    history: tuple[tuple[int, int], ...] = ()
    """Readings that must be stored from the device's log: when measured, and hundredths of a degree."""
