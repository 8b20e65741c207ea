"""The conditions of a unit in words, maintenance on its timeline, and suppressed time beside what is unknown."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fake_api import FakeApi
from tests.e2e.fake_fleet import HOUR, MINUTE, FakeUnit, Json
from tests.e2e.fake_history import condition, followed_by, maintenance, versions_of
from tests.e2e.test_unit_panel import open_unit

TERMS: Json = {
    "battery_low": {"enabled": True, "alert": "warning", "low_percent": 20, "low_volts": 2.7, "readings": 6},
    "door_open": {"enabled": True, "alert": "none", "open_seconds": 300},
    "frozen_value": {"enabled": True, "alert": "warning", "after_seconds": 43_200, "readings": 30},
    "sensor_fault": {"enabled": True, "alert": "critical", "marks": 3},
    "clock_wrong": {"enabled": True, "alert": "none", "rejections": 3, "within_seconds": 86_400, "quiet_seconds": 172_800},
}
CASES = [
    ("battery_low", {"percent": 12, "millivolts": 2_930}, "12 %, 2.93 V", "below 20 % or 2.7 V, 6 readings in a row"),
    ("door_open", {"known_ms": 330_000}, "Known to be open for 5 min 30 s", "open for longer than 5 min"),
    (
        "frozen_value",
        {"raw_temperature": 412, "readings": 31, "held_ms": 9},
        "4.12\u202f°C in 31 readings",
        "the same value for 12 h and 30 readings",
    ),
    ("sensor_fault", {"marks": 3, "reason": "probe_disconnected"}, "The probe says: probe disconnected", "3 faults in a row"),
    ("clock_wrong", {"count": 5}, "5 uplinks rejected", "3 uplinks with an impossible time within 24 h; over after 2 days without"),
    ("possible_excursion", {"band": "high", "run_started_at": 1}, "Possible excursion, high", "together reach what high asks for"),
    ("offline", None, "Offline", "nothing heard for 1 h"),
]


@pytest.mark.parametrize(("kind", "detail", "seen", "limit"), CASES)
def test_a_condition_says_what_since_when_and_by_what_limit(
    live_page: Page, api: FakeApi, kind: str, detail: Json | None, seen: str, limit: str
) -> None:
    unit = api.fleet.units[1]
    band = "high" if kind == "possible_excursion" else None
    api.history.terms = TERMS
    api.history.conditions[unit.id] = [{**condition(unit, kind, api.fleet.now - 2 * HOUR, None), "detail": detail, "band": band}]

    open_unit(live_page, unit.name)

    told = live_page.locator(".conditions-list li")
    expect(told).to_have_count(1)
    expect(told).to_contain_text("Since ")
    expect(told).to_contain_text("(2 h 0")
    expect(told).to_contain_text(seen)
    expect(told).to_contain_text(limit)
    expect(told).to_contain_text("Told as a warning")


def test_conditions_that_ended_are_kept_apart_with_why_they_ended(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[1]
    opened = {"alert": "none", "ended_by": "opened", "band": "high"}
    ended = condition(unit, "possible_excursion", api.fleet.now - 5 * HOUR, api.fleet.now - 4 * HOUR)
    api.history.conditions[unit.id] = [{**ended, **opened}]
    open_unit(live_page, unit.name)
    expect(live_page.locator('[data-part="condition-none"]')).to_be_visible()

    live_page.get_by_text("Ended in this time (1)").click()

    told = live_page.locator(".conditions-list li")
    expect(told).to_contain_text("ended as it became an excursion")
    expect(told).to_contain_text("Shown only; nobody is told")


def test_maintenance_is_shaded_and_has_a_lane_that_says_why(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[1]
    api.history.maintenance[unit.id] = [maintenance(unit, api.fleet.now - 6 * HOUR, api.fleet.now - 5 * HOUR, "new fan")]

    open_unit(live_page, unit.name)

    expect(live_page.locator('.chart[data-maintenance="1"]')).to_have_count(1)
    expect(live_page.locator(".legend").first).to_contain_text("Maintenance")
    live_page.locator('[data-lane="maintenance"] .bar').hover()
    expect(live_page.locator(".lane-told")).to_contain_text("(1 h 00 min). Ada Berg: “new fan”")


def suppressed(api: FakeApi, unit: FakeUnit, seconds: float) -> None:
    """Let some of the unit's excursion have been suppressed."""
    (excursion,) = api.fleet.excursions(unit)
    known = versions_of(excursion)
    api.history.versions[excursion["id"]] = followed_by(known, "correction", api.fleet.now - MINUTE, suppressed_seconds=seconds)


def test_suppressed_time_stands_in_the_figures_of_the_panel(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[4]
    suppressed(api, unit, 720.0)

    open_unit(live_page, unit.name)

    expect(live_page.locator(".chart-sum")).to_contain_text("suppressed 12\u00a0min\u00a000\u00a0s")
    expect(live_page.locator('[data-part="excursion-list"]')).to_contain_text("12 min 00 s suppressed")
