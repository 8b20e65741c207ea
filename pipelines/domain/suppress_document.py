"""The field `suppress` of a band: what may hold an operational band's excursions back, read and refused (ADR 0013).

A part of `policy_document`, which reads the other fields and names the band in what is refused.
"""

from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from pipelines.domain.policy import DoorSuppression, Role, Side, Suppress

FIELDS: Final = ("defrost", "door", "maintenance", "door_after_seconds", "door_grace_seconds")

DOOR_AFTER_MS: Final = 600_000
"""The default of `door_after_seconds`: at a common interval of ten minutes the first warm reading may come that long after the door was
closed."""

DOOR_GRACE_MS: Final = 1_200_000
"""The default of `door_grace_seconds`: twice that interval, so that one reading at least can say that it is cold again."""

Milliseconds = Callable[[str, object], int]
"""Reads seconds as milliseconds, or refuses the field of that name."""


class SuppressRefused(ValueError):
    """A field that is refused: `field` within the band, and `reason`."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field is wrong and why."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def parse_suppress(written: object, side: Side, role: Role, milliseconds: Milliseconds) -> Suppress | None:
    """Return what suppresses a band of a side and role; None where the field is null or nothing in it is true.

    Raises SuppressRefused where it cannot be meant.
    """
    if written is None:
        return None
    if role is not Role.OPERATIONAL:
        _refuse("suppress", "only a band of role operational may be suppressed")
    if not isinstance(written, Mapping):
        _refuse("suppress", f"must be an object with {', '.join(FIELDS[:3])}")
    for field in written:
        if field not in FIELDS:
            _refuse(f"suppress.{field}", "there is no such field")
    defrost, door, maintenance = (_flag(written, field) for field in FIELDS[:3])
    for field, value in (("defrost", defrost), ("door", door)):
        if value and side is Side.LOW:
            _refuse(f"suppress.{field}", "explains a rise, and side is low")
    suppression = _door(written, milliseconds, door=door)
    if not (defrost or door or maintenance):
        return None
    return Suppress(defrost, maintenance, suppression)


def _door(written: Mapping[str, object], milliseconds: Milliseconds, *, door: bool) -> DoorSuppression | None:
    times = {field: written.get(field) for field in FIELDS[3:]}
    if not door:
        for field, value in times.items():
            if value is not None:
                _refuse(f"suppress.{field}", "is only of use where suppress.door is true")
        return None
    after_ms, grace_ms = (
        default if value is None else milliseconds(f"suppress.{field}", value)
        for (field, value), default in zip(times.items(), (DOOR_AFTER_MS, DOOR_GRACE_MS), strict=True)
    )
    if after_ms < 0:
        _refuse("suppress.door_after_seconds", "must not be negative")
    if grace_ms <= 0:
        _refuse("suppress.door_grace_seconds", "must be more than 0")
    return DoorSuppression(after_ms, grace_ms)


def _flag(written: Mapping[str, object], field: str) -> bool:
    value = written.get(field)
    if value is None:
        return False
    if not isinstance(value, bool):
        _refuse(f"suppress.{field}", "must be true or false")
    return value


def _refuse(field: str, reason: str) -> NoReturn:
    raise SuppressRefused(field, reason)
