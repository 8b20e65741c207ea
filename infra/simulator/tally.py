"""What became of the uplinks so far: counts, and how long acknowledgements and our own schedule took."""

from collections import Counter
from dataclasses import dataclass, field

from infra.simulator.spread import Spread
from infra.simulator.uplink import UplinkKind


@dataclass(slots=True)
class Tally:
    """What became of the uplinks so far."""

    sent: Counter[UplinkKind] = field(default_factory=Counter)
    """Uplinks begun, by kind; each counts once however often it was tried."""
    acknowledged: int = 0
    refused: int = 0
    """Answered with a status that no retry mends, such as 413."""
    retries: int = 0
    given_up: int = 0
    """Begun but not acknowledged when it was time to stop."""
    acknowledged_after: Spread = field(default_factory=Spread)
    """From the try that was taken to its acknowledgement."""
    behind: Spread = field(default_factory=Spread)
    """From when an uplink was due to its first try, in a run that is paced: our own lag, or that of the other side."""

    lag_seconds: float = 0.0
    """The worst of `behind` since `take_lag` was last asked."""

    def fall_behind(self, seconds: float) -> None:
        """Count how late an uplink is begun."""
        self.behind.add(seconds)
        self.lag_seconds = max(self.lag_seconds, seconds)

    def take_lag(self) -> float:
        """Return the worst lag since the last call, in seconds."""
        lag, self.lag_seconds = self.lag_seconds, 0.0
        return lag

    @property
    def total(self) -> int:
        """Uplinks begun."""
        return self.sent.total()
