"""Which units and devices a simulated fleet has: pure, by number of units and seed."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from infra.simulator.catalog import FACTS, Model
from infra.simulator.chance import between, fraction, key_of
from infra.simulator.physics import HOUR, MINUTE, Climate


class UnitKind(StrEnum):
    """Kinds of unit; the value is what the registry calls them."""

    REFRIGERATOR = "refrigerator"
    FREEZER = "freezer"
    COLD_ROOM = "cold_room"


class Trouble(StrEnum):
    """What is the matter with a unit."""

    NONE = "none"
    FAILING = "failing"
    """The compressor stands still from time to time."""
    DRIFTING = "drifting"
    """A little warmer every day."""
    SILENT = "silent"
    """The sensor stops sending for a while."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place and its time zone."""

    name: str
    time_zone: str

    @property
    def gateways(self) -> tuple[str, ...]:
        """The ids of the gateways that stand there."""
        return tuple(f"gw-{self.name.lower().replace(' ', '-')}-{number}" for number in range(1, GATEWAYS + 1))


@dataclass(frozen=True, slots=True)
class Device:
    """One device with one probe that counts."""

    dev_eui: str
    device_id: str
    model: Model
    key: int
    """Sets this device's chance apart from every other's."""
    phase: float
    """Where in an interval it sends, 0 to 1; the devices of a fleet are spread evenly."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit, what it is like inside and what watches it."""

    number: int
    """From 1."""
    site: Site
    name: str
    kind: UnitKind
    climate: Climate
    trouble: Trouble
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything simulated."""

    seed: int
    sites: tuple[Site, ...]
    units: tuple[Unit, ...]

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices of all units."""
        return tuple(device for unit in self.units for device in unit.devices)


GATEWAYS: Final = 3
"""Gateways at each site; every device has a nearest one."""

SITES: Final = (
    Site("Basel clinic", "Europe/Zurich"),
    Site("Brooklyn pharmacy", "America/New_York"),
    Site("Osaka depot", "Asia/Tokyo"),
)

R, F, C = UnitKind.REFRIGERATOR, UnitKind.FREEZER, UnitKind.COLD_ROOM

Pattern = tuple[tuple[UnitKind, Trouble, tuple[Model, ...]], ...]


class Mix(StrEnum):
    """What a fleet is made of."""

    DEMO = "demo"
    """Every dozen units has 14 devices, of which one watches a door; one unit fails, one drifts, one sensor falls silent."""
    CALM = "calm"
    """One device in every unit, and nothing the matter with any."""
    EVERY_MODEL = "every_model"
    """Each model of the catalog once, then again; nothing the matter with any."""


DEMO: Final[Pattern] = (
    (R, Trouble.NONE, (Model.LHT65, Model.LDS02)),
    (R, Trouble.NONE, (Model.EM300_TH,)),
    (F, Trouble.NONE, (Model.ELT_2,)),
    (R, Trouble.FAILING, (Model.LHT65,)),
    (C, Trouble.NONE, (Model.EM320_TH, Model.DL_DS18)),
    (R, Trouble.DRIFTING, (Model.DL_DS18,)),
    (F, Trouble.NONE, (Model.LHT65,)),
    (R, Trouble.SILENT, (Model.EM300_TH,)),
    (R, Trouble.NONE, (Model.EM320_TH,)),
    (C, Trouble.NONE, (Model.LHT65,)),
    (F, Trouble.NONE, (Model.DL_DS18,)),
    (R, Trouble.NONE, (Model.ELT_2,)),
)

PATTERNS: Final[dict[Mix, Pattern]] = {
    Mix.DEMO: DEMO,
    Mix.CALM: tuple((kind, Trouble.NONE, models[:1]) for kind, _, models in DEMO),
    Mix.EVERY_MODEL: tuple((R, Trouble.NONE, (model,)) for model in Model),
}
"""What each next unit is; from the last one it begins anew."""

GOLDEN: Final = (math.sqrt(5) - 1) / 2
"""Steps of this length around a circle never bunch, however many there are: each device's phase is one step further."""
LARGEST: Final = 200_000
"""Units; a simulated fleet is for one machine."""


def build_fleet(units: int, seed: int, mix: Mix = Mix.DEMO) -> Fleet:
    """Return the fleet of that size; the same seed gives the same fleet, and a larger one begins with the smaller one.

    Raises ValueError unless `units` is from 1 to LARGEST.
    """
    if not 1 <= units <= LARGEST:
        message = f"a simulated fleet has 1 to {LARGEST} units, not {units}"
        raise ValueError(message)
    phase = fraction(seed, 0, 2)
    built: list[Unit] = []
    for place in range(units):
        unit = _unit(place, seed, PATTERNS[mix], phase)
        phase = (phase + GOLDEN * len(unit.devices)) % 1.0
        built.append(unit)
    return Fleet(seed, SITES[: min(units, len(SITES))], tuple(built))


def _unit(place: int, seed: int, pattern: Pattern, phase: float) -> Unit:
    kind, trouble, models = pattern[place % len(pattern)]
    name = f"{kind.value.replace('_', ' ').capitalize()} {place + 1}"
    devices = tuple(_device(place, number, model, seed, (phase + GOLDEN * number) % 1.0) for number, model in enumerate(models))
    return Unit(place + 1, SITES[place % len(SITES)], name, kind, _climate(place, kind, trouble, seed), trouble, devices)


def _device(place: int, number: int, model: Model, seed: int, phase: float) -> Device:
    serial = place * 4 + number
    return Device(
        dev_eui=f"{FACTS[model].eui}{seed & 0xFFFF:04X}{serial:06X}",
        device_id=f"{model.value}-{seed & 0xFFFF:04x}-{serial:05d}",
        model=model,
        key=key_of(seed, serial),
        phase=phase,
    )


def _climate(place: int, kind: UnitKind, trouble: Trouble, seed: int) -> Climate:
    key = key_of(seed, place, 1)
    drift = 0.075 if trouble is Trouble.DRIFTING else 0.0
    cycle = int(between(18, 34, key, 10) * MINUTE)
    match kind:
        case UnitKind.REFRIGERATOR:
            return Climate(key, between(4.4, 5.2, key, 11), between(0.5, 1.0, key, 12), cycle, 22.0, HOUR, drift_per_day=drift)
        case UnitKind.COLD_ROOM:
            return Climate(key, between(3.9, 4.7, key, 11), between(0.4, 0.8, key, 12), cycle, 20.0, 3 * HOUR)
        case UnitKind.FREEZER:
            return Climate(key, between(-21.5, -20.0, key, 11), between(0.8, 1.4, key, 12), cycle, 22.0, 5 * HOUR, defrosts=True)
        case _:
            assert_never(kind)
