"""The states of bands of the kinds `cumulative`, `mean` and `mkt`: each is idle or has an open excursion.

Data only. Every state is as of the sensor's newest row, whose reading is not in its tally yet: an end is exclusive, and whether an
excursion ends at that very reading is known only after it. States are encoded into snapshots as they are, so a changed field is a
new version of the snapshot.
"""

import msgspec

from pipelines.domain.excursion_states import SustainedState
from pipelines.domain.figures import Tally
from pipelines.domain.suppressing_states import SuppressingState


class CumulativeIdle(msgspec.Struct, frozen=True, array_like=True, tag="cumulative", gc=False):
    """Exposure is below the budget."""

    since: int
    """`measured_at` of the first reading that the band judged."""
    exposure_ms: int
    """Known time out of range within the window that ends at the newest row."""
    is_out: bool
    """Whether the newest row is a reading out of range."""
    has_ended: bool
    """Whether an excursion has ended since the newest row: exposure falls from there, and nothing opens before the next row."""
    tally: Tally | None
    """Without a window: sums since `since`. With one they are made at the opening."""


class CumulativeOpen(msgspec.Struct, frozen=True, array_like=True, tag="cumulative_open", gc=False):
    """Exposure reached the budget, and has not fallen far enough since."""

    since: int
    opened_at: int
    from_at: int
    """The beginning of what led to it: figures count from here."""
    exposure_ms: int
    tally: Tally


class MeanIdle(msgspec.Struct, frozen=True, array_like=True, tag="mean", gc=False):
    """The last window that was judged was in range, or none was."""

    since: int
    window_at: int
    """Start of the window under way."""
    known_ms: int
    """Known time of the window so far."""
    weighted: int
    """Hundredths of a degree times ms over that time."""
    tally: Tally
    """Sums since `window_at`."""


class MeanOpen(msgspec.Struct, frozen=True, array_like=True, tag="mean_open", gc=False):
    """The last window that was judged was out of range."""

    since: int
    started_at: int
    opened_at: int
    window_at: int
    known_ms: int
    weighted: int
    ended_at: int
    """End of the last window out of range."""
    ended: Tally
    """As of `ended_at`: what counts if the next window judged is in range."""
    tally: Tally
    """Sums since `started_at`."""


class MktIdle(msgspec.Struct, frozen=True, array_like=True, tag="mkt", gc=False):
    """Mean kinetic temperature is not out of range, or not judged."""

    since: int
    ended_at: int
    """When the last excursion ended, `since` before the first: none opens before."""
    known_ms: int
    """Known time within the window that ends at the newest row."""
    excess: bytes
    """Sum, over that time, of ms times (effect of the value less effect of its version's limit): a signed integer of any size."""
    excess_back: bytes
    """The same against the limit less the margin."""


class MktOpen(msgspec.Struct, frozen=True, array_like=True, tag="mkt_open", gc=False):
    """Mean kinetic temperature was out of range, and has not been seen recovered since."""

    since: int
    opened_at: int
    from_at: int
    known_ms: int
    excess: bytes
    excess_back: bytes
    tally: Tally


WindowedState = CumulativeIdle | CumulativeOpen | MeanIdle | MeanOpen | MktIdle | MktOpen
RollingOpen = CumulativeOpen | MktOpen
"""Kinds with a rolling window: an excursion starts where it opens, and ends where it closes."""
WindowedOpen = RollingOpen | MeanOpen
BandState = SustainedState | SuppressingState | WindowedState


def as_bytes(number: int) -> bytes:
    """Return a signed integer of any size as bytes: msgpack's own end at 64 bits."""
    return number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)


def as_number(content: bytes) -> int:
    """Return the integer of `as_bytes`."""
    return int.from_bytes(content, "little", signed=True)
