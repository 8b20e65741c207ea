"""Why a change of the registry is not made: a value that cannot be taken, or an instant that is too early.

Refused    the field and what to write instead
TooEarly   the earliest instant at which it could take effect
"""


class Refused(ValueError):
    """A value that cannot be taken: `field`, and `reason`, a sentence that says what to write instead."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field and why."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class TooEarly(ValueError):
    """An instant at which a change cannot take effect any more; `earliest` (ms UTC) is one at which it can."""

    def __init__(self, earliest: int, reason: str) -> None:
        """Say from when on it could, and why not before."""
        super().__init__(reason)
        self.earliest = earliest
