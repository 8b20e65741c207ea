"""The straight way through a known shape whose numbers are all plain: believed as they are, so that only their places matter.

A plan says for one shape where its temperatures are, what each may be, and what the readings then look like. The first number that is
not plain (a sentinel, out of range, 85.0 of a DS18B20) ends it, and the whole message goes the long way. It decides nothing of its own.
"""

from typing import Any, Final

import msgspec

from pipelines.domain.decoders.beside import Beside, beside_of
from pipelines.domain.decoders.leaves import Leaf
from pipelines.domain.decoders.message import MessageKind
from pipelines.domain.decoders.names import PRIMARY, Meaning, Quantity, Role
from pipelines.domain.decoders.numbers import quick_hundredths
from pipelines.domain.decoders.probes import ALL_ONES, POWER_ON, SEVERAL, Context, Probe, carrier_of, headline_of, main_of, range_of
from pipelines.domain.decoders.readings import Decoded, ProbeReading

Placed = tuple[Leaf, Meaning, tuple[str, ...]]
"""A leaf that means something, and the names that lead to its number; none where its value is part of the shape."""

NOWHERE: Final = -1
_ANY: Final = 400
"""A temperature that is believed of any probe, to find out what the readings look like."""


class Believable(msgspec.Struct, frozen=True, gc=False):
    """Where a temperature is, which probe it is of, and what it may be, in hundredths."""

    place: tuple[str, ...]
    probe: str
    low: int
    high: int
    doubtful: frozenset[int]
    """Values in range that must be looked at."""
    secondary: bool


class Plan(msgspec.Struct, frozen=True):
    """What a shape's readings look like while all its numbers are plain."""

    temperatures: tuple[Believable, ...]
    beside: tuple[Placed, ...]
    context: Context
    main: int
    headline: int
    carrier: int
    """Places among the readings; NOWHERE for none."""

    def decoded(self, kind: MessageKind, measured_at: int, payload: dict[str, Any]) -> Decoded | None:
        """Return what a payload of this shape comes to, or None where a number of it is not plain."""
        readings = []
        for wanted in self.temperatures:
            temperature = quick_hundredths(value_at(payload, wanted.place))
            if temperature is None or not wanted.low <= temperature <= wanted.high or temperature in wanted.doubtful:
                return None
            readings.append(ProbeReading(wanted.probe, measured_at, temperature, secondary=wanted.secondary))
        beside = self._beside(payload)
        if beside is not None and beside.has_any:
            if self.carrier == NOWHERE:
                return None
            readings[self.carrier] = beside.on(readings[self.carrier])
        headline = None if self.headline == NOWHERE else readings[self.headline]
        main = None if self.main == NOWHERE else readings[self.main]
        return Decoded(kind, tuple(readings), headline, main, None, self.context.model.decoder)

    def _beside(self, payload: dict[str, Any]) -> Beside | None:
        if not self.beside:
            return None
        return beside_of([(filled(leaf, payload, place), meaning) for leaf, meaning, place in self.beside], self.context)


def plan_of(named: tuple[Placed, ...], context: Context) -> Plan | None:
    """Return the plan of a shape's named leaves, or None where its temperatures need a closer look whatever they are."""
    temperatures = [one for one in named if one[1].quantity is Quantity.TEMPERATURE]
    if not temperatures or context.distrusts or context.is_unplugged or any(leaf.is_history for leaf, _, _ in named):
        return None
    probes = {meaning.probe for _, meaning, _ in temperatures}
    plain = all(place and not (meaning.scale or context.default_scale) for _, meaning, place in temperatures)
    roles = [meaning.role for _, meaning, _ in temperatures]
    if not plain or len(probes) < len(temperatures) or (context.has_external and Role.EXTERNAL not in roles):
        return None
    believable = tuple(_believable(one, roles, context) for one in temperatures)
    shown = [Probe(role, ProbeReading(one.probe, 0, _ANY, secondary=one.secondary)) for role, one in zip(roles, believable, strict=True)]
    main = main_of(shown, context.model)
    headline = headline_of(shown, main)
    readings = [probe.reading for probe in shown]
    carrier = carrier_of(readings, main, headline, context.model)
    beside = tuple(one for one in named if one[1].quantity is not Quantity.TEMPERATURE)
    return Plan(believable, beside, context, _place_of(main, readings), _place_of(headline, readings), _place_of(carrier, readings))


def _believable(one: Placed, roles: list[Role], context: Context) -> Believable:
    leaf, meaning, place = one
    model = context.model
    doubtful = set()
    if meaning.role in model.power_on_85 or "ds18" in leaf.name.lower():
        doubtful.add(POWER_ON)
    if leaf.name in model.zero_is_missing:
        doubtful.add(0)
    if meaning.role is Role.CHANNEL and (model.all_ones_is_missing or roles.count(Role.CHANNEL) >= SEVERAL):
        doubtful |= ALL_ONES
    return Believable(place, meaning.probe, *range_of(meaning.role, model), frozenset(doubtful), meaning.role not in PRIMARY)


def _place_of(reading: ProbeReading | None, readings: list[ProbeReading]) -> int:
    return next((place for place, one in enumerate(readings) if one is reading), NOWHERE)


def filled(leaf: Leaf, payload: dict[str, Any], place: tuple[str, ...]) -> Leaf:
    """Return a leaf with its value in a payload."""
    if not place:
        return leaf
    return Leaf(leaf.path, value_at(payload, place), leaf.unit, leaf.place, leaf.at, leaf.is_history, leaf.is_certain)


def value_at(payload: dict[str, Any], place: tuple[str, ...]) -> object:
    """Return the value that some names lead to."""
    if len(place) == 1:
        return payload[place[0]]
    value: Any = payload
    for name in place:
        value = value[name]
    return value
