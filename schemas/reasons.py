"""Why an uplink or a value of it was not believed: one closed set, the same in rows, dead letters, logs and metric labels.

Codes are stored in the columns `reason` of `readings` and of the hypertable: never give one a new meaning, only add.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RejectReason(StrEnum):
    """Every reason; the value is its name everywhere outside the code."""

    NOT_UTF8 = "not_utf8"
    """The bytes are no UTF-8 text."""
    NOT_JSON = "not_json"
    """The text is no strict JSON: NaN, infinities, lone surrogates, absurd depth."""
    TOO_LARGE = "too_large"
    """More bytes than a webhook body may have."""
    NOT_A_MESSAGE = "not_a_message"
    """JSON, but not a message of The Things Stack."""
    NO_DEVICE = "no_device"
    """A message without a device EUI of 16 hexadecimal digits."""
    FOREIGN_APPLICATION = "foreign_application"
    """The body names another application than the webhook's secret does."""
    UNASSIGNED = "unassigned"
    """No sensor is registered for the device, or for the probe."""
    CLOCK_WRONG = "clock_wrong"
    """`measured_at` is too far from when the uplink was received, or absent."""
    DECODER_FAILED = "decoder_failed"
    """The device sent a payload, and the network server's decoder made nothing of it."""
    NO_PAYLOAD = "no_payload"
    """The device's uplink carried no payload at all."""
    NO_READING = "no_reading"
    """Understood, and there is nothing to store in it: a join, a downlink receipt, a status frame."""
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    """A second reading of the same sensor and time with another value; the first in log order stays."""

    NOT_A_NUMBER = "not_a_number"
    """The sensor's value is null, NaN or an error word."""
    SENTINEL = "sentinel"
    """A number by which a device says that it has no value, such as 327.67."""
    OUT_OF_RANGE = "out_of_range"
    """Outside the model's measuring range, or outside -100..+150 degrees C where none is known."""
    POWER_ON_85 = "power_on_85"
    """85.0, what a DS18B20 holds after power-on before it has measured."""
    PROBE_MISSING = "probe_missing"
    """The device itself says that the probe is not connected, or its value not valid."""
    FLAGGED = "flagged"
    """A person said that the value is not to be believed: a correction, never stored with the reading."""


CODES: Final = MappingProxyType(
    {
        RejectReason.NOT_UTF8: 1,
        RejectReason.NOT_JSON: 2,
        RejectReason.TOO_LARGE: 3,
        RejectReason.NOT_A_MESSAGE: 4,
        RejectReason.NO_DEVICE: 5,
        RejectReason.FOREIGN_APPLICATION: 6,
        RejectReason.UNASSIGNED: 7,
        RejectReason.CLOCK_WRONG: 8,
        RejectReason.DECODER_FAILED: 9,
        RejectReason.NO_PAYLOAD: 10,
        RejectReason.NO_READING: 11,
        RejectReason.CONFLICTING_DUPLICATE: 12,
        RejectReason.NOT_A_NUMBER: 32,
        RejectReason.SENTINEL: 33,
        RejectReason.OUT_OF_RANGE: 34,
        RejectReason.POWER_ON_85: 35,
        RejectReason.PROBE_MISSING: 36,
        RejectReason.FLAGGED: 37,
    },
)
"""Codes 1 to 31 are about whole uplinks, 32 to 255 about single values; 0 means no reason."""

_REASONS: Final = MappingProxyType({code: reason for reason, code in CODES.items()})


def code_of_reason(reason: RejectReason | None) -> int:
    """Return the stable code of a reason (1 to 255), or 0 for none."""
    return 0 if reason is None else CODES[reason]


def name_of_code(code: int) -> str:
    """Return what counters call a stored code: the reason's name, `none` for 0, `unknown` for one of a newer version."""
    return "none" if code == 0 else _REASONS[code].value if code in _REASONS else "unknown"


def reason_of_code(code: int) -> RejectReason:
    """Return the reason of a stored code; raises KeyError for 0 and for a code this version does not know."""
    return _REASONS[code]


def is_known(code: int) -> bool:
    """Tell whether a stored code is a reason that this version knows."""
    return code in _REASONS
