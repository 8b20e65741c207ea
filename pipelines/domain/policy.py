"""What is out of range, for how long, and what ends it: policies and their bands as frozen integers.

A policy is immutable; a change makes a new version. Temperatures are hundredths of a degree Celsius, times milliseconds,
fractions thousandths. `policy_document` makes policies from documents; nothing here rounds or refuses.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final, TypeGuard, assert_never

from pipelines.domain.conditions.terms import DEFAULT_TERMS, ConditionTerms


class Kind(StrEnum):
    """How a band's signal is judged (excursions.md sections 4 to 6)."""

    SUSTAINED = "sustained"
    CUMULATIVE = "cumulative"
    MEAN = "mean"
    MKT = "mkt"


class Side(StrEnum):
    """Which side of the limit is out of range."""

    HIGH = "high"
    LOW = "low"


class Severity(StrEnum):
    """How much an excursion of a band matters."""

    WARNING = "warning"
    CRITICAL = "critical"


class Role(StrEnum):
    """What a band is for."""

    COMPLIANCE = "compliance"
    """What must be kept and shown: never suppressed."""
    OPERATIONAL = "operational"
    """What people act upon: known causes may suppress it."""


@dataclass(frozen=True, slots=True)
class DoorSuppression:
    """How an open door excuses a rise."""

    after_ms: int
    """A rise that begins this long after the door was closed, or sooner, is still taken for its doing."""
    grace_ms: int
    """How long it is excused from its beginning."""


@dataclass(frozen=True, slots=True)
class Suppress:
    """What may suppress an operational band; at least one of them."""

    defrost: bool = False
    maintenance: bool = False
    door: DoorSuppression | None = None


class Standing(Enum):
    """Where a temperature stands to a band."""

    OUT = "out"
    """Out of range."""
    INSIDE = "inside"
    """Inside the margin: neither out of range nor recovered."""
    RECOVERED = "recovered"
    """Back inside the limit by at least the margin."""


@dataclass(frozen=True, slots=True)
class SustainedBand:
    """Out of range for at least the hold of known time."""

    name: str
    side: Side
    limit_hundredths: int
    inclusive: bool = False
    hold_ms: int = 0
    min_samples: int = 1
    margin_hundredths: int = 0
    recovery_hold_ms: int = 0
    severity: Severity = Severity.CRITICAL
    role: Role = Role.COMPLIANCE
    suppress: Suppress | None = None
    """Only where the role is operational."""
    sign: int = field(init=False, repr=False, compare=False)
    edge: int = field(init=False, repr=False, compare=False)
    out_from: int = field(init=False, repr=False, compare=False)
    recovered_to: int = field(init=False, repr=False, compare=False)
    """The last mirrored temperature that counts as recovered."""

    def __post_init__(self) -> None:
        """Derive the mirrored numbers once, so that each reading costs a multiplication and two comparisons."""
        _mirror(self)
        object.__setattr__(self, "recovered_to", min(self.edge - self.margin_hundredths, self.out_from - 1))

    def standing(self, temperature: int) -> Standing:
        """Return where a temperature in hundredths stands."""
        mirrored = self.sign * temperature
        if mirrored >= self.out_from:
            return Standing.OUT
        if mirrored <= self.recovered_to:
            return Standing.RECOVERED
        return Standing.INSIDE


@dataclass(frozen=True, slots=True)
class CumulativeBand:
    """Out of range for a budget of known time within a rolling window, or since the assignment began (`window_ms` None)."""

    name: str
    side: Side
    limit_hundredths: int
    window_ms: int | None
    budget_ms: int
    inclusive: bool = False
    rearm_ms: int = 0
    severity: Severity = Severity.CRITICAL
    role: Role = Role.COMPLIANCE
    sign: int = field(init=False, repr=False, compare=False)
    edge: int = field(init=False, repr=False, compare=False)
    out_from: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the mirrored numbers once."""
        _mirror(self)


@dataclass(frozen=True, slots=True)
class MeanBand:
    """Out of range in the mean over tumbling windows."""

    name: str
    side: Side
    limit_hundredths: int
    window_ms: int
    inclusive: bool = False
    min_known_thousandths: int = 500
    severity: Severity = Severity.CRITICAL
    role: Role = Role.COMPLIANCE
    sign: int = field(init=False, repr=False, compare=False)
    edge: int = field(init=False, repr=False, compare=False)
    out_from: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the mirrored numbers once."""
        _mirror(self)


@dataclass(frozen=True, slots=True)
class MktBand:
    """Out of range in mean kinetic temperature over a rolling window; side high only."""

    name: str
    limit_hundredths: int
    window_ms: int
    inclusive: bool = False
    margin_hundredths: int = 0
    min_known_thousandths: int = 500
    severity: Severity = Severity.CRITICAL
    side: Side = Side.HIGH
    role: Role = Role.COMPLIANCE
    sign: int = field(init=False, repr=False, compare=False)
    edge: int = field(init=False, repr=False, compare=False)
    out_from: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the mirrored numbers once."""
        _mirror(self)


WindowedBand = CumulativeBand | MeanBand | MktBand
"""Bands that are judged by more than the newest value: what lies in a window decides."""

Band = SustainedBand | WindowedBand

Identity = tuple[str, type[Band], Side, int | None]
"""What makes a band the same band in another version of its policy: name, kind, side and window."""


def identity(band: Band) -> Identity:
    """Return what a band is known by across versions."""
    return band.name, type(band), band.side, None if isinstance(band, SustainedBand) else band.window_ms


def kind_of(band: Band) -> Kind:
    """Return a band's kind."""
    match band:
        case SustainedBand():
            return Kind.SUSTAINED
        case CumulativeBand():
            return Kind.CUMULATIVE
        case MeanBand():
            return Kind.MEAN
        case MktBand():
            return Kind.MKT
        case _:
            assert_never(band)


def is_windowed(band: Band) -> TypeGuard[WindowedBand]:
    """Tell whether a band is judged by what lies in a window."""
    return not isinstance(band, SustainedBand)


def is_out(temperature: int, band: Band) -> bool:
    """Tell whether a temperature in hundredths is out of range."""
    return band.sign * temperature >= band.out_from


def _mirror(band: Band) -> None:
    """Derive what is compared. Side low is side high in the mirror: with temperatures times `sign`, out of range is always upwards.

    `edge` is the limit in the mirror, from which distances beyond it are counted, and `out_from` the first mirrored temperature out
    of range.
    """
    sign = 1 if band.side is Side.HIGH else -1
    edge = sign * band.limit_hundredths
    object.__setattr__(band, "sign", sign)
    object.__setattr__(band, "edge", edge)
    object.__setattr__(band, "out_from", edge if band.inclusive else edge + 1)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a policy: its bands in the order they were written. Without bands it finds nothing."""

    bands: tuple[Band, ...]
    conditions: ConditionTerms = DEFAULT_TERMS
    reach_ms: int = field(init=False, repr=False, compare=False)
    """How far back the readings must be kept: the longest rolling window of its bands, 0 where none looks back."""
    has_windows: bool = field(init=False, repr=False, compare=False)
    by_identity: dict[Identity, Band] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the reach and the bands by identity once."""
        object.__setattr__(self, "has_windows", any(is_windowed(band) for band in self.bands))
        object.__setattr__(self, "by_identity", {identity(band): band for band in self.bands})
        windows = [band.window_ms for band in self.bands if isinstance(band, CumulativeBand | MktBand)]
        object.__setattr__(self, "reach_ms", max((window for window in windows if window is not None), default=0))


NO_POLICY: Final = Policy(bands=())
"""For readings judged by no policy at all."""

COLDEST: Final = -(2**31)
HOTTEST: Final = 2**31 - 1
"""Ends of the range where no band sets one; they fit 32-bit columns."""


def quiet_range(policy: Policy) -> tuple[int, int]:
    """Return (lowest, highest) temperature in hundredths, both included, that changes nothing for a sensor without a run.

    Where the bands leave nothing, as a windowed one always does, lowest is above highest.
    """
    lowest, highest = COLDEST, HOTTEST
    for band in policy.bands:
        if is_windowed(band):
            return HOTTEST, COLDEST
        if band.side is Side.HIGH:
            highest = min(highest, band.out_from - 1)
        else:
            lowest = max(lowest, 1 - band.out_from)
    return max(lowest, COLDEST), max(highest, COLDEST)


def warnings(policy: Policy, max_gap_ms: int) -> list[str]:
    """Return a sentence for each band that one warm sample followed by silence can open."""
    return [
        f"bands[{index}].hold_seconds: a single sample followed by silence can open band {band.name!r}: its hold of "
        f"{band.hold_ms / 1000:g} s is not longer than the max gap of {max_gap_ms / 1000:g} s and min_samples is 1"
        for index, band in enumerate(policy.bands)
        if isinstance(band, SustainedBand) and 0 < band.hold_ms <= max_gap_ms and band.min_samples == 1
    ]
