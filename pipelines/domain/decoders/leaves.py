"""Flattens a decoded payload into named leaves: nested objects, {value, unit} pairs, labelled lists, channels, dated lists.

Interprets nothing but the shapes. Of a list of objects that neither dates nor names tell apart, no leaf is certain.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pipelines.domain.decoders.names import LABELLED
from pipelines.domain.decoders.times import instant_of

MAX_LEAVES: Final = 400
MAX_DEPTH: Final = 8
LABELS: Final = ("label", "name", "displayName", "type", "variable", "channel", "ch", "id", "index", "sensor", "port", "probe")
TIMES: Final = ("timestamp", "time", "date", "datetime", "time_stamp", "timeStamp", "ts", "measured_at")
HISTORY_NAMES: Final = frozenset({"history", "historyData", "history_data", "datalog", "retransmit", "backlog", "buffer", "buffered"})
SENSECAP_NAMES: Final = {"4097": "air_temperature", "4098": "air_humidity", "4102": "soil_temperature", "3000": "battery_percent"}
"""SenseCAP numbers what it measures (measurementId)."""


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """One value of a payload: the names that lead to it, its place in a list (0 where it stands alone), its unit if it has one."""

    path: tuple[str, ...]
    value: object
    unit: str = ""
    place: int = 0
    at: int | None = None
    """Its own time, ms UTC, where it stands in a list of dated objects."""
    is_history: bool = False
    """The device says that it is from its memory."""
    is_certain: bool = True
    """False for one of several that nothing tells apart."""

    @property
    def name(self) -> str:
        """Return the innermost name."""
        path = self.path
        return path[-1] if path and path[-1] else next((name for name in reversed(path) if name), "")


class _Around(msgspec.Struct, frozen=True, gc=False):
    """What the objects around a value say about it."""

    path: tuple[str, ...] = ()
    depth: int = 0
    place: int = 0
    at: int | None = None
    is_history: bool = False
    is_certain: bool = True

    def into(self, name: str, *, is_history: bool = False) -> "_Around":
        """Return the same, one name further in."""
        return _Around((*self.path, name), self.depth + 1, self.place, self.at, self.is_history or is_history, self.is_certain)

    def leaf(self, value: object, unit: str = "", path: tuple[str, ...] | None = None, place: int = 0) -> Leaf:
        """Return a leaf here."""
        return Leaf(self.path if path is None else path, value, unit, place or self.place, self.at, self.is_history, self.is_certain)


def leaves(payload: object) -> list[Leaf]:
    """Return the leaves of a payload in its order, at most MAX_LEAVES."""
    is_backlog = isinstance(payload, dict) and "backlog" in str(payload.get("msgType", "")).lower()
    at = _time_of(payload) if is_backlog and isinstance(payload, dict) else None
    found: list[Leaf] = []
    for leaf in _walk(payload, _Around(at=at, is_history=is_backlog)):
        found.append(leaf)
        if len(found) >= MAX_LEAVES:
            break
    return found


def _walk(value: object, around: _Around) -> Iterator[Leaf]:
    if isinstance(value, dict):
        if around.depth <= MAX_DEPTH:
            yield from _object(value, around)
    elif isinstance(value, list):
        if around.depth <= MAX_DEPTH:
            yield from _list(value, around)
    else:
        yield around.leaf(value)


def _object(value: dict[str, Any], around: _Around) -> Iterator[Leaf]:
    path = around.path
    unit = value.get("unit")
    text = unit if isinstance(unit, str) else ""
    if "measurementId" in value and "measurementValue" in value:
        name = SENSECAP_NAMES.get(str(value["measurementId"]), "")
        if name:
            yield around.leaf(value["measurementValue"], path=(*path, name))
        return
    if "value" in value and not isinstance(value["value"], (dict, list)):
        label = next((value[name] for name in LABELS if isinstance(value.get(name), str)), "") if not path or path[-1] == "" else ""
        yield around.leaf(value["value"], text, (*path, label) if label else path)
        for name, flag in value.items():
            if isinstance(flag, bool) and name != "value":
                yield around.leaf(flag, path=(*path, name))
        return
    if isinstance(value.get("values"), list):
        if value["values"]:
            yield around.leaf(value["values"][0], text)
        return
    for name, inner in value.items():
        if isinstance(inner, (dict, list)):
            yield from _walk(inner, around.into(name, is_history=name in HISTORY_NAMES))
        else:
            yield around.leaf(inner, path=(*path, name))


def _list(value: list[Any], around: _Around) -> Iterator[Leaf]:
    if value and all(isinstance(entry, (dict, list)) for entry in value):
        yield from _objects(value, around)
        return
    for place, entry in enumerate(value, 1):
        if not isinstance(entry, (dict, list)):
            yield around.leaf(entry, place=place)


def _objects(entries: list[Any], around: _Around) -> Iterator[Leaf]:
    inner = around.into("")
    for entry in entries:
        at = (_time_of(entry) if isinstance(entry, dict) else None) or around.at
        told = isinstance(entry, list) or at is not None or len(entries) == 1
        path, place = inner.path, 0
        if isinstance(entry, dict) and "value" not in entry and "measurementId" not in entry:
            label = next((entry[name] for name in LABELS if isinstance(entry.get(name), (str, int))), None)
            told = told or label is not None
            path = (*inner.path, LABELLED + label) if isinstance(label, str) else inner.path
            place = label if isinstance(label, int) and not isinstance(label, bool) else 0
        else:
            told = True
        yield from _walk(entry, _Around(path, inner.depth, place, at, around.is_history, around.is_certain and told))


def _time_of(entry: dict[str, Any]) -> int | None:
    """Return the time an object gives itself, ms UTC."""
    return next((at for name in TIMES if name in entry and (at := instant_of(entry[name])) is not None), None)
