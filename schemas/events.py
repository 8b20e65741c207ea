"""Wire events: what is written to `alerting`, published on Redis and told to dashboards.

An event is JSON: `{"event": name, "cursor": opaque, "organization": id, "site": id, "unit": id, "data": {...}}`. Times are ISO 8601
UTC with milliseconds, temperatures degrees Celsius. Redis channel: `live:<organization id>`.
"""

from enum import StrEnum
from typing import Final

import msgspec


class EventName(StrEnum):
    """Every event a subscriber may see."""

    READING = "sensor:reading"
    READINGS = "sensor:readings:batch"
    ALERT_TRIGGERED = "alert:triggered"
    ALERT_RESOLVED = "alert:resolved"
    UNIT_STATE_CHANGED = "unit:state:changed"


class UnitState(StrEnum):
    """The state of a sensor, and of a unit: the worst of its sensors. The order here is from best to worst."""

    IN_RANGE = "in_range"
    RECOVERING = "recovering"
    BREACHING = "breaching"
    UNKNOWN = "unknown"
    OFFLINE = "offline"
    EXCURSION = "excursion"


SEVERITY_ORDER: Final = tuple(UnitState)


def worst(states: list[UnitState]) -> UnitState:
    """Return the worst of some states; unknown when there are none."""
    return max(states, key=SEVERITY_ORDER.index, default=UnitState.UNKNOWN)


class ReadingData(msgspec.Struct, frozen=True, omit_defaults=True):
    """Data of `sensor:reading`; `sensor:readings:batch` has `{"readings": [these]}`."""

    sensor: int
    unit: int
    measured_at: str
    received_at: str
    temperature_celsius: float | None = None
    humidity_percent: float | None = None
    battery_volts: float | None = None
    battery_percent: int | None = None
    door_open: bool | None = None
    fault: str | None = None


class AlertData(msgspec.Struct, frozen=True, omit_defaults=True):
    """Data of `alert:triggered` and `alert:resolved`: until escalations exist, an opened excursion or a condition."""

    id: str
    version: int
    category: str
    """`temperature`, or the kind of a condition: `offline`, `sensor_fault`, `battery_low` ..."""
    severity: str
    sensor: int | None
    device: int
    started_at: str
    opened_at: str
    caused_by_received_at: str | None
    """When the uplink (or tick) that led to this event was received; accepted-to-told is measured from here."""
    band: str | None = None
    kind: str | None = None
    """Of the band: `sustained`, `cumulative`, `mean`, `mkt`."""
    side: str | None = None
    limit_celsius: float | None = None
    ended_at: str | None = None
    closed_at: str | None = None
    ended_by: str | None = None
    peak_celsius: float | None = None
    reason: str = ""
    """Why this version of an excursion was written: `late` where late readings changed or found it."""
    moved_to: int | None = None
    """Unit where the excursion is found now, in what is told at the one where it was: for that one it is void."""


class UnitStateData(msgspec.Struct, frozen=True):
    """Data of `unit:state:changed`."""

    state: str
    since: str
    sensors: dict[str, str]
    """State of each of the unit's sensors, by sensor id."""


class Event(msgspec.Struct, frozen=True):
    """The envelope of every event."""

    event: str
    cursor: str
    organization: int
    site: int
    unit: int
    data: msgspec.Raw


def live_channel(organization: int) -> str:
    """Return the Redis channel that carries an organization's events."""
    return f"live:{organization}"
