"""What each reason means and what a person can do about it, in a sentence each: for the CLI, the API's answers and docs/reference.md.

Sentences only; nothing is decided here but whether a replay of the dead letter can help.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.reasons import CODES, RejectReason

FIRST_OF_VALUES: Final = 32
"""Codes from here on are about single values, those below about whole uplinks."""


class Replay(StrEnum):
    """Whether writing the uplink again can end better."""

    HELPS = "helps"
    """Once the cause is mended."""
    SELDOM = "seldom"
    """Only when our own code has learned to read it."""
    NEVER = "never"
    """The same bytes come to the same end."""


@dataclass(frozen=True, slots=True)
class ReasonText:
    """A reason in words."""

    meaning: str
    what_to_do: str
    replay: Replay


TEXTS: Final = MappingProxyType(
    {
        RejectReason.NOT_UTF8: ReasonText(
            "The webhook's body is not UTF-8 text.",
            "Find out what posts to the webhook besides The Things Stack; it always sends UTF-8.",
            Replay.NEVER,
        ),
        RejectReason.NOT_JSON: ReasonText(
            "The webhook's body is not strict JSON.",
            "Set the webhook's format to JSON at The Things Stack; a payload formatter must not return NaN or Infinity.",
            Replay.SELDOM,
        ),
        RejectReason.TOO_LARGE: ReasonText(
            "The message has more bytes than a webhook's body may have.",
            "Look at the raw bytes for what swells it: usually a payload formatter that returns far too much.",
            Replay.NEVER,
        ),
        RejectReason.NOT_A_MESSAGE: ReasonText(
            "The body is JSON, but no message of The Things Stack.",
            "Check which program posts to the webhook, and that the webhook has no template of its own for the body.",
            Replay.SELDOM,
        ),
        RejectReason.NO_DEVICE: ReasonText(
            "The message names no device EUI of 16 hexadecimal digits.",
            "Take any field mask off the webhook, so that end_device_ids is sent; give the device an EUI at The Things Stack.",
            Replay.SELDOM,
        ),
        RejectReason.FOREIGN_APPLICATION: ReasonText(
            "The message is of another application than the webhook's secret.",
            "Give that application's webhook a secret of its own here, then replay its letters.",
            Replay.HELPS,
        ),
        RejectReason.UNASSIGNED: ReasonText(
            "No sensor was registered, or assigned to a unit, for the device or its probe when this was measured.",
            "Register the device with this probe and assign it from before the uplink, then replay its letters.",
            Replay.HELPS,
        ),
        RejectReason.CLOCK_WRONG: ReasonText(
            "The message's time is missing, or too far from when it was received.",
            "Set the device's clock, or that of the network server or gateway that stamped it; later uplinks will then be taken.",
            Replay.NEVER,
        ),
        RejectReason.DECODER_FAILED: ReasonText(
            "The device sent a payload, and the network server's payload formatter made nothing of it.",
            "Choose the device's model and firmware, or a payload formatter, at The Things Stack; the next uplink will be decoded there.",
            Replay.SELDOM,
        ),
        RejectReason.NO_PAYLOAD: ReasonText(
            "The device's uplink carried no payload at all.",
            "Nothing, if it happens now and then; otherwise check the device's settings and battery.",
            Replay.NEVER,
        ),
        RejectReason.NO_READING: ReasonText(
            "The message was understood and holds nothing to store: a join, a receipt or a status frame.",
            "Nothing; if the device never sends more, check its settings and its model at The Things Stack.",
            Replay.SELDOM,
        ),
        RejectReason.CONFLICTING_DUPLICATE: ReasonText(
            "A second reading of the same sensor and time has another value; the first one stays.",
            "Look whether two devices or two probes are registered as one sensor.",
            Replay.NEVER,
        ),
        RejectReason.NOT_A_NUMBER: ReasonText(
            "The sensor's value is null, NaN or an error word.",
            "Check the probe and its cable; if it works again there is nothing to do.",
            Replay.SELDOM,
        ),
        RejectReason.SENTINEL: ReasonText(
            "The value is the number by which this kind of device says that it has none.",
            "Check that the probe is plugged in; if the device has none, register the probe that it does send.",
            Replay.SELDOM,
        ),
        RejectReason.OUT_OF_RANGE: ReasonText(
            "The value is outside what the model, or any sensor, can measure.",
            "Check the probe, the calibration entered here, and that the device's model is right at The Things Stack; then replay.",
            Replay.HELPS,
        ),
        RejectReason.POWER_ON_85: ReasonText(
            "The value is 85.0 degrees, which this kind of sensor holds before its first measurement.",
            "Nothing after a restart of the device; if it stays, the probe has loose contact or too little power.",
            Replay.NEVER,
        ),
        RejectReason.PROBE_MISSING: ReasonText(
            "The device itself says that its probe is not connected, or that the value is not valid.",
            "Plug the probe in, or register the probe that the device does have.",
            Replay.SELDOM,
        ),
        RejectReason.FLAGGED: ReasonText(
            "Somebody corrected it: the value is not to be believed.",
            "Nothing; to believe it again, revoke the correction.",
            Replay.NEVER,
        ),
    },
)


def about(reason: RejectReason) -> str:
    """Return what a reason is about: `uplink`, or `value` for one value of an uplink."""
    return "value" if CODES[reason] >= FIRST_OF_VALUES else "uplink"


UNKNOWN: Final = ReasonText(
    "A newer version of Coldstream gave this reason.",
    "Bring this process to the version that wrote it.",
    Replay.SELDOM,
)


def text_of(reason: str) -> ReasonText:
    """Return the words for a reason's name; a name this version does not know has words too."""
    try:
        return TEXTS[RejectReason(reason)]
    except ValueError:
        return UNKNOWN
