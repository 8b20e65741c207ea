"""What is out of range, for how long, and what ends it: policies and their bands as frozen integers.

A policy is immutable; a change makes a new version. Temperatures are hundredths of a degree Celsius, times milliseconds,
fractions thousandths. `policy_document` makes policies from documents; nothing here rounds or refuses.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final


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
    # Derived. Side low is side high in the mirror: with temperatures times `sign`, out of range is always upwards.
    sign: int = field(init=False, repr=False, compare=False)
    edge: int = field(init=False, repr=False, compare=False)
    """The limit in the mirror; distances beyond it are counted from here."""
    out_from: int = field(init=False, repr=False, compare=False)
    """The first mirrored temperature out of range."""
    recovered_to: int = field(init=False, repr=False, compare=False)
    """The last mirrored temperature that counts as recovered."""

    def __post_init__(self) -> None:
        """Derive the mirrored numbers once, so that each reading costs a multiplication and two comparisons."""
        sign = 1 if self.side is Side.HIGH else -1
        edge = sign * self.limit_hundredths
        out_from = edge if self.inclusive else edge + 1
        object.__setattr__(self, "sign", sign)
        object.__setattr__(self, "edge", edge)
        object.__setattr__(self, "out_from", out_from)
        object.__setattr__(self, "recovered_to", min(edge - self.margin_hundredths, out_from - 1))

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


Band = SustainedBand | CumulativeBand | MeanBand | MktBand


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a policy: its bands in the order they were written. Without bands it finds nothing."""

    bands: tuple[Band, ...]
    sustained: tuple[SustainedBand, ...] = field(init=False, repr=False, compare=False)
    """The bands of kind sustained, in order; the only ones the machine judges as yet."""

    def __post_init__(self) -> None:
        """Pick out the sustained bands once."""
        object.__setattr__(self, "sustained", tuple(band for band in self.bands if isinstance(band, SustainedBand)))


NO_POLICY: Final = Policy(bands=())
"""For readings judged by no policy at all."""

COLDEST: Final = -(2**31)
HOTTEST: Final = 2**31 - 1
"""Ends of the range where no band sets one; they fit 32-bit columns."""


def quiet_range(policy: Policy) -> tuple[int, int]:
    """Return (lowest, highest) temperature in hundredths, both included, that is out of range in no sustained band.

    A reading within leaves a sensor without a run without one. Where the bands leave nothing, lowest is above highest.
    """
    lowest, highest = COLDEST, HOTTEST
    for band in policy.sustained:
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
