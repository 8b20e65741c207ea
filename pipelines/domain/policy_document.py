"""From a policy document to a Policy: rounds what is written, refuses what cannot be meant (excursions.md section 3).

A document is what a JSON parser returns, numbers preferably as Decimal. Every refusal names the field and says why.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NoReturn, TypeVar, assert_never

from pipelines.domain.conditions.document import parse_conditions
from pipelines.domain.decimals import NotANumber, exact, scaled
from pipelines.domain.policy import (
    Band,
    CumulativeBand,
    Kind,
    MeanBand,
    MktBand,
    Policy,
    Role,
    Severity,
    Side,
    Suppress,
    SustainedBand,
)
from pipelines.domain.suppress_document import SuppressRefused, parse_suppress
from pipelines.domain.temperatures import HIGHEST_POSSIBLE, LOWEST_POSSIBLE

_COMMON: Final = frozenset({"name", "kind", "side", "limit_celsius", "inclusive", "severity", "role"})

FIELDS: Final = {
    Kind.SUSTAINED: _COMMON | {"hold_seconds", "min_samples", "recovery_margin_celsius", "recovery_hold_seconds", "suppress"},
    Kind.CUMULATIVE: _COMMON | {"window_seconds", "budget_seconds", "rearm_seconds"},
    Kind.MEAN: _COMMON | {"window_seconds", "min_known_fraction"},
    Kind.MKT: _COMMON | {"window_seconds", "min_known_fraction", "recovery_margin_celsius"},
}
"""The fields of a band of each kind; any other is refused."""

_KNOWN: Final = frozenset().union(*FIELDS.values())

MAX_LIMIT: Final = 10**8
"""A limit or margin of a million degrees, in hundredths: above it a run's sums would outgrow 64 bits within years."""
MAX_TIME: Final = 10**15
"""A time of some 31,000 years, in milliseconds."""

_T = TypeVar("_T", Side, Severity, Kind, Role)


class PolicyError(ValueError):
    """A policy document that is refused: `field` (such as bands[0].hold_seconds) and `reason`."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field is wrong and why."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def parse_policy(document: object) -> Policy:
    """Return the policy a document describes: {"bands": [{...}, ...], "conditions": {...}}; fields beside these are ignored.

    Raises PolicyError naming the first field that is refused.
    """
    if not isinstance(document, Mapping):
        _refuse("policy", "must be an object with a list `bands`")
    written = document.get("bands")
    if not isinstance(written, list | tuple):
        _refuse("bands", "must be a list of bands" if "bands" in document else "is required")
    if not written:
        _refuse("bands", "must have at least one band")
    bands = tuple(_parse_band(_Fields(f"bands[{index}]", band)) for index, band in enumerate(written))
    names: set[str] = set()
    for index, band in enumerate(bands):
        if band.name in names:
            _refuse(f"bands[{index}].name", f"another band is already called {band.name!r}")
        names.add(band.name)
    return Policy(bands, parse_conditions(document.get("conditions"), _refuse))


def _refuse(field: str, reason: str) -> NoReturn:
    raise PolicyError(field, reason)


class _Fields:
    """One band as written; each method reads one field, rounds and checks it."""

    def __init__(self, place: str, band: object) -> None:
        if not isinstance(band, Mapping):
            _refuse(place, "must be an object")
        self.place = place
        self.band = band

    def refuse(self, field: str, reason: str) -> NoReturn:
        _refuse(f"{self.place}.{field}", reason)

    def kind(self) -> Kind:
        """Return the band's kind, having refused every field that is not that kind's."""
        kind = self.choice("kind", Kind, Kind.SUSTAINED)
        for field in self.band:
            if field not in _KNOWN:
                self.refuse(str(field), "there is no such field")
            if field not in FIELDS[kind]:
                self.refuse(str(field), f"is not a field of kind {kind.value}")
        return kind

    def required(self, field: str) -> object:
        value = self.band.get(field)
        if value is None:
            self.refuse(field, "must not be null" if field in self.band else "is required")
        return value

    def choice(self, field: str, choices: type[_T], default: _T | None = None) -> _T:
        """Return one of an enum's members by its value."""
        value = self.band.get(field)
        if value is None and default is not None:
            return default
        value = self.required(field)
        chosen = [member for member in choices if isinstance(value, str) and value == member.value]
        if not chosen:
            self.refuse(field, f"must be one of {', '.join(member.value for member in choices)}")
        return chosen[0]

    def text(self, field: str) -> str:
        value = self.required(field)
        if not isinstance(value, str):
            self.refuse(field, "must be text")
        return value

    def flag(self, field: str) -> bool:
        value = self.band.get(field)
        if value is None:
            return False
        if not isinstance(value, bool):
            self.refuse(field, "must be true or false")
        return value

    def number(self, field: str, value: object, places: int, most: int) -> int:
        """Return a number times 10**places, rounded; no further from 0 than `most`."""
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            self.refuse(field, "must be a number")
        try:
            number = scaled(value, places)
        except NotANumber:
            self.refuse(field, "must be a finite number of sensible size")
        if abs(number) > most:
            self.refuse(field, f"must lie within {most // 10**places:,} of 0")
        return number

    def limit(self) -> int:
        return self.number("limit_celsius", self.required("limit_celsius"), 2, MAX_LIMIT)

    def margin(self) -> int:
        return self.optional("recovery_margin_celsius", lambda field, value: self.number(field, value, 2, MAX_LIMIT))

    def duration(self, field: str) -> int:
        """Return milliseconds; 0 when it is not given."""
        return self.optional(field, lambda name, value: self.number(name, value, 3, MAX_TIME))

    def optional(self, field: str, read: Callable[[str, object], int]) -> int:
        value = self.band.get(field)
        if value is None:
            return 0
        number = read(field, value)
        if number < 0:
            self.refuse(field, "must not be negative")
        return number

    def window(self) -> int:
        self.required("window_seconds")
        window = self.duration("window_seconds")
        if window == 0:
            self.refuse("window_seconds", "must be longer than 0")
        return window

    def rolling_window(self) -> int | None:
        """Return the window of kind cumulative, where null (but not leaving it out) means since the assignment began."""
        if "window_seconds" in self.band and self.band["window_seconds"] is None:
            return None
        return self.window()

    def budget(self, window: int | None) -> int:
        self.required("budget_seconds")
        budget = self.duration("budget_seconds")
        if budget == 0:
            self.refuse("budget_seconds", "must be more than 0")
        if window is not None and budget > window:
            self.refuse("budget_seconds", "must not be larger than window_seconds")
        return budget

    def rearm(self, budget: int) -> int:
        rearm = self.duration("rearm_seconds")
        if rearm >= budget:
            self.refuse("rearm_seconds", "must be smaller than budget_seconds")
        return rearm

    def min_samples(self) -> int:
        value = self.band.get("min_samples")
        if value is None:
            return 1
        samples = self.number("min_samples", value, 0, MAX_TIME)
        assert isinstance(value, int | float | Decimal)
        if exact(value) != samples:
            self.refuse("min_samples", "must be a whole number")
        if samples < 1:
            self.refuse("min_samples", "must be at least 1")
        return samples

    def suppress(self, side: Side, role: Role) -> Suppress | None:
        """Return what may suppress the band; None where nothing does."""
        try:
            return parse_suppress(self.band.get("suppress"), side, role, lambda field, value: self.number(field, value, 3, MAX_TIME))
        except SuppressRefused as error:
            self.refuse(error.field, error.reason)

    def min_known(self) -> int:
        value = self.band.get("min_known_fraction")
        if value is None:
            return 500
        fraction = self.number("min_known_fraction", value, 3, MAX_TIME)
        if not 0 <= fraction <= 1000:  # noqa: PLR2004 - thousandths of the whole
            self.refuse("min_known_fraction", "must lie within 0 and 1")
        return fraction


def _parse_band(fields: _Fields) -> Band:
    kind = fields.kind()
    name = fields.text("name")
    side = fields.choice("side", Side)
    limit = fields.limit()
    inclusive = fields.flag("inclusive")
    severity = fields.choice("severity", Severity, Severity.CRITICAL)
    role = fields.choice("role", Role, Role.COMPLIANCE)
    match kind:
        case Kind.SUSTAINED:
            return SustainedBand(
                name=name,
                side=side,
                limit_hundredths=limit,
                inclusive=inclusive,
                hold_ms=fields.duration("hold_seconds"),
                min_samples=fields.min_samples(),
                margin_hundredths=fields.margin(),
                recovery_hold_ms=fields.duration("recovery_hold_seconds"),
                severity=severity,
                role=role,
                suppress=fields.suppress(side, role),
            )
        case Kind.CUMULATIVE:
            window = fields.rolling_window()
            budget = fields.budget(window)
            rearm = fields.rearm(budget)
            return CumulativeBand(name, side, limit, window, budget, inclusive, rearm, severity, role)
        case Kind.MEAN:
            return MeanBand(name, side, limit, fields.window(), inclusive, fields.min_known(), severity, role)
        case Kind.MKT:
            _check_kinetic(fields, side, limit)
            return MktBand(name, limit, fields.window(), inclusive, fields.margin(), fields.min_known(), severity, role=role)
        case _:
            assert_never(kind)


def _check_kinetic(fields: _Fields, side: Side, limit: int) -> None:
    """Refuse a side or limit that mean kinetic temperature has no meaning, or no table, for."""
    if side is not Side.HIGH:
        fields.refuse("side", "must be high for kind mkt")
    if not LOWEST_POSSIBLE <= limit <= HIGHEST_POSSIBLE:
        fields.refuse("limit_celsius", "must lie within -100 and 150 for kind mkt")
    if limit - fields.margin() < LOWEST_POSSIBLE:
        fields.refuse("recovery_margin_celsius", "must leave limit less margin at or above -100 for kind mkt")
