"""Bodies of webhooks of several device models, made once per device and cut where time, count and temperature stand.

So a sender pays a join of bytes for an uplink and no JSON. Field names are those of the makers' decoders.
"""

import json
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

CELSIUS: Final = "@celsius@"
COUNT: Final = "@count@"
OUTER: Final = "@outer@"
INNER: Final = "@inner@"
MARKS: Final = re.compile(f'"?({CELSIUS}|{COUNT}|{OUTER}|{INNER})"?')

MODELS: Final[tuple[tuple[str, str, int, dict[str, Any]], ...]] = (
    (
        "dragino",
        "lht65",
        2,
        {
            "BatV": 2.98,
            "Bat_status": 3,
            "Ext_sensor": "Temperature Sensor",
            "Hum_SHT": 51.3,
            "TempC_DS": CELSIUS,
            "TempC_SHT": 21.4,
        },
    ),
    ("milesight-iot", "em300-th", 85, {"battery": 92, "humidity": 51.5, "temperature": CELSIUS}),
    (
        "decentlab",
        "dl-ds18",
        1,
        {
            "battery_voltage": {"displayName": "Battery voltage", "unit": "V", "value": 3.01},
            "device_id": 573,
            "protocol_version": 2,
            "temperature": {"displayName": "Temperature", "unit": "°C", "value": CELSIUS},
        },
    ),
    ("elsys", "elt-2", 5, {"externalTemperature": CELSIUS, "humidity": 40, "temperature": 22.1, "vdd": 3600}),
    ("milesight-iot", "em320-th", 85, {"battery": 71, "humidity": 63.5, "temperature": CELSIUS}),
)
"""Brand, model, port and decoded payload."""

TEMPERATURES: Final = tuple(f"{hundredths / 100:.2f}".encode() for hundredths in range(1_301))
"""How each temperature is written, by hundredths of a degree from 0."""


@dataclass(frozen=True, slots=True)
class Template:
    """The body of one device's uplinks: what stands between the four things that change."""

    pieces: tuple[bytes, ...]
    order: tuple[str, ...]
    """The mark after each piece but the last."""

    def body(self, instant: bytes, count: int, hundredths: int) -> bytes:
        """Return an uplink measured and delivered at an instant (RFC 3339, without quotes)."""
        values = {COUNT: b"%d" % count, CELSIUS: TEMPERATURES[hundredths], OUTER: b'"%s"' % instant, INNER: b'"%s"' % instant}
        parts: list[bytes] = []
        for piece, mark in zip(self.pieces, self.order, strict=False):
            parts += (piece, values[mark])
        parts.append(self.pieces[-1])
        return b"".join(parts)


def template_of(dev_eui: str, place: int, application: str = "fleet") -> Template:
    """Return the template of the device at a place of the fleet, its model drawn by the place."""
    chance = random.Random(place)
    brand, model, port, payload = chance.choice(MODELS)
    text = json.dumps(message_of(dev_eui, application, (brand, model, port, payload), chance), ensure_ascii=False, separators=(",", ":"))
    pieces = MARKS.split(text)
    return Template(tuple(piece.encode() for piece in pieces[::2]), tuple(pieces[1::2]))


def message_of(dev_eui: str, application: str, kind: tuple[str, str, int, dict[str, Any]], chance: random.Random) -> dict[str, Any]:
    """Return a message with marks in it, heard by one to three gateways."""
    brand, model, port, payload = kind
    session = f"27{chance.randrange(1 << 24):06X}"
    return {
        "end_device_ids": {
            "device_id": f"eui-{dev_eui.lower()}",
            "application_ids": {"application_id": application},
            "dev_eui": dev_eui,
            "join_eui": "A000000000000100",
            "dev_addr": session,
        },
        "correlation_ids": [f"gs:uplink:{chance.randrange(1 << 100):026X}"],
        "received_at": OUTER,
        "uplink_message": {
            "session_key_id": f"{chance.randrange(1 << 80):020x}",
            "f_port": port,
            "f_cnt": COUNT,
            "frm_payload": "y6QH0QIBAQfQf/8=",
            "decoded_payload": payload,
            "rx_metadata": [gateway_of(chance) for _ in range(chance.choice((1, 1, 2, 2, 3)))],
            "settings": {
                "data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": chance.randrange(7, 13), "coding_rate": "4/5"}},
                "frequency": str(chance.choice((868_100_000, 868_300_000, 868_500_000))),
                "timestamp": chance.randrange(1 << 32),
            },
            "received_at": INNER,
            "consumed_airtime": "0.061696s",
            "version_ids": {
                "brand_id": brand,
                "model_id": model,
                "hardware_version": "1.0",
                "firmware_version": "1.8",
                "band_id": "EU_863_870",
            },
            "network_ids": {"net_id": "000013", "ns_id": "EC656E0000000181", "tenant_id": "ttn", "cluster_id": "eu1"},
        },
    }


def gateway_of(chance: random.Random) -> dict[str, Any]:
    """Return what one gateway says of a frame."""
    number = chance.randrange(1, 1 << 16)
    return {
        "gateway_ids": {"gateway_id": f"gateway-{number}", "eui": f"58A0CBFFFE80{number:04X}"},
        "timestamp": chance.randrange(1 << 32),
        "rssi": -chance.randrange(60, 120),
        "channel_rssi": -chance.randrange(60, 120),
        "snr": chance.randrange(-40, 40) / 4,
        "uplink_token": f"{chance.randrange(1 << 600):0150x}",
        "channel_index": chance.randrange(1, 8),
    }


def instant_of(ms: int) -> bytes:
    """Return an instant (ms UTC) as The Things Stack writes it: nine digits of a second."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}000000Z".encode()
