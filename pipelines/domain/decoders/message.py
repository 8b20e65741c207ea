"""Bytes from The Things Stack become a frozen message here, in one place; past this line nobody checks them again.

Strict JSON only. It decides what a message is, not what its payload means, and never raises on any bytes.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from pipelines.domain.instants import UnreadableInstant, parse_instant
from schemas.reasons import RejectReason
from schemas.ttn import ApplicationUp, Envelope, OtherBody, UplinkBody, VersionIds
from schemas.uplinks import MAX_BODY_BYTES


class MessageKind(StrEnum):
    """Every kind of message an application can receive."""

    UPLINK_MESSAGE = "uplink_message"
    UPLINK_NORMALIZED = "uplink_normalized"
    JOIN_ACCEPT = "join_accept"
    DOWNLINK_ACK = "downlink_ack"
    DOWNLINK_NACK = "downlink_nack"
    DOWNLINK_SENT = "downlink_sent"
    DOWNLINK_FAILED = "downlink_failed"
    DOWNLINK_QUEUED = "downlink_queued"
    DOWNLINK_QUEUE_INVALIDATED = "downlink_queue_invalidated"
    LOCATION_SOLVED = "location_solved"
    SERVICE_DATA = "service_data"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why something was not believed, and a sentence about it for people."""

    reason: RejectReason
    detail: str


class TtnMessage(msgspec.Struct, frozen=True, gc=False):
    """One message of The Things Stack, checked. Times are ms UTC; None where the message has none (fragments).

    A struct, not a dataclass: one is made for every uplink, and a frozen dataclass takes ten times as long to make.
    """

    kind: MessageKind
    application_id: str | None
    device_id: str | None
    dev_eui: str | None
    """16 upper-case hexadecimal digits; None where absent or anything else."""
    f_port: int
    """0 for a message without one (MAC commands only)."""
    f_cnt: int
    session_key_id: str | None
    measured_at: int | None
    """When the values were measured, as far as the network knows: the Network Server's clock, or else the Application Server's."""
    brand: str | None
    model: str | None
    firmware: str | None
    decoded_payload: object
    """Plain JSON values: what the network server's decoder made; None where it made nothing."""
    normalized_payloads: tuple[object, ...]
    frm_payload: str
    """The device's own bytes, base64; empty where it sent none."""
    simulated: bool


_EUI: Final = re.compile(r"[0-9A-Fa-f]{16}", re.ASCII)
_EARLIEST: Final = parse_instant("2000-01-01T00:00:00Z")
"""An earlier time was never set: simulated messages are dated year 1."""
_NO_VERSION: Final = VersionIds()
_MESSAGES: Final = msgspec.json.Decoder(ApplicationUp)
_ENVELOPES: Final = msgspec.json.Decoder(Envelope)
_MAX_WRAPPINGS: Final = 3
_OTHER_KINDS: Final = tuple(kind for kind in MessageKind if kind not in (MessageKind.UPLINK_MESSAGE, MessageKind.UPLINK_NORMALIZED))


def parse_message(raw: bytes) -> TtnMessage | Rejection:
    """Return the message of a webhook's body, or why it is none."""
    parsed = _decoded(raw)
    return parsed if isinstance(parsed, Rejection) else _from_wire(parsed)


def parse_wrapped_message(raw: bytes) -> TtnMessage | Rejection:
    """Return the message of some bytes as `parse_message` does, also out of the envelopes other tools put around it."""
    for _ in range(_MAX_WRAPPINGS):
        message = parse_message(raw)
        if not isinstance(message, Rejection) or message.reason is not RejectReason.NOT_A_MESSAGE:
            return message
        inner = _unwrapped(raw)
        if inner is None:
            return message
        raw = inner
    return Rejection(RejectReason.NOT_A_MESSAGE, "an envelope in an envelope in an envelope")


def _decoded(raw: bytes) -> ApplicationUp | Rejection:
    if len(raw) > MAX_BODY_BYTES:
        return Rejection(RejectReason.TOO_LARGE, f"{len(raw)} bytes, at most {MAX_BODY_BYTES}")
    try:
        if not raw.isascii():
            raw.decode("utf-8")
        return _MESSAGES.decode(raw)
    except UnicodeDecodeError as error:
        return Rejection(RejectReason.NOT_UTF8, f"byte {error.start} is not UTF-8")
    except msgspec.ValidationError as error:
        out_of_range = "out of range" in str(error)
        return Rejection(RejectReason.NOT_JSON if out_of_range else RejectReason.NOT_A_MESSAGE, _brief(error))
    except RecursionError:
        return Rejection(RejectReason.NOT_JSON, "nested too deep")
    except (msgspec.DecodeError, ValueError) as error:
        return Rejection(RejectReason.NOT_JSON, _brief(error))


def _from_wire(up: ApplicationUp) -> TtnMessage | Rejection:
    bodies: list[tuple[MessageKind, UplinkBody | OtherBody]] = []
    if up.uplink_message is not None:
        bodies.append((MessageKind.UPLINK_MESSAGE, up.uplink_message))
    if up.uplink_normalized is not None:
        bodies.append((MessageKind.UPLINK_NORMALIZED, up.uplink_normalized))
    if not bodies:
        bodies.extend((kind, getattr(up, kind)) for kind in _OTHER_KINDS if getattr(up, kind) is not None)
    if len(bodies) != 1:
        found = "none" if not bodies else " and ".join(kind for kind, _ in bodies)
        return Rejection(RejectReason.NOT_A_MESSAGE, f"exactly one kind of message is expected, found {found}")
    kind, body = bodies[0]
    return _message(up, kind, body)


def _message(up: ApplicationUp, kind: MessageKind, body: UplinkBody | OtherBody) -> TtnMessage | Rejection:
    ids = up.end_device_ids
    application_id = ids.application_ids.application_id if ids and ids.application_ids else None
    device_id = ids.device_id if ids else None
    eui = ids.dev_eui if ids else None
    for text in (application_id, device_id, body.session_key_id):
        if text is not None and "\0" in text:
            return Rejection(RejectReason.NOT_A_MESSAGE, "an id with a NUL in it")
    uplink = body if isinstance(body, UplinkBody) else None
    version = (uplink.version_ids if uplink else None) or _NO_VERSION
    return TtnMessage(
        kind=kind,
        application_id=application_id,
        device_id=device_id,
        dev_eui=eui.upper() if eui is not None and _EUI.fullmatch(eui) else None,
        f_port=(uplink.f_port if uplink else None) or 0,
        f_cnt=(uplink.f_cnt if uplink else None) or 0,
        session_key_id=body.session_key_id,
        measured_at=_first_instant(body.received_at, up.received_at),
        brand=version.brand_id,
        model=version.model_id,
        firmware=version.firmware_version,
        decoded_payload=uplink.decoded_payload if uplink else None,
        normalized_payloads=_normalized(uplink.normalized_payload) if uplink else (),
        frm_payload=(uplink.frm_payload if uplink else None) or "",
        simulated=bool(up.simulated),
    )


def _normalized(payload: object) -> tuple[object, ...]:
    if payload is None:
        return ()
    return tuple(payload) if isinstance(payload, list) else (payload,)


def _first_instant(text: str | None, otherwise: str | None) -> int | None:
    """Return the instant of the first of two times that has one."""
    instant = _instant(text)
    return _instant(otherwise) if instant is None else instant


def _instant(text: str | None) -> int | None:
    """Return the instant, or None for a time that is absent, unreadable or was never set."""
    if text is None:
        return None
    try:
        instant = parse_instant(text)
    except UnreadableInstant:
        return None
    return instant if instant >= _EARLIEST else None


def _unwrapped(raw: bytes) -> bytes | None:
    try:
        envelope = _ENVELOPES.decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    return next((bytes(part) for part in (envelope.data, envelope.result, envelope.payload) if bytes(part)), None)


def _brief(error: Exception) -> str:
    return str(error)[:200]
