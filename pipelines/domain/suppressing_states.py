"""The state of a sustained band that may be suppressed. Data only; `suppressing` is the machine.

States are encoded into snapshots as they are, so a changed field is a new version of the snapshot.
"""

import msgspec

from pipelines.domain.excursion_states import SustainedState
from pipelines.domain.suppression import Excuses


class Suppressing(msgspec.Struct, frozen=True, array_like=True, tag="suppressing", gc=False):
    """A band whose run may be excused, or that remembers its last defrost."""

    run: SustainedState
    """As if nothing were suppressed; but once an excursion that was held back opens, with that instant as its `opened_at`."""
    excuses: Excuses | None
    """Of the run; None without one, and for one that began when the band could not be suppressed."""
    held_from: int | None
    """When the excursion would have opened; None where it was not held back."""
    opened_at: int | None
    """When it opened after all; None as long as it is held back."""
    last_defrost_at: int | None
    """Start of the last run that was taken for a defrost."""

    @property
    def is_holding_back(self) -> bool:
        """Whether an excursion is held back now."""
        return self.held_from is not None and self.opened_at is None
