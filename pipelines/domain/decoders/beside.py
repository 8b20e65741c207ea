"""What stands beside the temperature: humidity, battery, door. A value that cannot be true is left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipelines.domain.decimals import scaled
from pipelines.domain.decoders.names import Meaning, Quantity
from pipelines.domain.decoders.numbers import number_of

if TYPE_CHECKING:
    from pipelines.domain.decoders.decode import ProbeReading
    from pipelines.domain.decoders.leaves import Leaf
    from pipelines.domain.decoders.models import Model

OPEN_WORDS: Final = frozenset({"open", "opened", "1", "true"})
CLOSED_WORDS: Final = frozenset({"closed", "close", "0", "false"})

MOST_VOLTS: Final = 20
"""A higher battery value is in millivolts or percent: no sensor runs on more."""
MOST_CELL_VOLTS: Final = 6
MOST_PERCENT: Final = 100
MOST_MILLIVOLTS: Final = 32_000
LEAST_MILLIVOLTS: Final = 500


@dataclass(frozen=True, slots=True)
class Beside:
    """Humidity in hundredths of a percent, battery in millivolts and percent, door."""

    humidity: int | None = None
    battery_millivolts: int | None = None
    battery_percent: int | None = None
    door_open: bool | None = None

    @property
    def has_any(self) -> bool:
        """Return whether there is anything."""
        return any(value is not None for value in (self.humidity, self.battery_millivolts, self.battery_percent, self.door_open))

    def on(self, reading: ProbeReading) -> ProbeReading:
        """Return a reading that carries this."""
        return replace(
            reading,
            humidity=self.humidity,
            battery_millivolts=self.battery_millivolts,
            battery_percent=self.battery_percent,
            door_open=self.door_open,
        )


def beside_of(named: list[tuple[Leaf, Meaning]], model: Model) -> Beside:
    """Return the first of each that can be true."""
    beside = Beside()
    for leaf, meaning in named:
        match meaning.quantity:
            case Quantity.HUMIDITY if beside.humidity is None:
                beside = replace(beside, humidity=_humidity(leaf.value))
            case Quantity.BATTERY:
                beside = _with_battery(beside, leaf, meaning.scale or model.battery)
            case Quantity.DOOR if beside.door_open is None:
                beside = replace(beside, door_open=_door(leaf.value))
            case _:
                continue
    return beside


def _humidity(value: object) -> int | None:
    parsed = number_of(value)
    return scaled(parsed[0], 2) if parsed is not None and 0 <= parsed[0] <= MOST_PERCENT else None


def _with_battery(beside: Beside, leaf: Leaf, scale: str) -> Beside:
    parsed = number_of(leaf.value)
    if parsed is None:
        return beside
    number, written = parsed
    scale = _written_scale(written or leaf.unit) or scale
    match _settled_scale(number, scale):
        case "v" if beside.battery_millivolts is None:
            return replace(beside, battery_millivolts=scaled(number, 3))
        case "mv" if beside.battery_millivolts is None:
            return replace(beside, battery_millivolts=scaled(number, 0))
        case "percent" if beside.battery_percent is None:
            return replace(beside, battery_percent=scaled(number, 0))
        case _:
            return beside


def _written_scale(unit: str) -> str:
    return {"%": "percent", "v": "v", "mv": "mv"}.get(unit.strip().lower(), "")


def _settled_scale(number: Decimal, scale: str) -> str:
    """Return the scale a value must be in; empty where it cannot be true in any."""
    if scale == "v" and number >= LEAST_MILLIVOLTS:
        scale = "mv"
    if scale == "mv" and Decimal(1) < number <= MOST_CELL_VOLTS and number != number.to_integral_value():
        scale = "v"
    if not scale:
        is_whole = number == number.to_integral_value()
        scale = "v" if number <= MOST_CELL_VOLTS and not (is_whole and number == 0) else "percent" if number <= MOST_PERCENT else "mv"
    most = {"v": Decimal(MOST_VOLTS), "mv": Decimal(MOST_MILLIVOLTS), "percent": Decimal(MOST_PERCENT)}[scale]
    least = {"v": Decimal("0.5"), "mv": Decimal(LEAST_MILLIVOLTS), "percent": Decimal(0)}[scale]
    return scale if least <= number <= most else ""


def _door(value: object) -> bool | None:
    text = str(value).strip().lower()
    if text in OPEN_WORDS:
        return True
    return False if text in CLOSED_WORDS else None
