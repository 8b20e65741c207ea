"""What we read of a message of The Things Stack v3: only these fields are kept; everything else is skipped over.

The Things Stack leaves out fields that are zero or empty, so every field is optional. Nothing is interpreted here.
"""

from typing import Annotated, Any, Final

import msgspec

MAX_TEXT: Final = 1_024
"""Characters of an id or a time; The Things Stack's own are under 130."""

_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_Counter = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
_Port = Annotated[int, msgspec.Meta(ge=0, le=255)]


class ApplicationIds(msgspec.Struct, frozen=True, gc=False):
    """Ids of an application."""

    application_id: _Text | None = None


class EndDeviceIds(msgspec.Struct, frozen=True, gc=False):
    """Ids of a device; the EUI is hexadecimal, upper case, without separators."""

    device_id: _Text | None = None
    application_ids: ApplicationIds | None = None
    dev_eui: _Text | None = None


class VersionIds(msgspec.Struct, frozen=True, gc=False):
    """What the device is, as registered from the device repository."""

    brand_id: _Text | None = None
    model_id: _Text | None = None
    firmware_version: _Text | None = None


class UplinkBody(msgspec.Struct, frozen=True, gc=False):
    """Body of `uplink_message` and `uplink_normalized`."""

    session_key_id: _Text | None = None
    f_port: _Port | None = None
    f_cnt: _Counter | None = None
    frm_payload: str | None = None
    decoded_payload: Any = None
    normalized_payload: Any = None
    """A list of objects in `uplink_message`, one object in `uplink_normalized`."""
    received_at: _Text | None = None
    """The Network Server's clock."""
    version_ids: VersionIds | None = None


class OtherBody(msgspec.Struct, frozen=True, gc=False):
    """Body of every other kind of message."""

    session_key_id: _Text | None = None
    received_at: _Text | None = None


class ApplicationUp(msgspec.Struct, frozen=True, gc=False):
    """The whole message: exactly one of the bodies is there."""

    end_device_ids: EndDeviceIds | None = None
    received_at: _Text | None = None
    """The Application Server's clock."""
    simulated: bool | None = None
    uplink_message: UplinkBody | None = None
    uplink_normalized: UplinkBody | None = None
    join_accept: OtherBody | None = None
    downlink_ack: OtherBody | None = None
    downlink_nack: OtherBody | None = None
    downlink_sent: OtherBody | None = None
    downlink_failed: OtherBody | None = None
    downlink_queued: OtherBody | None = None
    downlink_queue_invalidated: OtherBody | None = None
    location_solved: OtherBody | None = None
    service_data: OtherBody | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What other tools wrap a message in: the console's event stream, the Storage Integration, AWS IoT."""

    data: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    payload: msgspec.Raw = msgspec.Raw()
