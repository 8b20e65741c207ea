"""Flattens a decoded payload into named leaves: nested objects, {value, unit} pairs, labelled lists, channels, dated lists.

Interprets nothing but the shapes. Of a list of objects that neither dates nor names tell apart, no leaf is certain.
"""

from typing import Any, Final

import msgspec

from pipelines.domain.decoders.names import LABELLED, words_of
from pipelines.domain.decoders.times import instant_of
from pipelines.domain.decoders.vocabulary import BROKEN

MAX_LEAVES: Final = 400
MAX_DEPTH: Final = 8
LABELS: Final = ("label", "name", "displayName", "type", "variable", "channel", "ch", "id", "index", "sensor", "port", "probe")
ITEM_LABELS: Final = (*LABELS, "typeName", "_name", "n", "measurement", "quantity", "measurand", "parameter", "field", "key")
"""Names by which an object that is one value calls itself."""
VALUES: Final = ("value", "values", "_value", "val", "v")
UNITS: Final = ("unit", "units", "_unit", "typeUnits", "uom", "u")
FLAGS: Final = frozenset({"valid", "invalid"})
ITEM_STATES: Final = frozenset({"status", "state", "quality", "error", "fault"})
"""Names by which an object that is one value says in words how good it is."""
MAX_STATE: Final = 40
_SINGLE: Final = frozenset({*VALUES, "measurementValue"})
TIMES: Final = ("timestamp", "time", "date", "datetime", "dateTime", "time_stamp", "timeStamp", "ts", "measured_at", "log_timestamp")
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
    _walk(payload, _Around(at=at, is_history=is_backlog), found)
    return found[:MAX_LEAVES]


def _walk(value: object, around: _Around, found: list[Leaf]) -> None:
    """Add the leaves of a value to those found."""
    if len(found) >= MAX_LEAVES:
        return
    if isinstance(value, dict):
        if around.depth <= MAX_DEPTH:
            _object(value, around, found)
    elif isinstance(value, list):
        if around.depth <= MAX_DEPTH:
            _list(value, around, found)
    else:
        found.append(around.leaf(value))


def _object(value: dict[str, Any], around: _Around, found: list[Leaf]) -> None:
    if not _SINGLE.isdisjoint(value):
        single = _single(value, around)
        if single is not None:
            found += single
            return
    path, place, at, is_history, is_certain = around.path, around.place, around.at, around.is_history, around.is_certain
    for name, inner in value.items():
        if isinstance(inner, (dict, list)):
            _walk(inner, around.into(name, is_history=name in HISTORY_NAMES), found)
        else:
            found.append(Leaf((*path, name), inner, "", place, at, is_history, is_certain))


def _single(value: dict[str, Any], around: _Around) -> list[Leaf] | None:
    """Return the leaves of an object that stands for one value, with its unit and what it is called; None where it does not."""
    inner = value.get("value", value)
    if inner is value or isinstance(inner, (dict, list)):
        return _single_otherwise(value, around)
    unit = value.get("unit")
    return _item(value, "value", unit if isinstance(unit, str) else _unit_of(value), around)


def _unit_of(value: dict[str, Any]) -> str:
    return next((unit for name in UNITS if isinstance(unit := value.get(name), str)), "")


def _item(value: dict[str, Any], own: str, unit: str, around: _Around) -> list[Leaf]:
    path = around.path
    label = next((value[name] for name in ITEM_LABELS if isinstance(value.get(name), str)), "") if not path or path[-1] == "" else ""
    found = [around.leaf(value[own], unit, (*path, label) if label else path)]
    for name, flag in value.items():
        if name == own:
            continue
        if flag is True or flag is False or (name in FLAGS and isinstance(flag, int)):
            found.append(around.leaf(flag, path=(*path, name)))
        elif name in ITEM_STATES and isinstance(flag, str) and not BROKEN.isdisjoint(words_of(flag[:MAX_STATE])):
            found.append(Leaf((*path, "valid"), value=False))
    return found


def _single_otherwise(value: dict[str, Any], around: _Around) -> list[Leaf] | None:
    """Return the same of an object whose value is called otherwise, or is a list."""
    unit = _unit_of(value)
    if "measurementValue" in value and ("measurementId" in value or "measurement" in value):
        name = _sensecap_name(value)
        return [around.leaf(value["measurementValue"], unit, (*around.path, *name))] if name else []
    own = next((name for name in VALUES if name in value), "")
    if not own or isinstance(value[own], dict):
        return None
    if isinstance(value[own], list):
        return _several(value[own], own, unit, around)
    return _item(value, own, unit, around) if unit else None


def _several(values: list[Any], own: str, unit: str, around: _Around) -> list[Leaf] | None:
    """Return the samples of one quantity: of `values` the first is now; of `value` nobody says which, so that several are all past."""
    if any(isinstance(value, (dict, list)) for value in values):
        return None
    if own == "values" or len(values) == 1:
        return [around.leaf(value, unit) for value in values[:1]]
    return [msgspec.structs.replace(around.leaf(value, unit), is_history=True) for value in values]


def _sensecap_name(value: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of what SenseCAP numbers, or calls in words; empty where it does neither."""
    known = SENSECAP_NAMES.get(str(value.get("measurementId")), "")
    called = next((called for name in ("measurement", "type") if isinstance(called := value.get(name), str)), "")
    if not known and called.startswith(("report_", "upload_")):
        return ()
    channel = value.get("measurementChannel")
    own = known or called
    return (f"{own} {channel}" if channel is not None and own and not known else own,) if own else ()


def _list(value: list[Any], around: _Around, found: list[Leaf]) -> None:
    if value and all(isinstance(entry, (dict, list)) for entry in value):
        _objects(value, around, found)
        return
    for place, entry in enumerate(value[:MAX_LEAVES], 1):
        if not isinstance(entry, (dict, list)):
            found.append(around.leaf(entry, place=place))


def _objects(entries: list[Any], around: _Around, found: list[Leaf]) -> None:
    inner = around.into("")
    for entry in entries:
        own = _time_of(entry) if isinstance(entry, dict) else None
        at = own or around.at
        told = isinstance(entry, list) or own is not None or len(entries) == 1
        path, place = inner.path, 0
        if isinstance(entry, dict) and ("values" in entry or _SINGLE.isdisjoint(entry)):
            label = next((entry[name] for name in LABELS if isinstance(entry.get(name), (str, int))), None)
            told = told or label is not None
            path = (*inner.path, LABELLED + label) if isinstance(label, str) else inner.path
            place = label if isinstance(label, int) and not isinstance(label, bool) else 0
        else:
            told = True
        _walk(entry, _Around(path, inner.depth, place, at, around.is_history, around.is_certain and told), found)


def _time_of(entry: dict[str, Any]) -> int | None:
    """Return the time an object gives itself, ms UTC."""
    return next((at for name in TIMES if name in entry and (at := instant_of(entry[name])) is not None), None)
