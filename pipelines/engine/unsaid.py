"""What a partition's clock has passed and no tick has said yet: ends of assignments and corrections, of which a tick says so many at most.

Rows of one offset must stand in one record, as readers skip what is at or below the offset they have done; and a record has a bound. So what
is too much for one tick waits for the next ones. It must not be lost where decode_uplinks crashes and writes again, under the same offsets,
what readers have done already: the newest is said first, so that what waits from before never puts off what came since. One who starts
later therefore has said by any tick no more than the one before it had (ADR 0012).
"""

from typing import Final, Protocol, TypeVar

from pipelines.engine.registry import AssignmentEnd, Registry, Rejudgement, of_each_sensor

MOST: Final = 4_000
"""Ends, and as many corrections, that one tick says: with the tick itself they fit in one record (schemas.readings.MAX_ROWS)."""


class Passed(Protocol):
    """Something of a sensor that holds from an instant on."""

    @property
    def at(self) -> int:
        """When it holds (ms UTC)."""

    @property
    def sensor(self) -> int:
        """Whose it is."""


Thing = TypeVar("Thing", bound=Passed)


class Unsaid:
    """What of some partitions waits to be said."""

    def __init__(self, registry: Registry) -> None:
        """Take the registry that knows of all ends and corrections."""
        self._registry = registry
        self._ends: dict[int, list[AssignmentEnd]] = {}
        self._rejudgements: dict[int, list[Rejudgement]] = {}

    def ends(self, partition: int, after: int, until: int) -> list[AssignmentEnd]:
        """Return the ends to be said now that the clock has gone from one instant to another (ms UTC), by instant."""
        unsaid = [*self._ends.get(partition, ()), *self._registry.ends(partition, after, until)]
        said, self._ends[partition] = newest_first(unsaid)
        return said

    def rejudgements(self, partition: int, after: int, until: int) -> list[Rejudgement]:
        """Return what is to be judged again, likewise: one of each sensor."""
        unsaid = [*self._rejudgements.get(partition, ()), *self._registry.rejudgements(partition, after, until)]
        said, self._rejudgements[partition] = newest_first(of_each_sensor(unsaid))
        return said


def newest_first(unsaid: list[Thing], most: int = MOST) -> tuple[list[Thing], list[Thing]]:
    """Part what is said now from what waits: sensors with the newest come first, each with all it has; both are returned by instant.

    A sensor that has more than is said at once is said from its oldest on.
    """
    if len(unsaid) <= most:
        return unsaid, []
    of_sensors: dict[int, list[Thing]] = {}
    for one in sorted(unsaid, key=_instant, reverse=True):
        of_sensors.setdefault(one.sensor, []).append(one)
    said: list[Thing] = []
    waiting: list[Thing] = []
    for several in of_sensors.values():
        several.reverse()
        if not waiting and len(said) + len(several) <= most:
            said += several
        else:
            room = 0 if said else most
            said += several[:room]
            waiting += several[room:]
    return sorted(said, key=_instant), sorted(waiting, key=_instant)


def _instant(one: Passed) -> tuple[int, int]:
    return one.at, one.sensor
