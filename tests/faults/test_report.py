"""The report says what a campaign came to, and in which respects it fell short."""

from infra.local.parts import Part
from tests.faults.campaign import Outcome
from tests.faults.checker.findings import Finding, Kind
from tests.faults.processes import KILL
from tests.faults.report import misses, recovery_table, scenario_table
from tests.faults.work import Recovery


def outcome(kills: int, slowest: float | None) -> Outcome:
    recoveries = [Recovery(KILL, Part.API, 2.0)] * (kills - 1) + [Recovery(KILL, Part.API, slowest)]
    return Outcome(1, "kills", acknowledged=1_000, recoveries=recoveries, findings=[Finding(Kind.LATE, "an alert")])


def test_a_campaign_with_enough_kills_and_quick_returns_falls_short_of_nothing() -> None:
    assert misses([outcome(20, 9.9)], seeds=3) == []


def test_too_few_kills_and_slow_returns_are_said() -> None:
    assert misses([outcome(7, 12.34)], seeds=3) == [
        "api was killed 7 times, not 20",
        "api needed up to 12.3 s after a kill -9, budget 10 s",
    ]


def test_the_tables_count_findings_by_kind_and_recoveries_by_part() -> None:
    assert "| kills | 1 | 3 | 1,000 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 0 |" in scenario_table([outcome(3, 4.0)])
    assert "| kill -9 | api | 3 | 2.0 | 2.0 | 1 |" in recovery_table([outcome(3, None)])
