"""From a document to what is known beside a sensor's readings: maintenance windows, when a door stood open, what a defrost looks like.

A document is what a JSON parser returns, numbers preferably as Decimal. Every refusal names the field and says why. Nothing is judged here.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn

from pipelines.domain.decimals import NotANumber, scaled
from pipelines.domain.instants import UnreadableInstant, parse_instant
from pipelines.domain.policy_document import MAX_LIMIT, MAX_TIME
from pipelines.domain.suppression import Circumstances, DefrostProfile, Stretch, in_order

_FOR_PEOPLE: Final = frozenset({"author", "comment"})
"""Fields of a window that are kept with it and mean nothing here."""

_PROFILE: Final = ("period_seconds", "peak_celsius", "duration_seconds")


class CircumstancesError(ValueError):
    """A document that is refused: `field` (such as maintenance[0].to) and `reason`."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field is wrong and why."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def parse_circumstances(document: object) -> Circumstances:
    """Return what a document says is known: {"maintenance": [{"from", "to"}, ...], "door": [...], "defrost": {...}}, each optional.

    Stretches may come in any order and overlap. Raises CircumstancesError naming the first field that is refused.
    """
    if not isinstance(document, Mapping):
        _refuse("document", "must be an object")
    for field in document:
        if field not in ("maintenance", "door", "defrost"):
            _refuse(str(field), "there is no such field")
    maintenance = _stretches("maintenance", document.get("maintenance"), _FOR_PEOPLE)
    door = _stretches("door", document.get("door"), frozenset())
    defrost = document.get("defrost")
    return Circumstances(in_order(maintenance), in_order(door), None if defrost is None else parse_profile(defrost))


def parse_stretch(place: str, begin: object, end: object) -> Stretch:
    """Return [begin, end) of two ISO 8601 instants, UTC without a zone; raises CircumstancesError naming `place`."""
    from_at, to_at = _instant(f"{place}.from", begin), _instant(f"{place}.to", end)
    if to_at <= from_at:
        _refuse(f"{place}.to", "must be after its beginning")
    return from_at, to_at


def parse_profile(written: object) -> DefrostProfile:
    """Return what {"period_seconds", "peak_celsius", "duration_seconds"} says a defrost looks like.

    Raises CircumstancesError naming the first field of `defrost` that is refused.
    """
    if not isinstance(written, Mapping):
        _refuse("defrost", f"must be an object with {', '.join(_PROFILE)}")
    for name in written:
        if name not in _PROFILE:
            _refuse(f"defrost.{name}", "there is no such field")
    period_ms = _number("defrost.period_seconds", written.get("period_seconds"), 3, MAX_TIME)
    duration_ms = _number("defrost.duration_seconds", written.get("duration_seconds"), 3, MAX_TIME)
    peak = _number("defrost.peak_celsius", written.get("peak_celsius"), 2, MAX_LIMIT)
    if duration_ms <= 0:
        _refuse("defrost.duration_seconds", "must be more than 0")
    if period_ms <= duration_ms:
        _refuse("defrost.period_seconds", "must be longer than duration_seconds: without end nothing would be told")
    return DefrostProfile(period_ms, peak, duration_ms)


def _stretches(field: str, written: object, beside: frozenset[str]) -> list[Stretch]:
    if written is None:
        return []
    if not isinstance(written, list | tuple):
        _refuse(field, "must be a list")
    found: list[Stretch] = []
    for index, stretch in enumerate(written):
        place = f"{field}[{index}]"
        if not isinstance(stretch, Mapping):
            _refuse(place, "must be an object with from and to")
        for name in stretch:
            if name not in {"from", "to"} | beside:
                _refuse(f"{place}.{name}", "there is no such field")
        found.append(parse_stretch(place, stretch.get("from"), stretch.get("to")))
    return found


def _instant(field: str, written: object) -> int:
    if not isinstance(written, str):
        _refuse(field, "must be an instant as text, ISO 8601")
    try:
        return parse_instant(written)
    except UnreadableInstant as error:
        _refuse(field, str(error))


def _number(field: str, written: object, places: int, most: int) -> int:
    """Return a number times 10**places, rounded; no further from 0 than `most`."""
    if isinstance(written, bool) or not isinstance(written, int | float | Decimal):
        _refuse(field, "must be a number")
    try:
        number = scaled(written, places)
    except NotANumber:
        _refuse(field, "must be a finite number of sensible size")
    if abs(number) > most:
        _refuse(field, f"must lie within {most // 10**places:,} of 0")
    return number


def _refuse(field: str, reason: str) -> NoReturn:
    raise CircumstancesError(field, reason)
