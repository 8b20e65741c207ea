"""What a windowed band sees of a sensor's past: the known stretches since it began to judge, each with its own version's band."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.domain.figures import Tally, counted, empty, held
from pipelines.domain.history import History, pieces
from pipelines.domain.policy import Band, Identity, Policy, WindowedBand, identity
from pipelines.domain.windowed_states import WindowedState


class Stretch(NamedTuple):
    """A value known over [start, end), and the band of its version."""

    start: int
    end: int
    temperature: int
    band: Band


@dataclass(frozen=True, slots=True)
class Past:
    """The past of one band since its first reading; `history` ends with the newest row."""

    history: History
    policies: Mapping[int, Policy]
    band: Identity
    since: int

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """Yield what was known within [start, end), oldest first, cut at both ends; each is of one reading."""
        for piece in pieces(self.history, max(start, self.since), end):
            yield Stretch(piece.start, piece.end, piece.temperature, self._band_of(piece.policy))

    def tally(self, start: int, newest_at: int) -> Tally:
        """Return the sums over [start, newest_at): the value known at `start` counts as a reading where none was measured then.

        Nothing before `since` is of the band.
        """
        tally = empty(start)
        for one in self.stretches(start, newest_at):
            tally = held(counted(tally, one.temperature, one.start, one.band), one.temperature, one.end - one.start, one.band)
        return tally

    def bands(self) -> list[Band]:
        """Return the band in each version that any row kept is of."""
        return [
            self._band_of(policy) for policy in {page.policy for page in self.history} if self.band in self.policies[policy].by_identity
        ]

    def _band_of(self, policy: int) -> Band:
        return self.policies[policy].by_identity[self.band]


def past_of(state: WindowedState, band: WindowedBand, history: History, policies: Mapping[int, Policy]) -> Past:
    """Return what a band sees of its sensor's past."""
    return Past(history, policies, identity(band), state.since)
