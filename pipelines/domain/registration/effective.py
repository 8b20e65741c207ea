"""From when on a change holds. A version is committed at least 5 s before it takes effect, so that every decoder stamps alike.

What was never in force before may begin in the past, as far back as dead letters can be replayed. All instants are ms UTC; `now`
is the database's clock, read while no other change can be made.
"""

from typing import Final

from pipelines.domain.instants import format_instant
from pipelines.domain.registration.refusals import Refused, TooEarly

LEAD_MS: Final = 5_000
"""Between the commit and the instant from which a version holds: decoders look at the registry every 3 s."""

ALLOWANCE_MS: Final = 3_000
"""For one change to be written and committed."""

LINE_ALLOWANCE_MS: Final = 2
"""For each line of an import on top of that."""

MAX_BACK_MS: Final = 35 * 86_400_000
"""How far back a first assignment may begin: as long as uplinks are kept."""

MAX_AHEAD_MS: Final = 366 * 86_400_000

JUST_MADE_MS: Final = 60_000
"""A change that will take effect within this is not called planned: the next one simply follows it."""


def takes_effect_at(asked: int | None, now: int, newest: int | None, allowance: int = ALLOWANCE_MS) -> int:
    """Return from when on a new version holds: as asked, or as early as it may.

    `newest` is when the newest version on the same timeline took or takes effect; versions are only ever added behind it.
    Raises TooEarly, and Refused for an instant more than a year ahead.
    """
    earliest = now + LEAD_MS + allowance
    after_newest = earliest if newest is None else max(earliest, newest + 1)
    if asked is None:
        if after_newest > earliest + JUST_MADE_MS:
            raise TooEarly(
                after_newest, f"something is planned for {format_instant(after_newest - 1)}: give an effective_at later than that"
            )
        return after_newest
    if asked > now + MAX_AHEAD_MS:
        raise Refused("effective_at", "must be within a year from now")
    if asked < earliest:
        raise TooEarly(
            after_newest, f"the earliest it can take effect is {format_instant(after_newest)}: leave effective_at out for the earliest"
        )
    if asked < after_newest:
        raise TooEarly(
            after_newest, f"must be later than what takes effect at {format_instant(after_newest - 1)}: versions are added, never changed"
        )
    return asked


def first_takes_effect_at(asked: int | None, now: int, field: str, allowance: int = ALLOWANCE_MS) -> int:
    """Return from when on the first version holds of something that was never in force: up to 35 days back, or as `takes_effect_at`.

    Left out it is the earliest that every decoder stamps alike. Raises Refused.
    """
    if asked is None:
        return now + LEAD_MS + allowance
    if asked < now - MAX_BACK_MS:
        raise Refused(field, f"must not be before {format_instant(now - MAX_BACK_MS)}: uplinks are kept for 35 days")
    if asked > now + MAX_AHEAD_MS:
        raise Refused(field, "must be within a year from now")
    return asked


def from_the_start(now: int) -> int:
    """Return the instant from which the first configuration of a sensor, or policy of a unit never watched, holds."""
    return now - MAX_BACK_MS
