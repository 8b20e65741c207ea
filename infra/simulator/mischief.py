"""The oddities of real traffic, each with its share of uplinks: 0 switches it off. Pure data."""

from dataclasses import dataclass, replace
from typing import Final, Self


@dataclass(frozen=True, slots=True)
class Mischief:
    """How often, per uplink of a device, something odd happens as well."""

    duplicates: float = 0.004
    """The same body a second time, right after the first."""
    statuses: float = 0.005
    """A frame without a temperature in between."""
    sentinels: float = 0.001
    """A probe that is not plugged in: 327.67 degrees."""
    joins: float = 0.001
    """The device joins again; its frame count starts over."""
    strangers: float = 0.002
    """An uplink of a device that nobody registered."""
    garbage: float = 0.001
    """A body that is no message at all."""
    losses: float = 0.003
    """An uplink that no gateway heard: a hole in the frame counts."""
    foreign: float = 0.0
    """An uplink of an application that is not the secret's."""
    retries: float = 0.0
    """The same body a second time, up to a minute later: a webhook that is tried again although it was taken."""
    held: float = 0.0
    """An uplink that is delivered up to `held_ms` late, so that later ones overtake it."""
    held_ms: int = 30_000

    def without(self, names: frozenset[str]) -> Self:
        """Return the same with some oddities switched off; raises ValueError on a name that is none."""
        unknown = sorted(names - set(NAMES))
        if unknown:
            message = f"no oddity is called {', '.join(unknown)}; there are {', '.join(NAMES)}"
            raise ValueError(message)
        return replace(self, **dict.fromkeys(names, 0))


NAMES: Final = (
    "duplicates",
    "statuses",
    "sentinels",
    "joins",
    "strangers",
    "garbage",
    "losses",
    "foreign",
    "retries",
    "held",
)
CLEAN: Final = Mischief().without(frozenset(NAMES))
"""Nothing but the first join and readings in order."""
