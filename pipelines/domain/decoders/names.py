"""What a leaf is by its names: a temperature of which probe, humidity, battery or a door; or nothing of ours.

Careful on purpose: set points, thresholds, derived values and anything not understood are nothing of ours.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from pipelines.domain.decoders import vocabulary as v


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
    """Of a battery: `mv`, `percent`, `v`, `level`; of a temperature: `f`, `k`, `tenths`, `hundredths`, `thousandths`; empty where the value must tell."""
    is_plain: bool = False
    """A temperature called nothing but that: the model decides its role. Or a voltage: what else is sent decides whether it is a battery's."""


LABELLED: Final = "="
"""Stands before a name in a path that a list's entry calls itself."""
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PART: Final = re.compile(
    r"(?i)ds18[bs]20|ds18|lidar|pt1000|pt100|(?<![a-z])co2(?![a-z0-9])|(?<![a-z])(?:sht|bme|bmp|dht|hdc|scd|aht|tmp|am23|si70|hts|mcp98|lm)\d+x?(?![a-z])",
)
"""Names of parts, which would fall apart into words and numbers."""
_BUILT_IN: Final = re.compile(r"(?:sht|bme|bmp|dht|hdc|scd|aht|am23|si70|hts|mcp98|lm)\d*x?")
_CELSIUS: Final = frozenset({"c", "℃", "degc", "cel", "celsius", "deg c", "degrees c", "degree celsius", "degrees celsius"})
_ANY_DEGREE: Final = frozenset({"", "deg", "degree", "degrees"})
_FAHRENHEIT: Final = frozenset({"f", "℉", "degf", "fahrenheit", "deg f", "degrees f", "degrees fahrenheit"})
_KELVIN: Final = frozenset({"k", "kelvin"})
_PARTS_OF_A_DEGREE: Final = {
    **dict.fromkeys(("0.1c", "1/10c", "c/10", "c*10", "dc", "decidegree", "decidegrees", "0.1 c", "1/10 c"), "tenths"),
    **dict.fromkeys(("0.01c", "1/100c", "c/100", "c*100", "cc", "centidegree", "centidegrees", "0.01 c", "1/100 c"), "hundredths"),
    **dict.fromkeys(("mc", "millidegree", "millidegrees", "0.001c", "m℃"), "thousandths"),
}
_HUMIDITY_UNITS: Final = frozenset({"", "%", "%rh", "% rh", "rh", "rh%", "%r.h.", "percent", "pct", "%hr"})
BATTERY_UNITS: Final = {
    **dict.fromkeys(("v", "volt", "volts", "vdc"), "v"),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), "mv"),
    **dict.fromkeys(("%", "percent", "pct"), "percent"),
}
"""Units of a battery's value as they are written, in lower case, and the scale each is."""


def unit_scale(unit: str) -> str | None:
    """Return the scale of a temperature's unit as Meaning has it, empty for Celsius and for none; None for the unit of something else."""
    folded = _folded(unit)
    if folded in _CELSIUS or folded in _ANY_DEGREE:
        return ""
    return "f" if folded in _FAHRENHEIT else "k" if folded in _KELVIN else _PARTS_OF_A_DEGREE.get(folded)


def _folded(unit: str) -> str:
    return unit.replace("°", "").replace("º", "").strip(" []()").lower()


@lru_cache(maxsize=4_096)
def words_of(name: str) -> tuple[str, ...]:
    """Return a name's words in lower case: TempC_DS18B20 is temp, c, ds18b20; roomtemp is room, temp."""
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    spread = _PART.sub(lambda match: f"_{match[0].lower()}_", plain)
    words: list[str] = []
    for part in re.split(r"[^0-9A-Za-z]+", spread):
        if part == part.lower() and (_PART.fullmatch(part) or part == "mv"):
            words.append(part)
        elif part.lower() == "mv":
            words.append("mv")
        else:
            for word in _WORDS.findall(part):
                words += _unglued(word.lower())
    return tuple(words)


def _unglued(word: str) -> tuple[str, ...]:
    """Return a word in its parts, where it is two written together."""
    if word in v.KNOWN:
        return (word,)
    for known in v.GLUED:
        for rest, order in ((word.removesuffix(known), False), (word.removeprefix(known), True)):
            if rest and rest != word and (known != "temp" or rest in v.KNOWN):
                return (known, rest) if order else (rest, known)
    return (word,)


@lru_cache(maxsize=4_096)
def meaning_of(path: tuple[str, ...], unit: str = "") -> Meaning | None:
    """Return what a leaf with these names (outermost first) and this unit is, or None."""
    names = [named for name in path if (named := _words_in(name))]
    own = names.pop() if names else ()
    if names and _only_tells_which(own):
        own = (*names.pop(), *own)
    above = tuple(word for named in names for word in named)
    words = set(own)
    if _is_door(own, above):
        return Meaning(Quantity.DOOR)
    is_battery = bool(words & v.BATTERY) or own in v.SUPPLY
    speaking = set(above) - v.STATES
    if is_battery and _battery_scale(words, unit):
        speaking -= v.HAPPENINGS
    if (words | speaking) & v.NO_READING or own[:1] == ("per",):
        return None
    in_state = not v.STATES.isdisjoint(above)
    if words & v.NO_READING_ITSELF and not is_battery:
        return None
    scale = unit_scale(unit)
    if words & v.TEMPERATURE or (_folded(unit) in _CELSIUS and not words & (v.HUMIDITY | v.BATTERY)):
        if scale is None:
            return None
        return _of_itself(scale) if in_state else _temperature(own, above, scale, _label(path))
    if words & v.HUMIDITY:
        is_air = not words & v.SOIL and "absolute" not in words and "leaf" not in words and "circuit" not in words
        return Meaning(Quantity.HUMIDITY) if is_air and not in_state and _folded(unit) in _HUMIDITY_UNITS else None
    return _battery(own, unit, in_state=in_state) if is_battery else None


def _words_in(name: str) -> tuple[str, ...]:
    """Return the words of a name in a path. What a list's entry calls itself may be where it hangs: upper and low are no limits there."""
    words = words_of(name)
    return tuple(word for word in words if word not in v.PLACES) if name.startswith(LABELLED) else words


def _is_door(own: tuple[str, ...], above: tuple[str, ...]) -> bool:
    """Return whether a name is a door's, numbered or not: door, magnet_chn1."""
    name = " ".join("open" if word == "opened" else word for word in own if not word.isdigit() and word not in v.WHICH)
    return name in v.DOORS and (name != "open" or v.OTHERS_THAT_OPEN.isdisjoint(above))


def _of_itself(scale: str) -> Meaning:
    """Return the temperature of an object in which a device tells of its own state."""
    return Meaning(Quantity.TEMPERATURE, Role.BOARD, Role.BOARD.value, scale)


def _battery(own: tuple[str, ...], unit: str, *, in_state: bool) -> Meaning | None:
    """Return how much is in a battery; None for what else is said of one. Among states a value without a scale is a flag."""
    words = set(own)
    if words & v.NO_BATTERY or (unit and _folded(unit) not in BATTERY_UNITS):
        return None
    scale = _battery_scale(words, unit)
    return (
        None
        if in_state and not scale
        else Meaning(Quantity.BATTERY, scale=scale or ("level" if "level" in words else ""), is_plain=own == ("voltage",))
    )


def _only_tells_which(own: tuple[str, ...]) -> bool:
    """Return whether a name says only which of what the object around it is: celsius, probe1, 3, white. A bare `port` is no such name."""
    words = set(own)
    has_number = any(word.isdigit() for word in own)
    telling = (
        v.EXTERNAL
        | v.AMBIENT
        | set(v.COLOURS)
        | {"celsius", "fahrenheit", "kelvin", "value", "current", "curr", "cur", "now", "c", "f", "k"}
    )
    return all(word.isdigit() or word in telling or (has_number and word in v.CHANNEL) for word in words)


def _label(path: tuple[str, ...]) -> str:
    """Return what a list's entry calls itself, as a probe's name; empty where it does not."""
    label = next((name for name in path if name.startswith(LABELLED)), "")
    return "_".join(re.findall(r"[a-z0-9]+", label.lower()))[:40]


def _temperature(own: tuple[str, ...], above: tuple[str, ...], scale: str, label: str) -> Meaning:
    words = set(own) | set(above)
    scale = scale or _written_scale(own)
    number = (
        ""
        if scale in ("tenths", "hundredths", "thousandths")
        else next((word for word in (*reversed(own), *reversed(above)) if word.isdigit()), "")
    )
    if label and not set(words_of(label)) <= v.NEUTRAL | v.WRAPPERS:
        return Meaning(Quantity.TEMPERATURE, _labelled_role(set(own) | set(words_of(label))), label, scale)
    if not set(own) & v.ABOVE_ALL:
        words -= v.ABOVE_ALL
    for kinds, role in ((v.SOIL, Role.SOIL), (v.LIQUID, Role.LIQUID), (v.PROCESS, Role.PROCESS), (v.BOARD, Role.BOARD)):
        if words & kinds:
            return Meaning(Quantity.TEMPERATURE, role, role.value, scale)
    if words & v.EXTERNAL:
        return Meaning(Quantity.TEMPERATURE, Role.EXTERNAL, f"external{'_' + number if number else ''}", scale)
    colour = next((word for word in own if word in v.COLOURS), "")
    if colour or number or set(own) & v.CHANNEL:
        return Meaning(Quantity.TEMPERATURE, Role.CHANNEL, colour or f"channel_{number or '1'}", scale)
    place = _place(own, above)
    is_plain = not place and not words & v.AMBIENT
    return Meaning(Quantity.TEMPERATURE, Role.AMBIENT, place or Role.AMBIENT.value, scale, is_plain)


def _labelled_role(words: set[str]) -> Role:
    """Return the role of a probe that has a name of its own: one of several, unless the name says what it is."""
    for kinds, role in ((v.SOIL, Role.SOIL), (v.LIQUID, Role.LIQUID), (v.PROCESS, Role.PROCESS), (v.BOARD, Role.BOARD)):
        if words & kinds:
            return role
    return Role.CHANNEL


def _place(own: tuple[str, ...], above: tuple[str, ...]) -> str:
    """Return what tells this temperature from others of the device: the fridge of fridgeTemp; empty where nothing does."""
    telling = [word for word in above if word not in v.WRAPPERS and word not in v.NEUTRAL]
    telling += [word for word in own if word not in v.NEUTRAL and word not in v.WRAPPERS]
    return "_".join(word for word in telling if not word.isdigit() and not _BUILT_IN.fullmatch(word))[:40]


def _written_scale(own: tuple[str, ...]) -> str:
    """Return the scale that a temperature's own name tells."""
    words = set(own)
    if words & {"f", "fahrenheit", "tempf"}:
        return "f"
    if words & {"k", "kelvin"}:
        return "k"
    pairs = set(pairwise(own))
    if words & {"hundredths", "centi", "centidegree", "centidegrees", "centicelsius", "x100"} or ("x", "100") in pairs:
        return "hundredths"
    if words & {"milli", "millidegree", "millidegrees", "millicelsius", "x1000"} or ("x", "1000") in pairs:
        return "thousandths"
    return "tenths" if words & {"tenths", "deci", "decidegree", "decidegrees", "decicelsius", "x10"} or ("x", "10") in pairs else ""


def _battery_scale(words: set[str], unit: str) -> str:
    """Return the scale of a battery's value, by its unit before its name; empty where neither tells."""
    told = BATTERY_UNITS.get(_folded(unit), "")
    if told:
        return told
    if words & {"mv", "millivolts", "millivolt"}:
        return "mv"
    if words & {"percent", "percentage", "pct", "capacity", "perc", "soc"}:
        return "percent"
    if words & {"v", "volt", "volts", "voltage", "batv", "vbat", "vbatt", "batteryvoltage"}:
        return "v"
    return ""
