"""What a correction says, and what its preview would change, in words and as a table."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from api.commands.correcting import Wanted
from api.correction_shapes import CorrectionAnswer, ExcursionChange, ExcursionFacts, PreviewAnswer
from infra.correction_words import MAX_SHOWN, change_table, correction_table, previewed_lines, said_of_wanted
from pipelines.domain.corrections import CorrectionKind

NINE, TEN = datetime(2026, 11, 1, 9, tzinfo=UTC), datetime(2026, 11, 1, 10, 0, 0, 5_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (CorrectionKind.CALIBRATION, {"sensor": 5, "calibration": -20}, "sensor 5 was calibrated by -0.20 °C"),
        (CorrectionKind.FLAG, {"sensor": 5}, "readings of sensor 5 are not to be believed"),
        (CorrectionKind.DELETE, {"sensor": 5}, "readings of sensor 5 are as if they had never come"),
        (CorrectionKind.ASSIGNMENT, {"sensor": 5, "unit": 3, "assignment": 9}, "sensor 5 watched unit 3"),
        (CorrectionKind.ASSIGNMENT, {"sensor": 5}, "sensor 5 watched nothing"),
        (CorrectionKind.POLICY, {"unit": 3, "policy": 7}, "unit 3 was judged by policy version 7"),
    ],
)
def test_each_kind_says_what_it_means_and_for_when(kind: CorrectionKind, given: dict[str, int], said: str) -> None:
    assert said_of_wanted(Wanted(1, kind, NINE, TEN, **given)) == f"{said} from 2026-11-01T09:00:00Z to 2026-11-01T10:00:00.005Z"


def facts(**changed: Any) -> ExcursionFacts:
    known: dict[str, Any] = {
        "unit": 3,
        "started_at": NINE,
        "opened_at": NINE,
        "ended_at": TEN,
        "closed_at": TEN,
        "ended_by": "recovery",
        "peak_celsius": 9.5,
        "exposure_seconds": 4_320.0,
    }
    return ExcursionFacts(**(known | changed))


def change(before: ExcursionFacts | None, after: ExcursionFacts | None) -> ExcursionChange:
    outcome: Any = "new" if before is None else "voided" if after is None else "changed"
    return ExcursionChange(
        outcome=outcome,
        id=UUID(int=1),
        sensor=5,
        band="warm",
        kind="sustained",
        side="high",
        severity="critical",
        before=before,
        after=after,
    )


def test_a_preview_counts_and_shows_what_is_gained_lost_and_changed_from_what_to_what() -> None:
    changes = [
        change(None, facts()),
        change(facts(unit=4), None),
        change(facts(), facts(ended_at=None, closed_at=None, ended_by=None, peak_celsius=9.8)),
    ]
    answer = PreviewAnswer(corrections=[], readings=20, judged=30, changes=changes)

    lines = previewed_lines([Wanted(1, CorrectionKind.FLAG, NINE, TEN, 5)], answer)

    assert lines[0].startswith("It would say: readings of sensor 5 are not to be believed")
    assert lines[1] == "20 stored readings lie in it; 30 would be judged again."
    assert lines[2] == "Excursions: 1 gained, 1 lost, 1 changed."
    assert [line.split()[0] for line in lines[4:]] == ["gained", "lost", "changed", "to"]
    assert "2026-11-01T10:00:00.005Z by recovery" in lines[4]
    assert "9.50 °C" in lines[4]
    assert lines[4].endswith("1:12:00")
    assert lines[7].count("open") == 2
    assert "9.80 °C" in lines[7]
    assert len({line.index("critical") for line in lines[4:]}) == 1


def test_a_preview_without_changes_says_so_and_one_of_nothing_says_that() -> None:
    nothing = PreviewAnswer(corrections=[], readings=2, judged=0, changes=[])

    assert previewed_lines([Wanted(1, CorrectionKind.FLAG, NINE, TEN, 5)], nothing)[2:] == ["No excursion would change."]
    assert previewed_lines([], nothing) == ["Nothing of the past need be corrected."]


def test_a_long_table_says_how_many_it_leaves_out() -> None:
    lines = change_table([change(None, facts())] * (MAX_SHOWN + 3))

    assert len(lines) == 1 + MAX_SHOWN + 1
    assert lines[-1] == "... and 3 more: --json has all"


def test_a_list_names_who_made_what_why_and_who_revoked_it() -> None:
    made = CorrectionAnswer(
        id=4,
        organization=1,
        kind="calibration",
        sensor=5,
        unit=None,
        from_=NINE,
        to=TEN,
        calibration_celsius=0.3,
        policy_version=None,
        made_by="ada",
        made_at=TEN,
        comment="certificate 7",
        revoked_by="bob",
        revoked_at=TEN,
        revocation_comment="wrong probe",
    )

    lines = correction_table([made])

    assert correction_table([]) == []
    assert "sensor 5 was calibrated by +0.30 °C" in lines[1]
    assert lines[1].startswith("4 ")
    assert lines[1].endswith("certificate 7 (revoked 2026-11-01T10:00:00.005Z by bob: wrong probe)")
