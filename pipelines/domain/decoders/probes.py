"""Judges temperatures one by one and then together, and ranks a device's probes.

A value that cannot be true is never a temperature. An unplugged external probe never turns into the built-in one: `main_of` is
the best-ranked probe that the device has, faulty or not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from pipelines.domain.decimals import scaled
from pipelines.domain.decoders.flags import Distrust, is_distrusted
from pipelines.domain.decoders.leaves import Leaf
from pipelines.domain.decoders.models import UNKNOWN, Model
from pipelines.domain.decoders.names import PRIMARY, Meaning, Role, unit_scale, words_of
from pipelines.domain.decoders.numbers import SENTINELS, in_celsius, number_of, quick_hundredths
from pipelines.domain.decoders.readings import ProbeReading
from pipelines.domain.temperatures import HIGHEST_POSSIBLE, LOWEST_POSSIBLE
from schemas.reasons import RejectReason

LARGEST: Final = 1_000_000
ALL_ONES: Final = frozenset({-10, -1, -6})
"""0xFFFF in tenths, hundredths and sixteenths of a degree, as hundredths: what a bus without a probe reads."""
ALL_ONES_TENTHS: Final = -10
_ANYWHERE: Final = (LOWEST_POSSIBLE, HIGHEST_POSSIBLE)
POWER_ON: Final = 8_500
SEVERAL: Final = 2


class Probe(msgspec.Struct, frozen=True):
    """A probe's role and what it gave."""

    role: Role
    reading: ProbeReading


@dataclass(frozen=True, slots=True)
class Context:
    """What a whole payload says about each of its temperatures."""

    model: Model
    distrusts: list[Distrust]
    default_scale: str = ""
    """`f` where the device says that its temperatures are in Fahrenheit."""
    is_unplugged: bool = False
    """The device says that its external probe is not connected."""
    has_external: bool = False
    """The device says that it is set up for an external probe, connected or not."""


def probes_of(temperatures: Iterable[tuple[Leaf, Meaning]], context: Context, measured_at: int) -> list[Probe]:
    """Return the probes of some temperatures by name; one value said twice counts once."""
    judged = [(leaf, meaning, _scale(leaf, meaning, context)) for leaf, meaning in temperatures]
    has_celsius = any(scale != "f" for _, _, scale in judged)
    probes: dict[str, Probe] = {}
    for leaf, meaning, scale in judged:
        if scale == "f" and has_celsius:
            continue
        reading = _judged(leaf, meaning, scale, context, measured_at)
        known = probes.get(meaning.probe)
        if known is None:
            probes[meaning.probe] = Probe(meaning.role, reading)
        elif (known.reading.temperature, known.reading.fault) != (reading.temperature, reading.fault):
            other = f"{meaning.probe}_{'_'.join(words_of(leaf.name))}"[:60]
            probes.setdefault(other, Probe(meaning.role, _renamed(reading, other)))
    return _without_phantoms(list(probes.values()), context.model)


def _scale(leaf: Leaf, meaning: Meaning, context: Context) -> str | None:
    """Return the scale of a temperature; None where what is written behind it is the unit of something else."""
    parsed = number_of(leaf.value) if isinstance(leaf.value, str) else None
    written = unit_scale(parsed[1]) if parsed is not None and parsed[1] else ""
    return None if written is None else written or meaning.scale or context.default_scale


def _judged(leaf: Leaf, meaning: Meaning, scale: str | None, context: Context, measured_at: int) -> ProbeReading:
    """Return the reading of one leaf, or its fault."""
    temperature, fault, detail = _believed(leaf, meaning, scale, context)
    return ProbeReading(
        meaning.probe, measured_at, temperature, fault=fault, detail=detail, history=leaf.is_history, secondary=meaning.role not in PRIMARY
    )


def _believed(leaf: Leaf, meaning: Meaning, scale: str | None, context: Context) -> tuple[int | None, RejectReason | None, str]:
    """Return a temperature in hundredths, or why it is none with a sentence for people."""
    model, name = context.model, leaf.name
    low, high = range_of(meaning.role, model)
    temperature = None if scale != "" else quick_hundredths(leaf.value)
    if temperature is None or not low <= temperature <= high:
        temperature, fault, detail = _looked_at(leaf, scale, low, high)
        if temperature is None:
            return None, fault, detail
    if temperature == POWER_ON and (meaning.role in model.power_on_85 or "ds18" in name.lower()):
        return None, RejectReason.POWER_ON_85, f"{name} is 85.0, what the probe holds before it has measured"
    if temperature == 0 and name in model.zero_is_missing:
        return None, RejectReason.PROBE_MISSING, f"{name} is 0, what this model sends without a probe"
    if context.is_unplugged and meaning.role is Role.EXTERNAL:
        return None, RejectReason.PROBE_MISSING, "the device says that the probe is not connected"
    if context.distrusts and is_distrusted(leaf, context.distrusts):
        return None, RejectReason.PROBE_MISSING, f"the device says that {name} is not valid"
    return temperature, None, ""


def range_of(role: Role, model: Model) -> tuple[int, int]:
    """Return the lowest and highest temperature in hundredths that can be true of a model's probe."""
    low, high = model.ranges.get(role, _ANYWHERE)
    return max(low, LOWEST_POSSIBLE), min(high, HIGHEST_POSSIBLE)


def _looked_at(leaf: Leaf, scale: str | None, low: int, high: int) -> tuple[int | None, RejectReason | None, str]:
    """Return the temperature of a value that is not plainly one: text, another scale, a sentinel, out of range."""
    name = leaf.name
    parsed = number_of(leaf.value)
    if parsed is None or scale is None:
        return None, RejectReason.NOT_A_NUMBER, f"{name} is {str(leaf.value)[:40]!r}"
    number = parsed[0]
    if number in SENTINELS or abs(number) > LARGEST:
        return None, RejectReason.SENTINEL, f"{name} is {number}: the device has no value"
    if scale:
        number = in_celsius(number, scale)
    temperature = scaled(number, 2)
    if not low <= temperature <= high:
        return None, RejectReason.OUT_OF_RANGE, f"{name} is {number}; {low / 100:g} to {high / 100:g} can be true"
    return temperature, None, ""


def with_absent_probe(probes: list[Probe], context: Context, measured_at: int) -> list[Probe]:
    """Return the probes with the external one as a fault, where the device says that it has one and sends nothing of it."""
    if not context.has_external or any(probe.role is Role.EXTERNAL for probe in probes):
        return probes
    detail = "the device says that a probe belongs to it, and sends no value of it"
    absent = ProbeReading(Role.EXTERNAL.value, measured_at, fault=RejectReason.PROBE_MISSING, detail=detail)
    return [*probes, Probe(Role.EXTERNAL, absent)]


def _without_phantoms(probes: list[Probe], model: Model) -> list[Probe]:
    """Turn what a bus without probes reads into what it is: the same 0xFFFF on several channels, or on any where the model does so."""
    channels = [probe.reading.temperature for probe in probes if probe.role is Role.CHANNEL]
    phantoms = {value for value in ALL_ONES if channels.count(value) >= SEVERAL}
    if model.all_ones_is_missing:
        phantoms.add(ALL_ONES_TENTHS)
    if not phantoms.intersection(value for value in channels if value is not None):
        return probes
    return [
        Probe(probe.role, _missing(probe.reading)) if probe.role is Role.CHANNEL and probe.reading.temperature in phantoms else probe
        for probe in probes
    ]


def _missing(reading: ProbeReading) -> ProbeReading:
    detail = f"{(reading.temperature or 0) / 100:g} is 0xFFFF: no probe is fitted"
    return ProbeReading(
        reading.probe,
        reading.measured_at,
        fault=RejectReason.PROBE_MISSING,
        detail=detail,
        history=reading.history,
        secondary=reading.secondary,
    )


def _renamed(reading: ProbeReading, probe: str) -> ProbeReading:
    return ProbeReading(
        probe,
        reading.measured_at,
        reading.temperature,
        fault=reading.fault,
        detail=reading.detail,
        history=reading.history,
        secondary=reading.secondary,
    )


def main_of(probes: list[Probe], model: Model = UNKNOWN) -> ProbeReading | None:
    """Return the best-ranked probe; None where several are equal, or the wired one that the model is sold for sent nothing."""
    external = [probe.reading for probe in probes if probe.role is Role.EXTERNAL]
    if external:
        return external[0] if len(external) == 1 else None
    if model.is_wired:
        return None
    channels = [probe.reading for probe in probes if probe.role is Role.CHANNEL]
    ambient = [probe.reading for probe in probes if probe.role is Role.AMBIENT]
    if len(channels) == 1 and not ambient:
        return channels[0]
    if channels and (not ambient or sum(channel.fault is None for channel in channels) > 1):
        return None
    return _one(ambient)


def headline_of(probes: list[Probe], main: ProbeReading | None) -> ProbeReading | None:
    """Return the valid reading to show: main where it is valid, else a valid built-in one beside a faulty probe."""
    if main is not None and main.temperature is not None:
        return main
    for role in (Role.EXTERNAL, Role.CHANNEL, Role.AMBIENT):
        valid = [probe.reading for probe in probes if probe.role is role and probe.reading.temperature is not None]
        if valid:
            return _one(valid) if role is Role.AMBIENT else valid[0] if len(valid) == 1 else None
    return None


def carrier_of(readings: list[ProbeReading], main: ProbeReading | None, headline: ProbeReading | None, model: Model) -> ProbeReading | None:
    """Return the reading that carries what stands beside the temperatures; None where no probe of the air is there."""
    return main or (None if model.is_wired else headline or next((reading for reading in readings if not reading.secondary), None))


def _one(ambient: list[ProbeReading]) -> ProbeReading | None:
    """Return the only built-in probe, or the one among several that is called nothing else."""
    if len(ambient) == 1:
        return ambient[0]
    plain = [reading for reading in ambient if reading.probe.startswith(Role.AMBIENT.value)]
    return plain[0] if len(plain) == 1 else None
