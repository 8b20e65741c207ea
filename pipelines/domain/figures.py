"""The numbers of an excursion: integer sums that grow by reading, and the figures they come to at an end.

All sums are exact; division happens once, when a figure is shown. No reading is kept.
"""

import msgspec

from pipelines.domain.policy import Band


class Tally(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Sums over a run's readings, and over the time their values were known, up to the newest row of the sensor.

    `weighted` is the sum of hundredths of a degree times ms; `beyond` the same of the distance beyond the limit.
    """

    peak: int | None
    """Hundredths, the highest (side high) or lowest (side low) so far; None before the first reading."""
    weighted: int
    beyond: int
    exposure_ms: int
    known_ms: int
    samples: int
    largest_gap_ms: int
    """Between neighbouring readings so far."""
    newest_at: int
    """`measured_at` of the newest reading, from which the next gap counts; before the first, where it begins."""


class Figures(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The numbers of an excursion over [from, end), as the table of excursions.md section 4 defines them.

    Integers throughout; the properties divide once, so they are the doubles nearest to the exact values.
    """

    peak_hundredths: int | None
    """None without readings."""
    weighted: int
    """Hundredths of a degree times ms, over known time."""
    beyond: int
    """Hundredths of a degree beyond the limit times ms, over known time."""
    exposure_ms: int
    known_ms: int
    unknown_ms: int
    samples: int
    largest_gap_ms: int

    @property
    def peak_celsius(self) -> float | None:
        """Return the highest (side high) or lowest (side low) reading, None without readings."""
        return None if self.peak_hundredths is None else self.peak_hundredths / 100

    @property
    def mean_hundredths(self) -> float | None:
        """Return the time-weighted mean over known time, None without readings.

        Without known time a run has just begun: it has one reading, which is its peak and its plain mean.
        """
        if self.known_ms == 0 or self.peak_hundredths is None:
            return self.peak_hundredths
        return self.weighted / self.known_ms

    @property
    def mean_celsius(self) -> float | None:
        """Return the time-weighted mean over known time, None without readings."""
        if self.known_ms == 0 or self.peak_hundredths is None:
            return self.peak_celsius
        return self.weighted / (100 * self.known_ms)

    @property
    def degree_minutes(self) -> float:
        """Return the integral over known time of the distance beyond the limit, in °C·min."""
        return self.beyond / 6_000_000


def first(temperature: int, at: int) -> Tally:
    """Return the sums of a run that begins with a reading (hundredths) at an instant."""
    return Tally(temperature, 0, 0, 0, 0, 1, 0, at)


def empty(begins_at: int) -> Tally:
    """Return the sums of what begins at an instant and has no reading yet."""
    return Tally(None, 0, 0, 0, 0, 0, 0, begins_at)


def held(tally: Tally, temperature: int | None, known_ms: int, band: Band) -> Tally:
    """Return the sums after a value has held for some known time, measured against the limit of its own version."""
    if temperature is None or known_ms == 0:
        return tally
    mirrored = band.sign * temperature
    distance = mirrored - band.edge
    return Tally(
        tally.peak,
        tally.weighted + temperature * known_ms,
        tally.beyond + distance * known_ms if distance > 0 else tally.beyond,
        tally.exposure_ms + known_ms if mirrored >= band.out_from else tally.exposure_ms,
        tally.known_ms + known_ms,
        tally.samples,
        tally.largest_gap_ms,
        tally.newest_at,
    )


def counted(tally: Tally, temperature: int, at: int, band: Band) -> Tally:
    """Return the sums with one more reading (hundredths) at an instant."""
    peak, gap = tally.peak, at - tally.newest_at
    return Tally(
        temperature if peak is None or band.sign * (temperature - peak) > 0 else peak,
        tally.weighted,
        tally.beyond,
        tally.exposure_ms,
        tally.known_ms,
        tally.samples + 1,
        max(gap, tally.largest_gap_ms),
        at,
    )


def figures(tally: Tally, started_at: int, end: int) -> Figures:
    """Return what the sums come to over [started_at, end), when known time up to `end` is already in them."""
    return Figures(
        tally.peak,
        tally.weighted,
        tally.beyond,
        tally.exposure_ms,
        tally.known_ms,
        end - started_at - tally.known_ms,
        tally.samples,
        max(tally.largest_gap_ms, end - tally.newest_at),
    )
