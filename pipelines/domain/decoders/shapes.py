"""Remembers what depends on a payload's shape alone: its names and every value in it that is not a number.

Devices of a model send the same shape again and again, so which leaf is what need be found out once. No value is judged here:
numbers go through `probes` and `beside` as ever, and a remembered shape comes to what a new one does (held by a property test).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from pipelines.domain.decoders.flags import is_flag
from pipelines.domain.decoders.leaves import FLAGS, Leaf, leaves
from pipelines.domain.decoders.names import Meaning, Quantity
from pipelines.domain.decoders.probes import Context
from pipelines.domain.decoders.quick import Placed, Plan, filled, plan_of

MAX_FAMILIES: Final = 2_000
"""Families remembered; beyond it the memory starts anew."""

MAX_SHAPES: Final = 64
"""Shapes of one family: one that has more writes times or counters as text, and is not remembered at all."""

MAX_ENTRIES: Final = 400
"""Names, marks and values of a shape; a longer one is not remembered."""

MAX_TEXT: Final = 64
"""Characters of a text in a shape; longer ones are no units or states."""

MAX_DEPTH: Final = 4
"""Objects in objects that are described; deeper ones are rare."""

SHORT: Final = frozenset({"t", "T"})
"""Names of a temperature that may as well be a time: its number decides."""

UNREMEMBERED: Final = SHORT | FLAGS | {"measurementId", "measurementChannel", "msgType", "No_connect"}
"""Names whose numbers decide what other leaves are, or whether they are believed."""

Named = list[tuple[Leaf, Meaning]]
Family = tuple[str | None, str | None, str | None]
"""Brand, model, firmware."""

_NUMBER: Final = object()
_OPEN: Final = object()
_CLOSE: Final = object()


class _Place(float):
    """Stands for a number while a shape is learned, and knows where it was."""

    path: tuple[str, ...]


class Known(msgspec.Struct, frozen=True):
    """What a shape says."""

    named: tuple[Placed, ...]
    context: Context
    has_temperature: bool
    plan: Plan | None
    """The straight way while all numbers are plain; None where there is none."""

    def filled(self, payload: dict[str, Any]) -> Named:
        """Return the leaves with the values of a payload of this shape."""
        return [(filled(leaf, payload, place), meaning) for leaf, meaning, place in self.named]


class Shapes:
    """A bounded memory of shapes by family."""

    def __init__(self) -> None:
        """Know nothing."""
        self._families: dict[Family, dict[tuple[object, ...], Known | None] | None] = {}

    def known(self, family: Family, payload: dict[str, Any], learn: Callable[[list[Leaf]], tuple[Named, Context]]) -> Known | None:
        """Return what the payload's shape says, or None where only the long way can tell.

        `learn` says what some leaves mean; it must decide by their names, units and values that are not numbers.
        """
        shapes = self._families.get(family, _NONE)
        if shapes is None:
            return None
        shape: list[object] = []
        if not _describe(payload, shape, MAX_DEPTH):
            return None
        key = tuple(shape)
        if key in shapes:
            return shapes[key]
        return self._learned(family, key, payload, learn)

    def _learned(
        self, family: Family, key: tuple[object, ...], payload: dict[str, Any], learn: Callable[[list[Leaf]], tuple[Named, Context]]
    ) -> Known | None:
        if len(self._families) >= MAX_FAMILIES:
            self._families.clear()
        shapes = self._families.setdefault(family, {})
        assert shapes is not None
        if len(shapes) >= MAX_SHAPES:
            self._families[family] = None
            return None
        found = leaves(_placed(payload, ()))
        known = None
        if all(leaf.at is None and not (isinstance(leaf.value, _Place) and is_flag(leaf)) for leaf in found):
            named, context = learn(found)
            placed = tuple((leaf, meaning, leaf.value.path if isinstance(leaf.value, _Place) else ()) for leaf, meaning in named)
            has_temperature = any(meaning.quantity is Quantity.TEMPERATURE for _, meaning in named)
            known = Known(placed, context, has_temperature, plan_of(placed, context))
        shapes[key] = known
        return known


_NONE: Final[dict[tuple[object, ...], Known | None]] = {}


def _describe(payload: dict[str, Any], shape: list[object], depth: int) -> bool:
    """Add an object's names and values to a shape, with one mark for any number; return whether it has one."""
    for name, value in payload.items():
        kind = type(value)
        if kind is float or kind is int:
            shape += (name, _NUMBER)
        elif kind is bool or value is None or (kind is str and len(value) <= MAX_TEXT):
            shape += (name, kind, value)
        elif kind is dict and depth:
            shape += (name, _OPEN)
            if not _describe(value, shape, depth - 1):
                return False
            shape.append(_CLOSE)
        else:
            return False
    return len(shape) <= MAX_ENTRIES and UNREMEMBERED.isdisjoint(payload)


def _placed(payload: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return an object with each number marked by its place."""
    marked: dict[str, Any] = {}
    for name, value in payload.items():
        if isinstance(value, dict):
            marked[name] = _placed(value, (*path, name))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            marked[name] = place = _Place(1.0)
            place.path = (*path, name)
        else:
            marked[name] = value
    return marked
