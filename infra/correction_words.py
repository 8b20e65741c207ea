"""Corrections of the past in words: what each says, and what a preview would change as a table for people.

It shows what the API's own commands answer, and decides nothing. Times are UTC.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never

from api.commands.correcting import Wanted
from api.correction_shapes import CorrectionAnswer, ExcursionChange, ExcursionFacts, PreviewAnswer
from api.shapes import iso
from infra.text_table import aligned
from pipelines.domain.corrections import CorrectionKind

MAX_SHOWN: Final = 200
"""Excursions of the table."""

GAINED, LOST, CHANGED = "gained", "lost", "changed"
OUTCOMES: Final = {"new": GAINED, "voided": LOST, "changed": CHANGED}
HEADINGS: Final = ("", "sensor", "unit", "band", "severity", "started", "opened", "ended", "closed", "peak", "out of range")


def said_of(correction: CorrectionAnswer) -> str:
    """Return what a correction that was kept says."""
    return _said(
        CorrectionKind(correction.kind),
        sensor=correction.sensor,
        unit=correction.unit,
        celsius=correction.calibration_celsius,
        policy=correction.policy_version,
        stretch=f"from {instant(correction.from_)} to {instant(correction.to)}",
    )


def said_of_wanted(wanted: Wanted) -> str:
    """Return what a correction that is not made yet would say."""
    return _said(
        wanted.kind,
        sensor=wanted.sensor,
        unit=wanted.unit,
        celsius=None if wanted.calibration is None else wanted.calibration / 100,
        policy=wanted.policy,
        stretch=f"from {instant(wanted.since)} to {instant(wanted.until)}",
    )


def _said(kind: CorrectionKind, *, sensor: int | None, unit: int | None, celsius: float | None, policy: int | None, stretch: str) -> str:
    match kind:
        case CorrectionKind.CALIBRATION:
            return f"sensor {sensor} was calibrated by {celsius or 0:+.2f} °C {stretch}"
        case CorrectionKind.FLAG:
            return f"readings of sensor {sensor} are not to be believed {stretch}"
        case CorrectionKind.DELETE:
            return f"readings of sensor {sensor} are as if they had never come {stretch}"
        case CorrectionKind.ASSIGNMENT:
            return f"sensor {sensor} watched {'nothing' if unit is None else f'unit {unit}'} {stretch}"
        case CorrectionKind.POLICY:
            return f"unit {unit} was judged by policy version {policy} {stretch}"
        case _:
            assert_never(kind)


def previewed_lines(wanted: Sequence[Wanted], answer: PreviewAnswer) -> list[str]:
    """Return what a correction would do: what it says, how much it touches, and every excursion that it would change."""
    if not wanted:
        return ["Nothing of the past need be corrected."]
    counts = Counter(OUTCOMES[change.outcome] for change in answer.changes)
    found = ", ".join(f"{counts[outcome]} {outcome}" for outcome in (GAINED, LOST, CHANGED))
    return [
        *(f"It would say: {said_of_wanted(one)}." for one in wanted),
        f"{answer.readings} stored readings lie in it; {answer.judged} would be judged again.",
        f"Excursions: {found}." if answer.changes else "No excursion would change.",
        *change_table(answer.changes),
    ]


def change_table(changes: Sequence[ExcursionChange]) -> list[str]:
    """Return a row for each excursion gained or lost and two, before and after, for one that changes; at most MAX_SHOWN excursions."""
    if not changes:
        return []
    rows = [row for change in changes[:MAX_SHOWN] for row in _rows(change)]
    more = [f"... and {len(changes) - MAX_SHOWN} more: --json has all"] if len(changes) > MAX_SHOWN else []
    return [*aligned([HEADINGS, *rows]), *more]


def _rows(change: ExcursionChange) -> list[tuple[str, ...]]:
    outcome = OUTCOMES[change.outcome]
    if change.before is not None and change.after is not None:
        return [_row(f"{outcome} from", change, change.before), _row("        to", change, change.after)]
    facts = change.after or change.before
    assert facts is not None, "what changes was, or will be"
    return [_row(outcome, change, facts)]


def _row(outcome: str, change: ExcursionChange, facts: ExcursionFacts) -> tuple[str, ...]:
    return (
        outcome,
        str(change.sensor),
        str(facts.unit),
        f"{change.band} ({change.side})",
        change.severity,
        instant(facts.started_at),
        instant(facts.opened_at),
        "open" if facts.ended_at is None else instant(facts.ended_at),
        "open" if facts.closed_at is None else f"{instant(facts.closed_at)} by {facts.ended_by}",
        "-" if facts.peak_celsius is None else f"{facts.peak_celsius:.2f} °C",
        str(timedelta(seconds=round(facts.exposure_seconds))),
    )


def correction_table(corrections: Sequence[CorrectionAnswer]) -> list[str]:
    """Return a row for each correction: who made it, when, what it says and why, and whether it was revoked."""
    if not corrections:
        return []
    rows = [("id", "made", "by", "it says", "because")]
    for one in corrections:
        revoked = "" if one.revoked_at is None else f" (revoked {instant(one.revoked_at)} by {one.revoked_by}: {one.revocation_comment})"
        rows.append((str(one.id), instant(one.made_at), one.made_by, said_of(one), one.comment + revoked))
    return aligned(rows)


def instant(at: datetime) -> str:
    """Return an instant as ISO 8601 UTC, with milliseconds where it has any."""
    return iso(at).replace(".000Z", "Z")
