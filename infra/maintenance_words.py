"""Maintenance windows, and what a preview says of them, in words and as tables for people.

It shows what the API's own commands answer, and decides nothing. Times are UTC.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from api.maintenance_shapes import MaintenanceAnswer, MaintenancePreview, RetoldAnswer
from infra.correction_words import instant
from infra.text_table import aligned

MAX_SHOWN: Final = 200
"""Excursions of a preview's table."""

WORDS: Final = {"suppressed": "told no more", "told": "told now", "moved": "told at another time"}


def table(windows: Sequence[MaintenanceAnswer]) -> list[str]:
    """Return a row for each window, below a heading; nothing for none."""
    if not windows:
        return []
    return aligned([("id", "site", "unit", "from", "to", "by", "because"), *(_row(one) for one in windows)])


def _row(one: MaintenanceAnswer) -> tuple[str, ...]:
    ended = "" if one.ended_at is None else f" (until {instant(one.declared_to)} before {one.ended_by} ended it: {one.end_comment})"
    revoked = "" if one.revoked_at is None else f" (revoked {instant(one.revoked_at)} by {one.revoked_by}: {one.revocation_comment})"
    because = f"{one.comment}{ended}{revoked}"
    return str(one.id), str(one.site), str(one.unit), instant(one.from_), instant(one.to), one.declared_by, because


def previewed_lines(found: MaintenancePreview) -> list[str]:
    """Return what would come of maintenance: how much was judged, and every excursion that would be told otherwise."""
    if found.from_ is None or found.to is None:
        return ["It stands already just so."]
    lines = [
        f"From {instant(found.from_)} to {instant(found.to)}, {'1 unit' if len(found.units) == 1 else f'{len(found.units)} units'}; {found.judged} stored readings were judged."
    ]
    if not found.changes:
        return [*lines, "No excursion would be told otherwise."]
    heading = ("", "sensor", "unit", "band", "started", "ended", "told before", "told then", "peak", "out of range")
    more = [f"... and {len(found.changes) - MAX_SHOWN} more: --json has all"] if len(found.changes) > MAX_SHOWN else []
    return [*lines, *aligned([heading, *(_retold(one) for one in found.changes[:MAX_SHOWN])]), *more]


def _retold(one: RetoldAnswer) -> tuple[str, ...]:
    ended, before, after = (
        missing if at is None else instant(at)
        for at, missing in ((one.ended_at, "lasts"), (one.opened_before, "never"), (one.opened_after, "never"))
    )
    peak = "-" if one.peak_celsius is None else f"{one.peak_celsius:.2f} °C"
    exposure = str(timedelta(seconds=round(one.exposure_seconds)))
    return WORDS[one.outcome], str(one.sensor), str(one.unit), one.band, instant(one.started_at), ended, before, after, peak, exposure
