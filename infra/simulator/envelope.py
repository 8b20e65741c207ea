"""The Things Stack's message around a payload: ids, gateways, settings and times, with zero fields left out.

Everything that stays the same for a device and its session is written once; an uplink fills in what changes, so that a
message costs a few microseconds.
"""

import binascii
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from infra.simulator.catalog import FACTS
from infra.simulator.chance import drawn
from infra.simulator.fleet import Device
from infra.simulator.frame import Payload

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CROCKFORD: Final = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRS: Final = tuple(CROCKFORD[number >> 5 : (number >> 5) + 1] + CROCKFORD[number & 31 : (number & 31) + 1] for number in range(1024))
FREQUENCIES: Final = (868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
SPREADING: Final = (7, 7, 7, 8, 8, 9, 10, 12)
AIRTIMES: Final = tuple(f"{0.0617 * 1.9 ** (factor - 7):.6f}s".encode() for factor in SPREADING)
JOIN_EUI: Final = b"A840410000000101"
DELAY_OF_GATEWAY_MS: Final = 100
"""Between when a gateway hears an uplink and when it is delivered."""

UPLINK: Final = (
    b'%b"correlation_ids":["gs:uplink:%b"],"received_at":"%b","uplink_message":{"session_key_id":"%b","f_port":%d,%b'
    b'"frm_payload":"%b","decoded_payload":%b,"rx_metadata":[%b],"settings":{"data_rate":{"lora":{"bandwidth":125000,'
    b'"spreading_factor":%d,"coding_rate":"4/5"}},"frequency":"%d","timestamp":%d,"time":"%b"},"received_at":"%b",'
    b'"consumed_airtime":"%b",%b'
)
JOIN: Final = b'%b"correlation_ids":["gs:uplink:%b"],"received_at":"%b","join_accept":{"session_key_id":"%b","received_at":"%b"}}'
GATEWAY: Final = (
    b'{"gateway_ids":{"gateway_id":"%b","eui":"%b"},"time":"%b","timestamp":%d,"rssi":%d,"channel_rssi":%d,%b'
    b'"frequency_offset":"%d","uplink_token":"%b",%b"received_at":"%b"}'
)
NETWORK: Final = (
    b'"network_ids":{"net_id":"000013","ns_id":"EC656E0000000181","tenant_id":"ttn","cluster_id":"eu1",'
    b'"cluster_address":"eu1.cloud.thethings.network"}}}'
)
SNRS: Final = tuple(b'"snr":%b,' % str(quarters / 4).encode() if quarters else b"" for quarters in range(-40, 44))
CHANNELS: Final = tuple(b'"channel_index":%d,' % index if index else b"" for index in range(8))
TAILS: Final = {
    model: NETWORK
    if not facts.brand_id
    else b'"version_ids":%b,%b'
    % (
        msgspec.json.encode(
            {
                "brand_id": facts.brand_id,
                "model_id": model.value,
                "hardware_version": facts.hardware,
                "firmware_version": facts.firmware,
                "band_id": "EU_863_870",
            },
        ),
        NETWORK,
    )
    for model, facts in FACTS.items()
}

_encode: Final = msgspec.json.Encoder().encode


class Session:
    """One stay of a device in the network, from join to join, and the messages it brings; times in ms UTC."""

    __slots__ = ("_head", "_key", "_key_id", "_tail", "device", "number")

    def __init__(self, device: Device, application: str, number: int) -> None:
        """Begin a session; its key and address depend on the device and the number alone."""
        self.device = device
        self.number = number
        self._key = device.key
        first, second, third, fourth, address, *_ = drawn(device.key, number, SALT_OF_SESSION)
        key = b"%08x%08x%08x%08x" % (first, second, third, fourth)
        self._key_id = _base64(binascii.unhexlify(key))
        self._tail = TAILS[device.model]
        ids = {
            "device_id": device.device_id,
            "application_ids": {"application_id": application},
            "dev_eui": device.dev_eui,
            "join_eui": JOIN_EUI.decode(),
            "dev_addr": f"260B{address & 0xFFFF:04X}",
        }
        self._head = b'{"end_device_ids":%b,' % _encode(ids)

    def uplink(
        self, payload: Payload, count: int, measured_at: int, delivered_at: int, gateways: Sequence[str], gateway_by: int = 0
    ) -> bytes:
        """Return an uplink heard by these gateways, whose clocks are off by `gateway_by` ms.

        A frame count of 0 is left out, as protobuf's JSON does.
        """
        chance = drawn(self._key, measured_at, self.number, count)
        radio, ticks, first, second = chance[:4]
        seen_at = _time(delivered_at - DELAY_OF_GATEWAY_MS + gateway_by, first)
        data_rate = radio & 7
        heard = [_gateway(gateway, chance[place + 4], ticks, seen_at) for place, gateway in enumerate(gateways)]
        return UPLINK % (
            self._head,
            _ulid(delivered_at, chance[7], second),
            _time(delivered_at, second),
            self._key_id,
            payload.port,
            b'"f_cnt":%d,' % count if count else b"",
            _base64(payload.raw),
            _encode(payload.decoded),
            b",".join(heard),
            SPREADING[data_rate],
            FREQUENCIES[radio >> 3 & 7],
            ticks,
            seen_at,
            _time(measured_at, radio),
            AIRTIMES[data_rate],
            self._tail,
        )

    def join_accept(self, measured_at: int, delivered_at: int) -> bytes:
        """Return the message that tells of the device's new session."""
        first, second, third, *_ = drawn(self._key, measured_at, self.number)
        ulid = _ulid(delivered_at, first, second)
        return JOIN % (self._head, ulid, _time(delivered_at, second), self._key_id, _time(measured_at, third))


SALT_OF_SESSION: Final = 20
MOST_GATEWAYS: Final = 3
"""Gateways in one message: as many as the numbers of one draw serve."""


def _gateway(gateway: str, chance: int, ticks: int, seen_at: bytes) -> bytes:
    rssi = -118 + (chance & 63)
    return GATEWAY % (
        gateway.encode(),
        b"647FDAFFFE%06X" % (hash_of(gateway) & 0xFFFFFF),
        seen_at,
        ticks,
        rssi,
        rssi,
        SNRS[(chance >> 6) % len(SNRS)],
        (chance >> 16) % 1800 - 900,
        _base64(b"%08x%08x" % (chance, ticks)),
        CHANNELS[chance >> 12 & 7],
        seen_at,
    )


@lru_cache(maxsize=4096)
def hash_of(name: str) -> int:
    """Return a number that a name always has."""
    return binascii.crc32(name.encode())


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> bytes:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").encode()


def _time(ms: int, extra: int) -> bytes:
    """Return RFC 3339 with nine digits, of which the last six look drawn and change no millisecond."""
    return b"%b.%03d%06dZ" % (_second(ms // 1000), ms % 1000, extra % 1_000_000)


def _ulid(ms: int, first: int, second: int) -> bytes:
    """Return a ULID: 48 bits of time and 80 that look drawn, five bits a character; the first two bits are none."""
    number = ms << 80 | first << 48 | second << 16 | first >> 16
    return b"".join([PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
