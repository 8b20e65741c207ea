"""The Things Stack's message around a payload: ids, gateways, settings and times, with zero fields left out."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from infra.simulator.chance import between, fraction, key_of
from infra.simulator.fleet import Device
from infra.simulator.payloads import VERSIONS, Payload

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHANNELS: Final = (
    868_100_000,
    868_300_000,
    868_500_000,
    867_100_000,
    867_300_000,
    867_500_000,
    867_700_000,
    867_900_000,
)
SPREADING: Final = (7, 7, 7, 8, 8, 9, 10, 12)
JOIN_EUI: Final = "A840410000000101"

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    """One stay of a device in the network, from join to join."""

    device: Device
    application: str
    number: int

    @property
    def key_id(self) -> str:
        """The session key's id, base64 of 16 bytes."""
        halves = (int(fraction(self.device.key, self.number, half) * 2**63).to_bytes(8, "big") for half in (20, 21))
        return base64.b64encode(b"".join(halves)).decode()

    @property
    def address(self) -> str:
        """The device address in this session."""
        return f"260B{key_of(self.device.key, self.number, 22) & 0xFFFF:04X}"


def uplink_message(session: Session, payload: Payload, count: int, measured_at: int, delivered_at: int) -> Message:
    """Return an uplink; times in ms UTC. A frame count of 0 is left out, as protobuf's JSON does."""
    device = session.device
    chance = (device.key, session.number, count)
    version = VERSIONS[device.model]
    spreading = SPREADING[int(fraction(*chance, 30) * len(SPREADING))]
    frequency = CHANNELS[int(fraction(*chance, 31) * len(CHANNELS))]
    ticks = key_of(*chance, 32)
    gateways = 1 + int(fraction(*chance, 33) ** 2 * 3)
    seen_at = _time(measured_at - 40, key_of(*chance, 34))
    body: Message = {
        "session_key_id": session.key_id,
        "f_port": payload.port,
        "f_cnt": count,
        "frm_payload": base64.b64encode(payload.raw).decode(),
        "decoded_payload": payload.decoded,
        "rx_metadata": [_gateway(device, place, chance, seen_at, ticks) for place in range(gateways)],
        "settings": {
            "data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": spreading, "coding_rate": "4/5"}},
            "frequency": str(frequency),
            "timestamp": ticks,
            "time": seen_at,
        },
        "received_at": _time(measured_at, key_of(*chance, 35)),
        "consumed_airtime": f"{0.0617 * 1.9 ** (spreading - 7):.6f}s",
        "version_ids": {
            "brand_id": version.brand_id,
            "model_id": version.model_id,
            "hardware_version": version.hardware,
            "firmware_version": version.firmware,
            "band_id": "EU_863_870",
        },
        "network_ids": {
            "net_id": "000013",
            "ns_id": "EC656E0000000181",
            "tenant_id": "ttn",
            "cluster_id": "eu1",
            "cluster_address": "eu1.cloud.thethings.network",
        },
    }
    if count == 0:
        del body["f_cnt"]
    return {**_head(session, chance, delivered_at), "uplink_message": body}


def join_accept(session: Session, measured_at: int, delivered_at: int) -> Message:
    """Return the message that tells of a device's new session."""
    chance = (session.device.key, session.number, -1)
    body = {"session_key_id": session.key_id, "received_at": _time(measured_at, key_of(*chance, 35))}
    return {**_head(session, chance, delivered_at), "join_accept": body}


def encoded(message: Message) -> bytes:
    """Return the body of the webhook's request."""
    return msgspec.json.encode(message)


def _head(session: Session, chance: tuple[int, ...], delivered_at: int) -> Message:
    device = session.device
    return {
        "end_device_ids": {
            "device_id": device.device_id,
            "application_ids": {"application_id": session.application},
            "dev_eui": device.dev_eui,
            "join_eui": JOIN_EUI,
            "dev_addr": session.address,
        },
        "correlation_ids": [f"gs:uplink:{_ulid(delivered_at, *chance)}"],
        "received_at": _time(delivered_at, key_of(*chance, 36)),
    }


def _gateway(device: Device, place: int, chance: tuple[int, ...], seen_at: str, ticks: int) -> Message:
    rssi = int(between(-118, -52, *chance, 40, place))
    snr = int(between(-40, 44, *chance, 41, place)) / 4
    entry: Message = {
        "gateway_ids": {
            "gateway_id": f"gw-{device.key % 7 + place:03d}",
            "eui": f"647FDAFFFE{device.key % 7 + place:06X}",
        },
        "time": seen_at,
        "timestamp": ticks,
        "rssi": rssi,
        "channel_rssi": rssi,
        "snr": snr,
        "frequency_offset": str(int(between(-900, 900, *chance, 42, place))),
        "uplink_token": base64.b64encode(b"%016x%012x" % (key_of(*chance, 43, place), ticks)).decode(),
        "channel_index": int(fraction(*chance, 44, place) * 8),
        "received_at": seen_at,
    }
    for name in ("snr", "channel_index"):
        if not entry[name]:
            del entry[name]
    return entry


def _time(ms: int, extra: int) -> str:
    """Return RFC 3339 with nine digits, of which the last six look drawn and change no millisecond."""
    return f"{(EPOCH + timedelta(milliseconds=ms)).isoformat(timespec='milliseconds')[:-6]}{extra % 1_000_000:06d}Z"


def _ulid(ms: int, *chance: int) -> str:
    digits = [CROCKFORD[ms >> shift & 31] for shift in range(45, -1, -5)]
    drawn = int(fraction(*chance, 37) * 2**63)
    return "".join(digits) + "".join(CROCKFORD[drawn >> shift & 31] for shift in range(0, 60, 5)) + "0000"
