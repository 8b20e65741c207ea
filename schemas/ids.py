"""Ids are derived, never drawn: the same fact has the same id however often it is found."""

import uuid
from typing import Final, NewType

OrganizationId = NewType("OrganizationId", int)
SiteId = NewType("SiteId", int)
UnitId = NewType("UnitId", int)
DeviceId = NewType("DeviceId", int)
SensorId = NewType("SensorId", int)
PolicyVersionId = NewType("PolicyVersionId", int)
ConfigurationId = NewType("ConfigurationId", int)
AssignmentId = NewType("AssignmentId", int)

_NAMESPACE: Final = uuid.UUID("6f1c53a8-5f0e-5b4c-9a53-c01d57ea3003")


def excursion_id(sensor: int, band: str, first_started_at: int, counter: int = 0) -> uuid.UUID:
    """Return the id of an excursion.

    `first_started_at` (ms UTC) is `started_at` as first recorded; `counter` is above 0 only where voided history already
    holds the id.
    """
    return uuid.uuid5(_NAMESPACE, f"excursion/{sensor}/{band}/{first_started_at}/{counter}")


def condition_id(device: int, kind: str, started_at: int) -> uuid.UUID:
    """Return the id of a condition of a device, such as offline, that started at an instant (ms UTC)."""
    return uuid.uuid5(_NAMESPACE, f"condition/{device}/{kind}/{started_at}")


def band_condition_id(device: int, sensor: int, kind: str, band: str, started_at: int) -> uuid.UUID:
    """Return the id of a condition of a sensor (0: of the device itself), or of a band of it (else empty), that started at an instant (ms UTC)."""
    return uuid.uuid5(_NAMESPACE, f"condition/{device}/{sensor}/{kind}/{band}/{started_at}")


def dead_letter_id(topic: str, partition: int, offset: int, part: int) -> uuid.UUID:
    """Return the id of a dead letter: where its raw bytes stand in the log, and which part of them."""
    return uuid.uuid5(_NAMESPACE, f"dead-letter/{topic}/{partition}/{offset}/{part}")
