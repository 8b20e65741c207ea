"""What a leaf is by its names: a temperature of which probe, humidity, battery or a door; or nothing of ours.

Careful on purpose: set points, thresholds, derived values and anything not understood are nothing of ours.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final


class Quantity(Enum):
    """What is measured."""

    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    BATTERY = "battery"
    DOOR = "door"


class Role(Enum):
    """Which probe a temperature is of."""

    EXTERNAL = "external"
    """A wired or remote probe."""
    CHANNEL = "channel"
    """One of several equal probes."""
    AMBIENT = "ambient"
    """Built in, measures the air around the device."""
    BOARD = "board"
    """Of the device itself: board, processor, housing."""
    SOIL = "soil"
    LIQUID = "liquid"
    PROCESS = "process"
    """Of a pipe, a surface, an object."""


PRIMARY: Final = frozenset({Role.EXTERNAL, Role.CHANNEL, Role.AMBIENT})
"""Roles a monitor of refrigerators goes by."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a leaf is; `probe` is its stable name where it is a temperature."""

    quantity: Quantity
    role: Role = Role.AMBIENT
    probe: str = ""
    scale: str = ""
    """Of a battery: `mv`, `percent`, `v`, or empty where the value must tell."""


_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WHOLE: Final = frozenset({"ds18b20", "pt100", "pt1000", "ds18", "mv"})
"""Words that would fall apart otherwise."""
_TEMPERATURE: Final = frozenset({"temp", "temperature", "temperatures", "tempera", "temps", "tempc", "degc", "celsius"})
_HUMIDITY: Final = frozenset({"hum", "humi", "humidity", "rh", "relativehumidity"})
_BATTERY: Final = frozenset({"bat", "batt", "battery", "batv", "vbat", "vdd", "batteryvoltage", "batterylevel"})
_NO_READING: Final = frozenset(
    [
        "threshold",
        "thresholds",
        "limit",
        "limits",
        "alarm",
        "alert",
        "alarms",
        "change",
        "changed",
        "delta",
        "offset",
        "calibration",
        "set",
        "setpoint",
        "target",
        "type",
        "status",
        "state",
        "flag",
        "flags",
        "enable",
        "enabled",
        "interval",
        "dew",
        "dewpoint",
        "heat",
        "index",
        "feels",
        "fahrenheit",
        "count",
        "counter",
        "times",
        "time",
        "timestamp",
        "min",
        "max",
        "minimum",
        "maximum",
        "mean",
        "average",
        "avg",
        "std",
        "err",
        "error",
        "report",
        "high",
        "low",
        "hysteresis",
        "config",
        "mode",
        "unit",
        "trigger",
        "event",
        "lower",
        "upper",
        "desired",
        "valve",
        "pwm",
        "correction",
    ],
)
_BOARD: Final = frozenset(
    ["board", "mcu", "cpu", "cputemp", "chip", "internal", "onboard", "device", "pcb", "core", "die", "housing", "system", "soc"]
)
_SUPPLY: Final = frozenset({("supply", "voltage"), ("storage", "voltage"), ("volt",), ("volts",), ("voltage",), ("bat", "mon")})
"""Names of a battery's voltage that do not say battery."""
_SOIL: Final = frozenset({"soil", "ground", "substrate"})
_LIQUID: Final = frozenset({"water", "liquid", "fluid", "fuel", "oil"})
_PROCESS: Final = frozenset(
    ["flow", "return", "supply", "inlet", "outlet", "process", "ir", "object", "surface", "pipe", "mold", "radiator", "wall"]
)
_EXTERNAL: Final = frozenset(
    ["ext", "external", "probe", "ds", "ds18b20", "ds18", "pt100", "pt1000", "thermistor", "thermocouple", "remote", "wired", "tc"]
)
_CHANNEL: Final = frozenset(
    ["channel", "ch", "level", "white", "red", "black", "green", "blue", "probe1", "probe2", "sensor", "port", "input"]
)
_COLOURS: Final = ("white", "red", "black", "green", "blue")
_DOORS: Final = frozenset(
    {"door", "door open status", "door open", "door status", "door state", "magnet status", "magnet", "open", "contact state"}
)


def words_of(name: str) -> tuple[str, ...]:
    """Return a name's words in lower case: TempC_DS18B20 is temp, c, ds18b20."""
    spread = re.sub(r"(?i)ds18b20|pt1000|pt100|ds18", lambda match: f"_{match[0].upper().replace('S', 's')}_", name)
    words: list[str] = []
    for part in re.split(r"[^0-9A-Za-z]+", spread):
        folded = part.lower()
        words += [folded] if folded in _WHOLE else [word.lower() for word in _WORDS.findall(part)]
    return tuple(words)


@lru_cache(maxsize=4_096)
def meaning_of(path: tuple[str, ...], unit: str = "") -> Meaning | None:
    """Return what a leaf with these names (outermost first) and this unit is, or None."""
    own = words_of(path[-1]) if path else ()
    above = tuple(word for name in path[:-1] for word in words_of(name))
    if not own:
        own, above = above, ()
    words = set(own)
    if (words | set(above)) & _NO_READING and " ".join(own) not in _DOORS:
        return None
    if words & _TEMPERATURE or (not words & (_HUMIDITY | _BATTERY) and unit.strip("° ").lower() in {"c", "℃", "degc"}):
        return _temperature(own, above)
    if words & _HUMIDITY and not words & _SOIL and "absolute" not in words:
        return Meaning(Quantity.HUMIDITY)
    if words & _BATTERY or own in _SUPPLY:
        return Meaning(Quantity.BATTERY, scale=_battery_scale(words, unit))
    if " ".join(own) in _DOORS:
        return Meaning(Quantity.DOOR)
    return None


def _temperature(own: tuple[str, ...], above: tuple[str, ...]) -> Meaning | None:
    words = set(own) | set(above)
    number = next((word for word in reversed(own) if word.isdigit()), "")
    if "f" in own or "fahrenheit" in own:
        return None
    for kinds, role in ((_SOIL, Role.SOIL), (_LIQUID, Role.LIQUID), (_PROCESS, Role.PROCESS), (_BOARD, Role.BOARD)):
        if words & kinds:
            return Meaning(Quantity.TEMPERATURE, role, role.value)
    colour = next((word for word in own if word in _COLOURS), "")
    if words & _EXTERNAL:
        return Meaning(Quantity.TEMPERATURE, Role.EXTERNAL, f"external{'_' + number if number else ''}")
    if colour or number or set(own) & _CHANNEL:
        return Meaning(Quantity.TEMPERATURE, Role.CHANNEL, colour or f"channel_{number or '1'}")
    return Meaning(Quantity.TEMPERATURE, Role.AMBIENT, Role.AMBIENT.value)


def _battery_scale(words: set[str], unit: str) -> str:
    folded = unit.lower()
    if folded == "mv" or "mv" in words or "millivolts" in words:
        return "mv"
    if folded == "%" or words & {"percent", "percentage", "pct", "capacity", "perc"}:
        return "percent"
    if folded == "v" or words & {"v", "volt", "volts", "voltage", "batv", "vbat", "batteryvoltage"}:
        return "v"
    return ""
