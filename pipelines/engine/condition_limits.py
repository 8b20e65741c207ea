"""What of a policy version's terms tells a quiet row from one that may move a condition: as columns by its number, read once each.

So a batch costs the same however many policies its rows name. Knows no rows and no states.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.domain.conditions.terms import BatteryTerms, FrozenTerms
from pipelines.engine.terms import FIRST_ROOM, Terms, grown

NEVER_BELOW: Final = 0
"""A limit that nothing is below."""
FROZEN_TERMS: Final = np.dtype(
    [("after_ms", "<i8"), ("readings", "<i8"), ("changes", "<i8"), ("coarse_hundredths", "<i8"), ("times_longest", "<i8")],
)
"""The numbers of FrozenTerms."""


class ConditionLimits:
    """Of each version below which levels a battery may be low, and by what frozen values are looked for."""

    def __init__(self, terms: Terms) -> None:
        """Start with no version read."""
        self._terms = terms
        self._is_known = np.zeros(FIRST_ROOM, dtype=np.bool_)
        self.percent = np.zeros(FIRST_ROOM, dtype=np.uint8)
        self.millivolts = np.zeros(FIRST_ROOM, dtype=np.uint16)
        self.looks = np.zeros(FIRST_ROOM, dtype=np.bool_)
        """Whether frozen values are looked for."""
        self.frozen = np.zeros(FIRST_ROOM, dtype=FROZEN_TERMS)
        """By what, where they are."""
        self.highest_percent = self.highest_millivolts = NEVER_BELOW
        """The highest limits of any version read: a level that is not below them is low by none."""
        self.any_looks = False

    def prepare(self, policies: npt.NDArray[np.int32]) -> None:
        """Read the versions among these that are not read yet."""
        highest = int(policies.max(initial=0))
        if highest >= len(self._is_known):
            self._grow(max(highest + 1, 2 * len(self._is_known)))
        is_known = self._is_known[policies]
        if not is_known.all():
            for number in np.unique(policies[~is_known]).tolist():
                self._read(number)

    def _read(self, number: int) -> None:
        terms = self._terms.policies[number].conditions
        percent, millivolts = low_levels(terms.battery)
        self.percent[number], self.millivolts[number] = percent, millivolts
        self.highest_percent = max(self.highest_percent, percent)
        self.highest_millivolts = max(self.highest_millivolts, millivolts)
        if terms.frozen is not None:
            self.looks[number] = self.any_looks = True
            self.frozen[number] = row_of(terms.frozen)
        self._is_known[number] = True

    def _grow(self, room: int) -> None:
        for name in ("_is_known", "percent", "millivolts", "looks", "frozen"):
            setattr(self, name, grown(getattr(self, name), room, 0))


def row_of(terms: FrozenTerms) -> tuple[int, ...]:
    """Return the numbers of some terms in the order of FROZEN_TERMS."""
    return tuple(getattr(terms, name) for name in FROZEN_TERMS.names or ())


def low_levels(terms: BatteryTerms | None) -> tuple[int, int]:
    """Return below which percent and millivolts a battery is low; 0 where it is not judged by these."""
    if terms is None:
        return NEVER_BELOW, NEVER_BELOW
    return terms.low_percent or NEVER_BELOW, terms.low_millivolts or NEVER_BELOW
