"""`coldstream decode`: what Coldstream takes from The Things Stack messages, a JSON line per message. Needs no services."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from pipelines.domain.decoders.decode import Decoded, ProbeReading, decode
from pipelines.domain.decoders.message import Rejection, TtnMessage, parse_wrapped_message
from pipelines.domain.instants import format_instant

STDIN = "-"


@click.command()
@click.argument("files", nargs=-1, type=click.Path())
def command(files: tuple[str, ...]) -> None:
    """Decode messages: one per FILE, or one per line of standard input; a bad message is a line that says why.

    Partial messages are taken too, such as {"uplink_message": {"f_port": 2, "decoded_payload": {...}, "version_ids": {...}}}.
    """
    if not files or files == (STDIN,):
        for line in sys.stdin.buffer:
            if line.strip():
                click.echo(line_of(STDIN, line))
        return
    contents = []
    for file in files:
        try:
            contents.append((file, Path(file).read_bytes()))
        except OSError as error:
            click.echo(f"Error: {file} cannot be read: {error.strerror}", err=True)
            sys.exit(2)
    for file, raw in contents:
        click.echo(line_of(file, raw))


def line_of(file: str, raw: bytes) -> str:
    """Return the JSON line of one message."""
    message = parse_wrapped_message(raw)
    if isinstance(message, Rejection):
        return json.dumps(shown(file, None, None, message))
    decoded = decode(message)
    return json.dumps(shown(file, message, decoded, decoded.rejection))


def shown(file: str, message: TtnMessage | None, decoded: Decoded | None, rejection: Rejection | None) -> dict[str, Any]:
    """Return a message as it is shown; the headline's temperature, and what stands beside it, on top."""
    readings = decoded.readings if decoded is not None else ()
    current = [reading for reading in readings if not reading.history]
    headline = decoded.headline if decoded is not None else None
    faults = [reading for reading in current if reading.fault is not None]
    refused = rejection
    if refused is None and headline is None and faults and faults[0].fault is not None:
        refused = Rejection(faults[0].fault, f"probe {faults[0].probe}: {faults[0].detail}")
    millivolts = first(current, "battery_millivolts")
    humidity = first(current, "humidity")
    measured_at = message.measured_at if message is not None else None
    return {
        "file": file,
        "kind": None if message is None else message.kind.value,
        "decoder": decoded.decoder if decoded is not None and decoded.decoder else None,
        "dev_eui": None if message is None else message.dev_eui,
        "measured_at": None if measured_at is None else format_instant(measured_at),
        "temperature_celsius": None if headline is None else celsius(headline.temperature),
        "humidity_percent": None if humidity is None else humidity / 100,
        "battery_volts": None if millivolts is None else millivolts / 1000,
        "battery_percent": first(current, "battery_percent"),
        "door_open": first(current, "door_open"),
        "readings": [reading_shown(reading, known=measured_at is not None) for reading in readings],
        "rejected": None if refused is None else {"reason": refused.reason.value, "detail": refused.detail},
    }


def reading_shown(reading: ProbeReading, *, known: bool) -> dict[str, Any]:
    """Return one probe's reading as it is shown; a message without a time has readings without one."""
    fault = None if reading.fault is None else {"reason": reading.fault.value, "detail": reading.detail}
    return {
        "probe": reading.probe,
        "measured_at": format_instant(reading.measured_at) if known or reading.history else None,
        "temperature_celsius": celsius(reading.temperature),
        "humidity_percent": None if reading.humidity is None else reading.humidity / 100,
        "battery_volts": None if reading.battery_millivolts is None else reading.battery_millivolts / 1000,
        "battery_percent": reading.battery_percent,
        "door_open": reading.door_open,
        "history": reading.history,
        "fault": fault,
    }


def celsius(hundredths: int | None) -> float | None:
    """Return degrees Celsius."""
    return None if hundredths is None else hundredths / 100


def first(readings: list[ProbeReading], name: str) -> Any:
    """Return the first value of a field among readings."""
    return next((value for reading in readings if (value := getattr(reading, name)) is not None), None)
