"""How far a partition has been read, in time: the stamp of its newest tick less a grace. No wall time is read.

A stretch without ticks means that ingest was away: nobody could be heard, and what senders kept is still to come. So after
such an outage the clock stands still for as long as the outage was, at most a minute, and offline counts from its end. Stops of
our own flows leave no such stretch: their ticks are in the log.
"""

from typing import Final

import msgspec

GRACE_MS: Final = 2_000
"""Taken off the newest tick: an uplink accepted before a tick may stand behind it by as much (architecture 2.1)."""

OUTAGE_MS: Final = 5_000
"""A longer stretch between two ticks is an outage of ingest; ticks come once a second from each API process."""

LONGEST_CATCH_UP_MS: Final = 60_000
"""Most time that senders get, after an outage, to deliver what they kept, before deadlines are judged without it."""

NEVER: Final = -(1 << 62)


class PartitionClock(msgspec.Struct, frozen=True, array_like=True):
    """The clock of one partition."""

    now: int = NEVER
    """ms UTC; deadlines up to and at this instant may be judged."""
    newest_tick: int = NEVER
    """The newest tick's stamp."""
    resumed_at: int = NEVER
    """When ingest came back from its newest outage, or was first seen."""
    still_until: int = NEVER
    """The clock stands still until a tick is stamped at or after this."""


def on_tick(clock: PartitionClock, stamp: int) -> PartitionClock:
    """Return the clock after a tick with the broker's stamp (ms UTC). A stamp that goes back changes nothing."""
    if stamp <= clock.newest_tick:
        return clock
    if clock.newest_tick == NEVER:
        return PartitionClock(stamp - GRACE_MS, stamp, stamp, NEVER)
    away_ms = stamp - clock.newest_tick
    if away_ms > OUTAGE_MS:
        return PartitionClock(clock.now, stamp, stamp, stamp + min(away_ms, LONGEST_CATCH_UP_MS))
    now = clock.now if stamp < clock.still_until else max(clock.now, stamp - GRACE_MS)
    return PartitionClock(now, stamp, clock.resumed_at, clock.still_until)
