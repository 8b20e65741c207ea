"""How a length of time is spread over many tries: counts by tenths of a millisecond, so that a million cost nothing."""

from typing import Final

FINE_PER_SECOND: Final = 10_000
FINE: Final = 1_000
"""Buckets of 0.1 ms, up to 0.1 s."""
COARSE: Final = 60_000
"""Buckets of 1 ms after those; what is longer falls into the last one."""


class Spread:
    """Counts lengths of time and gives their percentiles, to 0.1 ms below 0.1 s and to 1 ms above."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._buckets = [0] * (FINE + COARSE)
        self.count = 0
        self.longest = 0.0
        """Seconds."""

    def add(self, seconds: float) -> None:
        """Count one; what is below zero counts as zero."""
        self.count += 1
        self.longest = max(self.longest, seconds)
        fine = int(seconds * FINE_PER_SECOND)
        self._buckets[max(0, fine) if fine < FINE else min(FINE + int(seconds * 1000), FINE + COARSE - 1)] += 1

    def percentile_ms(self, share: float) -> float | None:
        """Return the upper end of the bucket that at least `share` of all reach, in ms; None when nothing is counted.

        Beyond a minute it is the longest of all.
        """
        if not self.count:
            return None
        wanted, place = max(1, -(-self.count * round(share * 1000) // 1000)), -1
        while wanted > 0:
            place += 1
            wanted -= self._buckets[place]
        if place < FINE:
            return (place + 1) / 10
        return float(place - FINE + 1) if place < FINE + COARSE - 1 else round(self.longest * 1000, 1)

    def shown(self) -> dict[str, float | None]:
        """Return p50, p95, p99 and the longest in ms, for JSON."""
        shares = {f"p{round(share * 100)}": self.percentile_ms(share) for share in (0.5, 0.95, 0.99)}
        return {**shares, "max": round(self.longest * 1000, 1) if self.count else None}
