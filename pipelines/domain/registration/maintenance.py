"""When a declared maintenance window holds, and from where what it excuses must be judged again. All instants are ms UTC; `now` is the database's clock.

What begins once every decoder knows of it needs nothing judged again. What lies before that, in part or whole, is said of the past: it is
a correction, and judged again from its beginning.
"""

from dataclasses import dataclass
from typing import Final

from pipelines.domain.instants import format_instant
from pipelines.domain.registration.effective import MAX_AHEAD_MS
from pipelines.domain.registration.refusals import Refused

DAY_MS: Final = 86_400_000
MAX_BACK_MS: Final = 366 * DAY_MS
"""How far back one may begin, as with any correction."""

MAX_LENGTH_MS: Final = 31 * DAY_MS
"""Of one window: nobody is told of what it excuses. A unit that is out of use for longer is archived, or judged by another policy."""


@dataclass(frozen=True, slots=True)
class Window:
    """Maintenance of a unit in [since, until)."""

    since: int
    until: int


def declared(since: int | None, until: int, now: int, earliest: int) -> Window:
    """Return the window that is asked for; without `since` it begins at `earliest`, the first instant that every decoder can know of.

    Raises Refused.
    """
    begin = earliest if since is None else since
    if until <= begin:
        raise Refused("to", f"must be after {'from' if since is not None else format_instant(begin)}")
    if begin < now - MAX_BACK_MS:
        raise Refused("from", f"must be within {MAX_BACK_MS // DAY_MS} days")
    if begin > now + MAX_AHEAD_MS:
        raise Refused("from", "must be within a year from now")
    if until - begin > MAX_LENGTH_MS:
        raise Refused(
            "to", f"must be at most {MAX_LENGTH_MS // DAY_MS} days after its beginning: archive the unit, or apply another policy"
        )
    return Window(begin, until)


def ended(window: Window, asked: int | None, earliest: int) -> Window:
    """Return what is left of a window that ends sooner than declared, at the earliest instant where none is asked.

    Raises Refused where it would not have begun by then, and for an end that is no sooner.
    """
    end = earliest if asked is None else asked
    if end <= window.since:
        raise Refused("to", f"must be after its beginning at {format_instant(window.since)}: revoke it, if it is not to be")
    if end >= window.until:
        raise Refused("to", f"must be before its end at {format_instant(window.until)}: to go on longer, declare another one")
    return Window(window.since, end)


def difference(before: Window | None, after: Window | None) -> Window | None:
    """Return the stretch outside of which two states of a window that keeps its beginning say the same; None where they do anyway."""
    if before == after:
        return None
    if before is None or after is None:
        return before or after
    assert before.since == after.since, "a window keeps its beginning"
    return Window(min(before.until, after.until), max(before.until, after.until))
