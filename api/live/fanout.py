"""From one published event to the frames that site and unit subscribers get. Pure: it knows no client."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from schemas.events import Event, EventName


class _Readings(msgspec.Struct):
    readings: list[msgspec.Raw]


class _UnitOf(msgspec.Struct):
    unit: int


_EVENT: Final = msgspec.json.Decoder(Event)
_READINGS: Final = msgspec.json.Decoder(_Readings)
_UNIT_OF: Final = msgspec.json.Decoder(_UnitOf)
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(slots=True)
class Frames:
    """The frames of one event."""

    event: str
    organization: int
    site: int
    to_site: str
    """For subscribers of the site."""
    to_units: list[tuple[int, str]] = field(default_factory=list)
    """For subscribers of each of these units."""
    droppable: bool = False
    """Readings may be dropped for a slow client."""


def fan_out(message: bytes, is_watched: Callable[[int], bool]) -> Frames:
    """Return the frames of a published event; units for which `is_watched` is false get none.

    Raises msgspec.MsgspecError, UnicodeDecodeError for what is no event.
    """
    event = _EVENT.decode(message)
    text = message.decode()
    frames = Frames(event.event, event.organization, event.site, text)
    if event.event == EventName.READINGS:
        frames.droppable = True
        frames.to_units = _each_reading(event, is_watched)
    elif event.event == EventName.READING:
        frames.droppable = True
        frames.to_site = _frame(event, EventName.READINGS, event.cursor, _batch_of(event.data))
        frames.to_units = [(event.unit, text)] if is_watched(event.unit) else []
    elif is_watched(event.unit):
        frames.to_units = [(event.unit, text)]
    return frames


def _each_reading(event: Event, is_watched: Callable[[int], bool]) -> list[tuple[int, str]]:
    frames = []
    for index, reading in enumerate(_READINGS.decode(event.data).readings):
        unit = _UNIT_OF.decode(reading).unit
        if is_watched(unit):
            cursor = f"{event.cursor}.{index}"
            frames.append((unit, _frame(msgspec.structs.replace(event, unit=unit), EventName.READING, cursor, reading)))
    return frames


def _batch_of(reading: msgspec.Raw) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode({"readings": [reading]}))


def _frame(event: Event, name: EventName, cursor: str, data: msgspec.Raw) -> str:
    return _ENCODER.encode(msgspec.structs.replace(event, event=name.value, cursor=cursor, data=data)).decode()
