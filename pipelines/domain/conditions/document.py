"""The part `conditions` of a policy document: from what is written to ConditionTerms, and back with no field left to a default.

{"battery_low": {"low_percent": 15, "alert": "none"}, "frozen_value": {}, "door_open": {"enabled": false}}: a field that is not
written has its default. A condition that is not named is judged by its defaults and told to nobody; a frozen value is not looked for.
Every refusal names the field and says why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final, NoReturn, TypeVar

from pipelines.domain.conditions.facts import ConditionKind
from pipelines.domain.conditions.terms import (
    DEFAULT_TERMS,
    Alert,
    BatteryTerms,
    ClockTerms,
    ConditionTerms,
    DoorTerms,
    FaultTerms,
    FrozenTerms,
    PossibleTerms,
)
from pipelines.domain.decimals import NotANumber, exact, scaled

Refuse = Callable[[str, str], NoReturn]
"""Takes the field and why."""

Terms = BatteryTerms | DoorTerms | FrozenTerms | FaultTerms | ClockTerms | PossibleTerms
_T = TypeVar("_T", BatteryTerms, DoorTerms, FrozenTerms, FaultTerms, ClockTerms, PossibleTerms)

MOST_MS: Final = 366 * 86_400_000
"""A year: a longer wait is none."""
MOST_COUNT: Final = 10_000
MOST_REJECTIONS: Final = 100
"""Kept one by one until there are enough."""
ENABLED: Final = "enabled"
ALERT: Final = "alert"


@dataclass(frozen=True, slots=True)
class Field:
    """How a number is written: `places` decimals of it make the integer that is judged by; the least and the most, as that integer."""

    written: str
    places: int
    least: int
    most: int

    def shown(self, number: int) -> float:
        """Return an integer as it is written."""
        unit = int(10**self.places)
        return number / unit if number % unit else number // unit


SECONDS: Final = 3
FIELDS: Final[dict[ConditionKind, dict[str, Field]]] = {
    ConditionKind.BATTERY_LOW: {
        "low_percent": Field("low_percent", 0, 0, 100),
        "percent_margin": Field("percent_margin", 0, 0, 100),
        "low_millivolts": Field("low_volts", 3, 0, 30_000),
        "millivolts_margin": Field("volts_margin", 3, 0, 30_000),
        "readings": Field("readings", 0, 1, MOST_COUNT),
    },
    ConditionKind.DOOR_OPEN: {"open_ms": Field("open_seconds", SECONDS, 1, MOST_MS)},
    ConditionKind.FROZEN_VALUE: {
        "after_ms": Field("after_seconds", SECONDS, 1, MOST_MS),
        "readings": Field("readings", 0, 2, MOST_COUNT),
        "changes": Field("changes", 0, 0, MOST_COUNT),
        "coarse_hundredths": Field("coarse_celsius", 2, 1, 10_000),
        "times_longest": Field("times_longest", 0, 1, 1_000),
    },
    ConditionKind.SENSOR_FAULT: {"marks": Field("marks", 0, 1, MOST_COUNT)},
    ConditionKind.CLOCK_WRONG: {
        "rejections": Field("rejections", 0, 1, MOST_REJECTIONS),
        "within_ms": Field("within_seconds", SECONDS, 1, MOST_MS),
        "quiet_ms": Field("quiet_seconds", SECONDS, 1, MOST_MS),
    },
    ConditionKind.POSSIBLE_EXCURSION: {},
}
"""The numbers of each condition, by the name in its terms."""


def parse_conditions(written: object, refuse: Refuse) -> ConditionTerms:
    """Return the terms that a document's `conditions` describe; None, or an object without a condition, leaves it untold.

    `refuse` raises, given the first field that is wrong.
    """
    if written is None:
        return DEFAULT_TERMS
    if not isinstance(written, Mapping):
        refuse("conditions", "must be an object with a condition by its name")
    known = {kind.value for kind in ConditionKind}
    for name in written:
        if name not in known:
            refuse(f"conditions.{name}", f"there is no such condition: {', '.join(sorted(known))}")
    return ConditionTerms(
        battery=_terms(written, ConditionKind.BATTERY_LOW, BatteryTerms(), DEFAULT_TERMS.battery, refuse),
        door=_terms(written, ConditionKind.DOOR_OPEN, DoorTerms(), DEFAULT_TERMS.door, refuse),
        frozen=_terms(written, ConditionKind.FROZEN_VALUE, FrozenTerms(), DEFAULT_TERMS.frozen, refuse),
        fault=_terms(written, ConditionKind.SENSOR_FAULT, FaultTerms(), DEFAULT_TERMS.fault, refuse),
        clock=_terms(written, ConditionKind.CLOCK_WRONG, ClockTerms(), DEFAULT_TERMS.clock, refuse),
        possible=_terms(written, ConditionKind.POSSIBLE_EXCURSION, PossibleTerms(), DEFAULT_TERMS.possible, refuse),
    )


def conditions_document(terms: ConditionTerms) -> dict[str, dict[str, object]]:
    """Return every condition with every field of it as a document writes them; parsed again it is the same."""
    by_kind: dict[ConditionKind, Terms | None] = {
        ConditionKind.BATTERY_LOW: terms.battery,
        ConditionKind.DOOR_OPEN: terms.door,
        ConditionKind.FROZEN_VALUE: terms.frozen,
        ConditionKind.SENSOR_FAULT: terms.fault,
        ConditionKind.CLOCK_WRONG: terms.clock,
        ConditionKind.POSSIBLE_EXCURSION: terms.possible,
    }
    return {kind.value: {ENABLED: False} if one is None else _document(kind, one) for kind, one in by_kind.items()}


def _document(kind: ConditionKind, terms: Terms) -> dict[str, object]:
    shown: dict[str, object] = {ENABLED: True, ALERT: terms.alert.value}
    for name, field in FIELDS[kind].items():
        number = getattr(terms, name)
        shown[field.written] = None if number is None else field.shown(number)
    return shown


def _terms(written: Mapping[object, object], kind: ConditionKind, default: _T, left_out: _T | None, refuse: Refuse) -> _T | None:
    """Return the terms of one condition, None where it is switched off."""
    place = f"conditions.{kind.value}"
    one = written.get(kind.value)
    if one is None:
        return left_out
    if not isinstance(one, Mapping):
        refuse(place, "must be an object with the condition's fields")
    by_name: dict[str, tuple[str, Field]] = {field.written: (name, field) for name, field in FIELDS[kind].items()}
    for name in one:
        if name not in by_name and name not in (ENABLED, ALERT):
            refuse(f"{place}.{name}", f"there is no such field: {', '.join([ENABLED, ALERT, *by_name])}")
    enabled = one.get(ENABLED)
    if enabled is not None and not isinstance(enabled, bool):
        refuse(f"{place}.{ENABLED}", "must be true or false")
    given: dict[str, object] = {field.name: getattr(default, field.name) for field in fields(default)}
    for shown, (ours, number) in by_name.items():
        if one.get(shown) is not None:
            given[ours] = _number(f"{place}.{shown}", one[shown], number, refuse)
    if one.get(ALERT) is not None:
        given[ALERT] = _alert(f"{place}.{ALERT}", one[ALERT], refuse)
    if enabled is False:
        return None
    return type(default)(**given)  # type: ignore[arg-type]


def _alert(place: str, value: object, refuse: Refuse) -> Alert:
    chosen = [alert for alert in Alert if isinstance(value, str) and alert.value == value]
    if not chosen:
        refuse(place, f"must be one of {', '.join(alert.value for alert in Alert)}")
    return chosen[0]


def _number(place: str, value: object, field: Field, refuse: Refuse) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        refuse(place, "must be a number")
    try:
        number = scaled(value, field.places)
        if not field.places and exact(value) != number:
            refuse(place, "must be a whole number")
    except NotANumber:
        refuse(place, "must be a finite number of sensible size")
    if not field.least <= number <= field.most:
        refuse(place, f"must lie within {field.shown(field.least):g} and {field.shown(field.most):g}")
    return number
