"""Finds the one thing ingest needs of a body: which device it is about. The rest is decode_uplinks' business."""

from dataclasses import dataclass
from typing import Final

import msgspec

from schemas.partitions import device_partition
from schemas.reasons import RejectReason

EUI_DIGITS: Final = 16


class _Ids(msgspec.Struct):
    dev_eui: str


class _Uplink(msgspec.Struct):
    end_device_ids: _Ids


_DECODER: Final = msgspec.json.Decoder(_Uplink)


@dataclass(frozen=True, slots=True)
class Device:
    """The device a body is about."""

    dev_eui: str
    """16 hexadecimal digits, as sent."""
    partition: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a body cannot be put among the uplinks."""

    reason: RejectReason
    detail: str


def find_device(body: bytes) -> Device | Unreadable:
    """Return the device of a body, or why there is none.

    The whole body must be UTF-8 and JSON by RFC 8259: no NaN or Infinity, no lone surrogates, no control characters in texts.
    """
    try:
        str(body, "utf-8")
    except UnicodeDecodeError as error:
        return Unreadable(RejectReason.NOT_UTF8, f"byte {error.start}: {error.reason}")
    try:
        dev_eui = _DECODER.decode(body).end_device_ids.dev_eui
    except msgspec.ValidationError as error:
        is_object = body.lstrip()[:1] == b"{"
        return Unreadable(RejectReason.NO_DEVICE if is_object else RejectReason.NOT_A_MESSAGE, str(error))
    except msgspec.DecodeError as error:
        return Unreadable(RejectReason.NOT_JSON, str(error))
    except RecursionError:
        return Unreadable(RejectReason.NOT_JSON, "nested too deeply")
    if len(dev_eui) != EUI_DIGITS or not dev_eui.isalnum():
        return Unreadable(RejectReason.NO_DEVICE, f"end_device_ids.dev_eui is not {EUI_DIGITS} hexadecimal digits")
    try:
        return Device(dev_eui, device_partition(dev_eui))
    except ValueError:
        return Unreadable(RejectReason.NO_DEVICE, f"end_device_ids.dev_eui is not {EUI_DIGITS} hexadecimal digits")
