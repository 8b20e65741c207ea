"""What the newest row adds to sums that end just before it: its reading, and the time its value was known."""

from typing import Final

from pipelines.domain.excursion_facts import EndedBy, ExcursionClosed
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import Tally, counted, figures, held
from pipelines.domain.policy import Band, identity
from pipelines.domain.windowed_states import RollingOpen

DEFAULT_MAX_GAP_MS: Final = 30 * 60 * 1000
"""How long a value is known at most where its sensor has no configuration: three times a common interval of 10 minutes."""


def known_until(newest: Reading) -> int:
    """Return the end of the newest row's known time if no further row comes; a fault mark has none."""
    return newest.measured_at if newest.temperature is None else newest.measured_at + newest.max_gap_ms


def settled(tally: Tally, newest: Reading, band: Band, at: int, *, inclusive: bool = False) -> Tally:
    """Return the sums over [.., at): those before the newest row, its reading, and its value as far as it was known.

    A reading at `at` itself counts only where the end is `inclusive`, as of an excursion that is still open.
    """
    temperature = newest.temperature
    if temperature is None or at < newest.measured_at + (not inclusive):
        return tally
    return held(counted(tally, temperature, newest.measured_at, band), temperature, min(at, known_until(newest)) - newest.measured_at, band)


def closed(run: RollingOpen, newest: Reading, band: Band, at: int, ended_by: EndedBy) -> ExcursionClosed:
    """Return the fact of an excursion of a rolling window that ends at an instant after the newest row."""
    numbers = figures(settled(run.tally, newest, band, at), run.from_at, at)
    return ExcursionClosed(band.name, run.opened_at, run.opened_at, at, at, ended_by, numbers, identity(band))
