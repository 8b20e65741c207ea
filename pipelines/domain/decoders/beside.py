"""What stands beside the temperature: humidity, battery, door. A value that cannot be true is left out."""

from decimal import Decimal
from typing import Final

import msgspec

from pipelines.domain.decimals import scaled
from pipelines.domain.decoders.flags import is_distrusted
from pipelines.domain.decoders.leaves import Leaf
from pipelines.domain.decoders.names import BATTERY_UNITS, Meaning, Quantity
from pipelines.domain.decoders.numbers import number_of, quick_scaled
from pipelines.domain.decoders.probes import Context
from pipelines.domain.decoders.readings import ProbeReading

OPEN_WORDS: Final = frozenset({"open", "opened", "1", "true"})
CLOSED_WORDS: Final = frozenset({"closed", "close", "0", "false"})

MOST_VOLTS: Final = 20
"""A higher battery value is in millivolts or percent: no sensor runs on more."""
MOST_CELL_VOLTS: Final = 6
LEAST_CELL_VOLTS: Final = 1
WHOLE_VOLTS: Final = frozenset({2, 3, 4})
"""3.0 V is written 3 by a payload formatter; no other small whole number is a voltage for certain."""
FLAGS: Final = frozenset({0, 1})
"""0 may as well mean a good battery, or mains."""
LEVEL: Final = "level"
"""Scale of `names.Meaning`: how full, in volts, percent or steps."""
GUESSED: Final = "guessed"
"""Scale of percent that nothing but the value told."""
MOST_PERCENT: Final = 100
MOST_MILLIVOLTS: Final = 32_000
LEAST_MILLIVOLTS: Final = 500
_LIMITS: Final = {
    "v": (Decimal("0.5"), Decimal(MOST_VOLTS)),
    "mv": (Decimal(LEAST_MILLIVOLTS), Decimal(MOST_MILLIVOLTS)),
    "percent": (Decimal(0), Decimal(MOST_PERCENT)),
}


class Beside(msgspec.Struct, frozen=True, gc=False):
    """Humidity in hundredths of a percent, battery in millivolts and percent, door."""

    humidity: int | None = None
    battery_millivolts: int | None = None
    battery_percent: int | None = None
    door_open: bool | None = None
    battery_guessed: bool = False

    @property
    def has_any(self) -> bool:
        """Return whether there is anything."""
        return (
            self.humidity is not None
            or self.battery_millivolts is not None
            or self.battery_percent is not None
            or self.door_open is not None
        )

    def on(self, reading: ProbeReading) -> ProbeReading:
        """Return a reading that carries this."""
        return msgspec.structs.replace(
            reading,
            humidity=self.humidity,
            battery_millivolts=self.battery_millivolts,
            battery_percent=self.battery_percent,
            door_open=self.door_open,
            battery_guessed=self.battery_guessed,
        )


_NONE: Final = Beside()


def beside_of(named: list[tuple[Leaf, Meaning]], context: Context) -> Beside:
    """Return the first of each that can be true."""
    humidity = door_open = None
    battery: dict[str, int] = {}
    for leaf, meaning in named:
        if meaning.quantity is Quantity.TEMPERATURE or (context.distrusts and is_distrusted(leaf, context.distrusts)):
            continue
        match meaning.quantity:
            case Quantity.HUMIDITY if humidity is None:
                humidity = _humidity(leaf.value)
            case Quantity.BATTERY:
                known = meaning.scale if meaning.scale not in ("", LEVEL) else context.model.battery or meaning.scale
                scale, value = _battery(leaf, known)
                battery.setdefault(scale, value)
            case Quantity.DOOR if door_open is None:
                door_open = _door(leaf.value)
            case _:
                continue
    if not battery and humidity is None and door_open is None:
        return _NONE
    is_guessed = "percent" not in battery and GUESSED in battery
    return Beside(humidity, battery.get("v"), battery.get(GUESSED if is_guessed else "percent"), door_open, is_guessed)


def _humidity(value: object) -> int | None:
    quick = quick_scaled(value, 100)
    if quick is not None and 0 < quick < MOST_PERCENT * 100:
        return quick
    parsed = number_of(value)
    return scaled(parsed[0], 2) if parsed is not None and 0 <= parsed[0] <= MOST_PERCENT else None


def _battery(leaf: Leaf, scale: str) -> tuple[str, int]:
    """Return `v` with millivolts, `percent` or GUESSED with percent, or an empty scale where the value cannot be true."""
    if scale == "v" and leaf.unit in ("", "V"):
        quick = quick_scaled(leaf.value, 1000)
        if quick is not None and LEAST_MILLIVOLTS < quick < MOST_VOLTS * 1000:
            return "v", quick
    if type(leaf.value) is int and not leaf.unit:
        if scale == "percent" and 0 <= leaf.value <= MOST_PERCENT:
            return "percent", leaf.value
        if scale == "mv" and LEAST_MILLIVOLTS <= leaf.value <= MOST_MILLIVOLTS:
            return "v", leaf.value
    parsed = number_of(leaf.value)
    if parsed is None:
        return "", 0
    number, written = parsed
    told = _written_scale(written or leaf.unit) or scale
    match _settled_scale(number, told):
        case "v":
            return "v", scaled(number, 3)
        case "mv":
            return "v", scaled(number, 0)
        case "percent":
            return "percent" if told == "percent" else GUESSED, scaled(number, 0)
        case _:
            return "", 0


def _written_scale(unit: str) -> str:
    return BATTERY_UNITS.get(unit.strip(" []()").lower(), "")


def _settled_scale(number: Decimal, scale: str) -> str:
    """Return the scale a value must be in; empty where it cannot be true in any."""
    if scale == "v" and number >= LEAST_MILLIVOLTS:
        scale = "mv"
    if scale == "mv" and Decimal(1) < number <= MOST_CELL_VOLTS and number != number.to_integral_value():
        scale = "v"
    if not scale or scale == LEVEL:
        scale = _guessed_scale(number, is_level=scale == LEVEL)
    if not scale:
        return ""
    least, most = _LIMITS[scale]
    return scale if least <= number <= most else ""


def _guessed_scale(number: Decimal, *, is_level: bool) -> str:
    """Return the scale that only a value itself tells; empty where it may as well be a flag, a step of a few, or a fraction."""
    if number > MOST_PERCENT:
        return "mv"
    if number == number.to_integral_value():
        if number in WHOLE_VOLTS:
            return "" if is_level else "v"
        return "" if number in FLAGS else "percent"
    if number > MOST_CELL_VOLTS:
        return "percent"
    return "v" if number > LEAST_CELL_VOLTS else ""


def _door(value: object) -> bool | None:
    text = str(value).strip().lower()
    if text in OPEN_WORDS:
        return True
    return False if text in CLOSED_WORDS else None
