"""What some tries came to, added up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counted:
    """What some tries came to."""

    kind: str
    tried: int = 0
    excursions: int = 0
    versions: int = 0
    """Of fleets: versions that were written."""
    late: int = 0
    """Of them, those that a revision wrote."""
    seconds: float = 0.0
    """Of all processes together."""
    failed: tuple[int, ...] = ()
    """Seeds that come to something else."""

    def __add__(self, other: "Counted") -> "Counted":
        """Return both together."""
        return Counted(
            self.kind,
            self.tried + other.tried,
            self.excursions + other.excursions,
            self.versions + other.versions,
            self.late + other.late,
            self.seconds + other.seconds,
            self.failed + other.failed,
        )
