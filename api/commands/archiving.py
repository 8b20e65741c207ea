"""Archiving and restoring: what is archived keeps its history and is left out of lists; nothing is ever deleted."""

from datetime import datetime, timedelta
from typing import Final

from api.commands.transaction import Outcome, Row, Transaction
from api.errors import ApiError, conflict
from api.shapes import iso

SOON: Final = timedelta(minutes=1)
"""An assignment that ends within this counts as ended."""

MARK: Final = {
    "organization": "UPDATE organizations SET archived_at = %(at)s WHERE id = %(id)s",
    "site": "UPDATE sites SET archived_at = %(at)s WHERE id = %(id)s",
    "unit": "UPDATE units SET archived_at = %(at)s WHERE id = %(id)s",
    "sensor": "UPDATE sensors SET archived_at = %(at)s WHERE id = %(id)s",
    "policy": "UPDATE policies SET archived_at = %(at)s WHERE id = %(id)s",
}

PLURAL: Final = {
    "organization": "organizations",
    "site": "sites",
    "unit": "units",
    "sensor": "sensors",
    "policy": "policies",
}
"""A kind as it stands in a route."""


async def mark_archived(transaction: Transaction, kind: str, row: Row) -> Outcome:
    """Archive a thing that nothing stands against."""
    await transaction.execute(MARK[kind], {"id": row["id"], "at": transaction.now_at})
    outcome = Outcome("changed", row["organization_id"], row["id"])
    return await transaction.record(outcome, kind, "archived", {"archived": False}, {"archived": True})


async def restore(transaction: Transaction, kind: str, row: Row) -> Outcome:
    """Take a thing out of the archive; one that is not in it stays as it is."""
    if row["archived_at"] is None:
        return Outcome("unchanged", row["organization_id"], row["id"])
    await transaction.execute(MARK[kind], {"id": row["id"], "at": None})
    outcome = Outcome("changed", row["organization_id"], row["id"])
    return await transaction.record(outcome, kind, "restored", {"archived": True}, {"archived": False})


def require_standing(kind: str, row: Row) -> None:
    """Raise the 409 that names how to restore, where a thing is archived."""
    if row["archived_at"] is not None:
        raise archived(kind, row["id"], row.get("name") or "")


def require_ended(transaction: Transaction, kind: str, number: int, ends: datetime | None) -> None:
    """Raise the 409 for a thing whose assignments go on: archived now, it would be watched unseen until then."""
    if ends is not None and ends > transaction.now_at + SOON:
        message = f"The {kind} {number} is assigned until {iso(ends)}: end the assignment first, and archive it once that has passed."
        raise conflict("in_use", message)


def archived(kind: str, number: int, name: str) -> ApiError:
    """Return the answer to a change of what is archived."""
    route = f"POST /api/v1/{PLURAL[kind]}/{number}/restore"
    return conflict("archived", f"The {kind} {number} {name!r} is archived: restore it first ({route}).")
