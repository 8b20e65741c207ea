"""The sums: how many uplinks were acknowledged and how each ended, counted by the database. Reads only."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg

from infra.simulator.tally import Tally

ENDS: Final = ("stored", "duplicate", "no_reading", "rejected", "unassigned")


@dataclass(frozen=True, slots=True)
class Ends:
    """How many uplinks ended as what."""

    by_end: dict[str, int]
    """Uplinks that went through the log, by their end."""
    put_aside: int
    """Bodies that ingest could not read and put straight to dead letters: rejected as well."""

    @property
    def total(self) -> int:
        """All uplinks that ended."""
        return sum(self.by_end.values()) + self.put_aside

    def shown(self) -> dict[str, int]:
        """Return the counts for JSON: what ingest put aside counts as rejected."""
        counts = {end: self.by_end.get(end, 0) for end in ENDS}
        counts["rejected"] += self.put_aside
        return counts


def count_ends(connection: psycopg.Connection[Any], organization: int) -> Ends:
    """Return how an organization's uplinks ended."""
    rows = connection.execute(
        "SELECT ended_as, sum(uplinks)::bigint FROM uplink_ends WHERE organization_id = %s GROUP BY ended_as",
        (organization,),
    ).fetchall()
    aside = connection.execute(
        "SELECT count(*) FROM dead_letters WHERE organization_id = %s AND topic = 'dead_letters'",
        (organization,),
    ).fetchone()
    assert aside is not None
    return Ends({end: int(count) for end, count in rows}, int(aside[0]))


def count_excursions(connection: psycopg.Connection[Any], organization: int, since: int) -> dict[str, int]:
    """Return how many excursions opened and closed since an instant (ms UTC), by the newest versions."""
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE opened_at >= since), count(*) FILTER (WHERE closed_at >= since) "
        "FROM current_excursions, to_timestamp(%s / 1000.0) AS since WHERE organization_id = %s",
        (since, organization),
    ).fetchone()
    assert row is not None
    return {"opened": int(row[0]), "closed": int(row[1])}


def disagreement(tally: Tally, ends: Ends) -> str | None:
    """Say in a line how the sums disagree; None when they agree.

    A retried uplink may be in the log more than once, for an earlier try may have been taken without an answer.
    """
    if tally.acknowledged != tally.total:
        return f"{tally.total} uplinks were sent and only {tally.acknowledged} acknowledged"
    if not tally.acknowledged <= ends.total <= tally.acknowledged + tally.retries:
        again = f" (and {tally.retries} tries more)" if tally.retries else ""
        return f"{tally.acknowledged} uplinks were acknowledged{again} and {ends.total} ended: {ends.shown()}"
    return None
