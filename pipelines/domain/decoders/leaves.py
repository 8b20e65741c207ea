"""Flattens a decoded payload into named leaves: nested objects, {value, unit} pairs, labelled lists, channels. Interprets nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

MAX_LEAVES: Final = 400
MAX_DEPTH: Final = 8
LABELS: Final = ("label", "name", "displayName", "type", "variable")
HISTORY_NAMES: Final = frozenset({"history", "historyData", "history_data", "datalog", "retransmit"})
SENSECAP_NAMES: Final = {"4097": "air_temperature", "4098": "air_humidity", "4102": "soil_temperature", "3000": "battery_percent"}
"""SenseCAP numbers what it measures (measurementId)."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a payload: the names that lead to it, its place in a list (0 where it stands alone), its unit if it has one."""

    path: tuple[str, ...]
    value: object
    unit: str = ""
    place: int = 0


def leaves(payload: object) -> list[Leaf]:
    """Return the leaves of a payload in its order; history frames are left out (`history_of`)."""
    found: list[Leaf] = []
    for leaf in _walk(payload, (), 0):
        found.append(leaf)
        if len(found) >= MAX_LEAVES:
            break
    return found


def history_of(payload: object) -> list[dict[str, Any]]:
    """Return the history entries of a payload: objects with a time of their own."""
    if not isinstance(payload, dict):
        return []
    entries: list[dict[str, Any]] = []
    for name, value in payload.items():
        if name in HISTORY_NAMES and isinstance(value, list):
            entries += [entry for entry in value if isinstance(entry, dict)]
    return entries[:MAX_LEAVES]


def _walk(value: object, path: tuple[str, ...], depth: int) -> Iterator[Leaf]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield from _object(value, path, depth)
    elif isinstance(value, list):
        yield from _list(value, path, depth)
    else:
        yield Leaf(path, value)


def _object(value: dict[str, Any], path: tuple[str, ...], depth: int) -> Iterator[Leaf]:
    unit = value.get("unit")
    text = unit if isinstance(unit, str) else ""
    if "measurementId" in value and "measurementValue" in value:
        name = SENSECAP_NAMES.get(str(value["measurementId"]), "")
        if name:
            yield Leaf((*path, name), value["measurementValue"])
        return
    if "value" in value and not isinstance(value["value"], (dict, list)):
        label = next((value[name] for name in LABELS if isinstance(value.get(name), str)), "") if not path or path[-1] == "" else ""
        yield Leaf((*path, label) if label else path, value["value"], text)
        return
    if isinstance(value.get("values"), list):
        if value["values"]:
            yield Leaf(path, value["values"][0], text)
        return
    for name, inner in value.items():
        if name not in HISTORY_NAMES:
            yield from _walk(inner, (*path, name), depth + 1)


def _list(value: list[Any], path: tuple[str, ...], depth: int) -> Iterator[Leaf]:
    if value and all(isinstance(entry, (dict, list)) for entry in value):
        for entry in value:
            yield from _walk(entry, (*path, ""), depth + 1)
    else:
        for place, entry in enumerate(value, 1):
            if not isinstance(entry, (dict, list)):
                yield Leaf(path, entry, place=place)
