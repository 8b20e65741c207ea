"""What a temperature monitor takes from a message: readings by probe, humidity, battery, door; faults with their reason.

A value that cannot be true is never a temperature. An unplugged external probe never turns into the built-in one: `main` is the
best-ranked probe that the device has, faulty or not.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from pipelines.domain.decimals import scaled
from pipelines.domain.decoders.beside import Beside, beside_of
from pipelines.domain.decoders.leaves import Leaf, history_of, leaves
from pipelines.domain.decoders.message import MessageKind, Rejection, TtnMessage
from pipelines.domain.decoders.models import Model, model_of
from pipelines.domain.decoders.names import PRIMARY, Meaning, Quantity, Role, meaning_of
from pipelines.domain.decoders.numbers import SENTINELS, from_fahrenheit, is_fahrenheit, number_of
from pipelines.domain.temperatures import HIGHEST_POSSIBLE, LOWEST_POSSIBLE
from schemas.reasons import RejectReason

MAIN: Final = "main"
"""Probe of a row that stands beside no temperature."""

LARGEST: Final = Decimal(1_000_000)
ALL_ONES: Final = -10
"""-0.1 on every channel is 0xFFFF: no probes are fitted."""
POWER_ON: Final = 8_500
FEW: Final = 2


@dataclass(frozen=True, slots=True)
class ProbeReading:
    """One row of an uplink: a probe's temperature or fault, or what stands beside. Hundredths, millivolts, ms UTC."""

    probe: str
    measured_at: int
    temperature: int | None = None
    humidity: int | None = None
    battery_millivolts: int | None = None
    battery_percent: int | None = None
    door_open: bool | None = None
    fault: RejectReason | None = None
    detail: str = ""
    history: bool = False
    secondary: bool = False
    """Of the device itself, soil, a liquid or a process: never the headline."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a message came to."""

    kind: MessageKind
    readings: tuple[ProbeReading, ...] = ()
    headline: ProbeReading | None = None
    """The reading to show: a valid external probe before a built-in one; None where several are equal or none is valid."""
    main: ProbeReading | None = None
    """The best-ranked probe the device has, even if faulty; None where several are equal."""
    rejection: Rejection | None = None
    """Why nothing is stored; NO_READING where it was understood."""


@dataclass(frozen=True, slots=True)
class _Probe:
    role: Role
    reading: ProbeReading


def decode(message: TtnMessage) -> Decoded:
    """Return what is taken from a message. Never raises; a message without a time is read as of time 0."""
    match message.kind:
        case MessageKind.UPLINK_MESSAGE:
            if isinstance(message.decoded_payload, dict) and message.decoded_payload:
                return _decoded(message, message.decoded_payload, model_of(message.brand, message.model))
            if message.normalized_payloads:
                return _normalized(message)
            return _undecoded(message)
        case MessageKind.UPLINK_NORMALIZED:
            return _normalized(message)
        case _:
            return _nothing(message, f"a {message.kind.value} carries no reading")


def _undecoded(message: TtnMessage) -> Decoded:
    if message.frm_payload and message.f_port:
        detail = "the device sent a payload, and the network server's payload formatter made nothing of it: check the device's model there"
        return Decoded(message.kind, rejection=Rejection(RejectReason.DECODER_FAILED, detail))
    return _nothing(message, "no payload: network housekeeping only")


def _nothing(message: TtnMessage, detail: str) -> Decoded:
    return Decoded(message.kind, rejection=Rejection(RejectReason.NO_READING, detail))


def _normalized(message: TtnMessage) -> Decoded:
    payloads = [payload for payload in message.normalized_payloads if isinstance(payload, dict)]
    current = [payload for payload in payloads if "time" not in payload] or payloads[:1]
    merged: dict[str, object] = {}
    for payload in current:
        merged |= payload
    # `battery` is volts by the schema; some normalizers put percent there, so the value must tell.
    return _decoded(message, merged, Model(battery=""))


def _decoded(message: TtnMessage, payload: dict[str, object], model: Model) -> Decoded:
    measured_at = message.measured_at or 0
    named = [(leaf, _meaning(leaf, model)) for leaf in leaves(payload)]
    probes = _probes(named, model, measured_at, payload)
    beside = beside_of([(leaf, meaning) for leaf, meaning in named if meaning is not None], model)
    return _assembled(message, probes, beside, _history(payload, model))


def _meaning(leaf: Leaf, model: Model) -> Meaning | None:
    own = next((name for name in reversed(leaf.path) if name), "")
    if own in model.names:
        return model.names[own]
    meaning = meaning_of(leaf.path, leaf.unit)
    if meaning is None or meaning.quantity is not Quantity.TEMPERATURE:
        return meaning
    if meaning.role is Role.AMBIENT and model.plain is not Role.AMBIENT:
        return Meaning(Quantity.TEMPERATURE, model.plain, model.plain.value)
    if leaf.place:
        role = Role.CHANNEL if meaning.role is Role.AMBIENT else meaning.role
        return Meaning(Quantity.TEMPERATURE, role, f"{'channel' if role is Role.CHANNEL else role.value}_{leaf.place}")
    return meaning


def _probes(named: list[tuple[Leaf, Meaning | None]], model: Model, measured_at: int, payload: dict[str, object]) -> list[_Probe]:
    """Return the probes of a payload by name, the first of each name; judged one by one and then together."""
    probes: dict[str, _Probe] = {}
    temperatures = [(leaf, meaning) for leaf, meaning in named if meaning is not None and meaning.quantity is Quantity.TEMPERATURE]
    has_celsius = any(not is_fahrenheit(_unit(leaf)) for leaf, _ in temperatures)
    for leaf, meaning in temperatures:
        if meaning.probe in probes or (has_celsius and is_fahrenheit(_unit(leaf))):
            continue
        probes[meaning.probe] = _Probe(meaning.role, _judged(leaf, meaning, model, measured_at, payload))
    return _without_phantoms(list(probes.values()))


def _unit(leaf: Leaf) -> str:
    number = number_of(leaf.value)
    return leaf.unit or (number[1] if number else "")


def _judged(leaf: Leaf, meaning: Meaning, model: Model, measured_at: int, payload: dict[str, object]) -> ProbeReading:
    """Return the reading of one leaf, or its fault."""
    name = next((name for name in reversed(leaf.path) if name), "")
    blank = ProbeReading(meaning.probe, measured_at, secondary=meaning.role not in PRIMARY)
    parsed = number_of(leaf.value)
    if parsed is None:
        return replace(blank, fault=RejectReason.NOT_A_NUMBER, detail=f"{name} is {str(leaf.value)[:40]!r}")
    number, _ = parsed
    if number in SENTINELS or abs(number) > LARGEST:
        return replace(blank, fault=RejectReason.SENTINEL, detail=f"{name} is {number}: the device has no value")
    if is_fahrenheit(_unit(leaf)):
        number = from_fahrenheit(number)
    temperature = scaled(number, 2)
    low, high = model.ranges.get(meaning.role, (LOWEST_POSSIBLE, HIGHEST_POSSIBLE))
    if not max(low, LOWEST_POSSIBLE) <= temperature <= min(high, HIGHEST_POSSIBLE):
        return replace(blank, fault=RejectReason.OUT_OF_RANGE, detail=f"{name} is {number}; {low / 100:g} to {high / 100:g} can be true")
    held_since_power_on = model.power_on_85 or "ds18" in name.lower()
    if held_since_power_on and temperature == POWER_ON and meaning.role in (Role.EXTERNAL, Role.CHANNEL):
        return replace(blank, fault=RejectReason.POWER_ON_85, detail=f"{name} is 85.0, what the probe holds before it has measured")
    if temperature == 0 and (name in model.zero_is_missing or _says_unplugged(payload, meaning)):
        return replace(blank, fault=RejectReason.PROBE_MISSING, detail=f"{name} is 0, what this model sends without a probe")
    if _says_unplugged(payload, meaning):
        return replace(blank, fault=RejectReason.PROBE_MISSING, detail="the device says that the probe is not connected")
    return replace(blank, temperature=temperature)


def _says_unplugged(payload: dict[str, object], meaning: Meaning) -> bool:
    if meaning.role is not Role.EXTERNAL:
        return False
    return payload.get("thermistorProperlyConnected") is False or payload.get("No_connect") in (True, "Sensor no connection")


def _without_phantoms(probes: list[_Probe]) -> list[_Probe]:
    """Turn -0.1 on every one of several channels into what it is: 0xFFFF, no probes."""
    channels = [probe for probe in probes if probe.role is Role.CHANNEL]
    if len(channels) < FEW or any(probe.reading.temperature not in (ALL_ONES, None) for probe in channels):
        return probes
    if all(probe.reading.temperature is None for probe in channels):
        return probes
    return [
        replace(
            probe,
            reading=replace(probe.reading, temperature=None, fault=RejectReason.PROBE_MISSING, detail="-0.1 on every channel is 0xFFFF"),
        )
        if probe in channels and probe.reading.temperature is not None
        else probe
        for probe in probes
    ]


def _main(probes: list[_Probe]) -> ProbeReading | None:
    """Return the best-ranked probe; None where several are equal."""
    external = [probe.reading for probe in probes if probe.role is Role.EXTERNAL]
    channels = [probe.reading for probe in probes if probe.role is Role.CHANNEL]
    ambient = [probe.reading for probe in probes if probe.role is Role.AMBIENT]
    if len(external) == 1:
        return external[0]
    if external:
        return None
    if len(channels) == 1 and not ambient:
        return channels[0]
    if len([channel for channel in channels if channel.fault is None]) > 1 or (channels and not ambient):
        return None
    return ambient[0] if ambient else None


def _headline(probes: list[_Probe], main: ProbeReading | None) -> ProbeReading | None:
    """Return the valid reading to show: main where it is valid, else a valid built-in one beside a faulty probe."""
    if main is not None and main.temperature is not None:
        return main
    for role in (Role.EXTERNAL, Role.CHANNEL, Role.AMBIENT):
        valid = [probe.reading for probe in probes if probe.role is role and probe.reading.temperature is not None]
        if len(valid) == 1:
            return valid[0]
        if valid:
            return None
    return None


def _assembled(message: TtnMessage, probes: list[_Probe], beside: Beside, history: list[ProbeReading]) -> Decoded:
    main = _main(probes)
    headline = _headline(probes, main)
    readings = [probe.reading for probe in probes]
    if beside.has_any:
        carrier = main or headline or next((reading for reading in readings if not reading.secondary), None)
        if carrier is None:
            readings.append(beside.on(ProbeReading(MAIN, message.measured_at or 0)))
        else:
            carried = beside.on(carrier)
            readings = [carried if reading is carrier else reading for reading in readings]
            main, headline = (carried if main is carrier else main), (carried if headline is carrier else headline)
    readings += history
    if not readings:
        return _nothing(message, "nothing in the payload is a temperature, humidity, battery or door")
    return Decoded(message.kind, tuple(readings), headline, main)


def _history(payload: dict[str, object], model: Model) -> list[ProbeReading]:
    """Return history frames, at the device's own time."""
    found: list[ProbeReading] = []
    for entry in history_of(payload):
        stamp = number_of(entry.get("timestamp", entry.get("time")))
        if stamp is None or not 0 < stamp[0] < LARGEST * LARGEST:
            continue
        seconds = stamp[0] / 1000 if stamp[0] > LARGEST * 100_000 else stamp[0]
        named = [
            (leaf, _meaning(leaf, model))
            for leaf in leaves({name: value for name, value in entry.items() if name not in ("timestamp", "time")})
        ]
        probes = _probes(named, model, int(seconds * 1000), entry)
        beside = beside_of([(leaf, meaning) for leaf, meaning in named if meaning is not None], model)
        readings = [replace(probe.reading, history=True) for probe in probes]
        if readings and beside.has_any:
            readings[0] = beside.on(readings[0])
        found += readings
    return found
