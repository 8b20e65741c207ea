"""The report says what a campaign came to, and in which respects it fell short."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.parts import Part
from tests.faults.campaign import Outcome, Scenario, count, run_stack
from tests.faults.checker.findings import Delay, Finding, Findings, Kind
from tests.faults.processes import KILL, kill_everything
from tests.faults.report import budgets_missed, delay_table, kills_missing, recovery_table, scenario_table
from tests.faults.rig import Rig
from tests.faults.work import PARTS, Recovery


def outcome(kills: int, slowest: float | None) -> Outcome:
    recoveries = [Recovery(KILL, Part.API, 2.0)] * (kills - 1) + [Recovery(KILL, Part.API, slowest)]
    return Outcome(1, "kills", acknowledged=1_000, recoveries=recoveries, findings=[Finding(Kind.LATE, "an alert")])


def test_a_campaign_with_enough_kills_and_quick_returns_falls_short_of_nothing() -> None:
    kills = [Outcome(1, "kills", recoveries=[Recovery(KILL, part, 9.9)] * 20) for part in PARTS]

    assert (kills_missing(kills, seeds=3), budgets_missed(kills)) == ([], [])


def test_too_few_kills_a_part_never_killed_and_slow_returns_are_said() -> None:
    missing = kills_missing([outcome(7, 12.34)], seeds=3)

    assert len(missing) == len(PARTS)
    assert missing[0] == "api was killed 7 times, not 20"
    assert "kafka was killed 0 times, not 20" in missing
    assert kills_missing([outcome(7, 12.34)], seeds=1) == []
    assert budgets_missed([outcome(7, 12.34)]) == ["budget missed: api needed up to 12.3 s after a kill -9, budget 10 s"]


def test_delays_are_shown_apart_by_the_bound_they_were_held_to() -> None:
    delays = [Delay(1, 100, is_undisturbed=True), Delay(2, 300, is_undisturbed=True), Delay(3, 45_000, is_undisturbed=False)]

    assert "| kills | 2 | 300 | 300 | 300 | 1 | 45,000 | 45,000 | 45,000 |" in delay_table([Outcome(1, "kills", delays=delays)])
    assert "| kills | 0 | - | - | - | 0 | - | - | - |" in delay_table([Outcome(1, "kills")])


def test_what_a_scenario_came_to_is_what_is_new_and_too_many_late_sensors_are_a_shortfall() -> None:
    before, found = Findings(100, 90, 5, 10, 1, sensors=60), Findings(250, 230, 9, 31, 14, sensors=120)
    kills, deliveries, pauses = Outcome(1, "kills"), Outcome(1, "deliveries"), Outcome(1, "pauses")

    count(kills, Scenario("kills", "plain", kill_everything), before, found)
    count(deliveries, Scenario("deliveries", "plain", kill_everything, proxied=True, late_share=0.6), before, found)
    count(pauses, Scenario("pauses", "plain", kill_everything), found, replace(found, sensors=180))

    assert (kills.acknowledged, kills.excursions, kills.told, kills.late_sensors) == (150, 4, 21, 13)
    assert (kills.is_clean, deliveries.is_clean, pauses.is_clean) == (False, True, False)
    assert kills.shortfalls == ["13 of 60 sensors had late readings: more than were reordered"]
    assert pauses.shortfalls == ["no reading was late: nothing was judged again"]


def test_a_stack_that_does_not_start_is_said_of_every_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_rig: Rig) -> Rig:
        raise RuntimeError("no ports are free")

    monkeypatch.setattr(Rig, "__enter__", refuse)

    outcomes = run_stack(tmp_path, 1, [Scenario("kills", "plain", kill_everything), Scenario("pauses", "plain", kill_everything)], print)

    assert [one.failure for one in outcomes] == ["not run: RuntimeError: no ports are free"] * 2


def test_the_tables_count_findings_by_kind_and_recoveries_by_part() -> None:
    assert "| kills | 1 | 3 | 1,000 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 0 |" in scenario_table([outcome(3, 4.0)])
    assert "| kill -9 | api | 3 | 2.0 | 2.0 | 1 |" in recovery_table([outcome(3, None)])
