"""The timeline of a unit's panel: lanes under the chart, limits as they were in force, and the ways through time."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.fake_api import FakeApi
from tests.e2e.fake_fleet import DAY, HOUR, MINUTE, FakeUnit, Json, iso
from tests.e2e.fake_history import condition, followed_by, versions_of
from tests.e2e.test_unit_panel import open_unit

UNDER_ITS_TIME = """(hours) => {
  const over = document.querySelector(".chart .u-over").getBoundingClientRect();
  const bar = document.querySelector(".bar[data-kind='closed']").getBoundingClientRect();
  const shown = [bar.left, bar.right].map((edge) => ((over.right - edge) / over.width) * 24);
  return shown.every((edge, place) => Math.abs(edge - hours[place]) < 0.15);
}"""


def unit_of(api: FakeApi, name: str) -> FakeUnit:
    """Return the unit of a name."""
    return next(unit for unit in api.fleet.units.values() if unit.name == name)


def lane(page: Page, title: str) -> Locator:
    """Return a lane by its title."""
    return page.locator(".lane", has=page.get_by_text(title, exact=True))


def bands(api: FakeApi, unit: FakeUnit, high: float) -> list[Json]:
    """Return the unit's bands with another upper limit."""
    return [{**band, "limit_celsius": high if band["side"] == "high" else unit.low} for band in api.fleet.bands(unit)]


def record_voided(api: FakeApi, unit: FakeUnit) -> str:
    """Put an excursion on record that stood from 15 to 14 hours ago and was voided 10 hours ago; return its id."""
    excursion = api.fleet.excursion(unit, 15 * 60, 14 * 60)
    versions = followed_by(versions_of(excursion), "void", api.fleet.now - 10 * HOUR, superseded_by=None)
    api.history.versions[excursion["id"]] = versions
    return str(excursion["id"])


def test_an_excursion_is_a_bar_in_the_lane_of_its_band_and_tells_its_figures(live_page: Page, api: FakeApi) -> None:
    unit = unit_of(api, "Vaccine fridge 2")
    (excursion,) = api.fleet.excursions(unit)
    api.history.versions[excursion["id"]] = [{**versions_of(excursion)[0], "exposure_seconds": 4_200.0, "unknown_seconds": 300.0}]
    open_unit(live_page, unit.name)

    bar = lane(live_page, "high").locator(".bar")
    expect(bar).to_have_count(1)
    expect(bar).to_have_attribute("data-kind", "open")
    bar.hover()
    told = live_page.locator(".lane-told")
    expect(told).to_contain_text("high, critical, open: since ")
    expect(told).to_contain_text("1 h 10 min out of range, 5 min 00 s unknown")
    expect(told).to_contain_text("°C·min above 8\u202f°C")
    expect(lane(live_page, "low").locator(".bar")).to_have_count(0)


def test_a_bar_stands_under_its_time_in_the_chart(live_page: Page) -> None:
    open_unit(live_page, "Plasma freezer")
    bar = lane(live_page, "high").locator(".bar")
    expect(bar).to_have_attribute("data-kind", "closed")

    live_page.wait_for_function(UNDER_ITS_TIME, arg=[350 / 60, 250 / 60])


def test_a_voided_excursion_stays_to_be_seen_dimmed_and_says_so(live_page: Page, api: FakeApi) -> None:
    unit = unit_of(api, "Vaccine fridge 1")
    record_voided(api, unit)
    open_unit(live_page, unit.name)

    bar = lane(live_page, "high").locator(".bar")
    expect(bar).to_have_attribute("data-kind", "voided")
    bar.focus()
    expect(live_page.locator(".lane-told")).to_contain_text("voided, no longer believed")
    expect(live_page.locator(".legend")).to_contain_text("Voided")
    expect(live_page.locator('[data-part="excursion-count"]')).to_have_text("0")
    expect(live_page.locator(".chart")).to_have_attribute("data-shaded", "0")


def test_conditions_have_a_lane_for_each_kind_and_unknown_time_has_one(live_page: Page, api: FakeApi) -> None:
    unit = unit_of(api, "Vaccine fridge 10")
    now = api.fleet.now
    begun = {
        "offline": (now - 9 * HOUR, now - 8 * HOUR),
        "possible_excursion": (now - 9 * HOUR, now - 8 * HOUR),
        "sun_spots": (now - HOUR, None),
    }
    api.history.conditions[unit.id] = [condition(unit, kind, start, end) for kind, (start, end) in begun.items()]
    open_unit(live_page, unit.name)

    titles = live_page.locator(".lane-title")
    expect(titles).to_have_text(["high", "low", "Unknown", "Offline", "Possible excursion", "Sun spots"])
    expect(lane(live_page, "Sun spots").locator(".bar")).to_have_attribute("data-open", "yes")
    lane(live_page, "Unknown").locator(".bar").hover()
    expect(live_page.locator(".lane-told")).to_contain_text("No reading came.")
    lane(live_page, "Offline").locator(".bar").hover()
    expect(live_page.locator(".lane-told")).to_contain_text("Offline: ")


def test_a_unit_out_of_range_whose_hold_has_not_passed_has_a_lane_that_says_so(live_page: Page) -> None:
    open_unit(live_page, "Sample fridge")

    bar = lane(live_page, "Out of range, not yet an excursion").locator(".bar")
    bar.hover()

    expect(live_page.locator(".lane-told")).to_contain_text("not yet an excursion, its hold has not passed")


def test_arrow_keys_go_from_bar_to_bar_and_a_bar_of_unknown_time_shows_its_stretch(live_page: Page, api: FakeApi) -> None:
    unit = unit_of(api, "Vaccine fridge 2")
    record_voided(api, unit)
    open_unit(live_page, unit.name)
    expect(live_page.locator(".bar")).to_have_count(3)
    expect(live_page.locator('.bar[tabindex="0"]')).to_have_count(1)
    live_page.locator('.bar[data-kind="voided"]').focus()

    live_page.keyboard.press("ArrowRight")
    expect(live_page.locator(".lane-told")).to_contain_text("high, critical, open")
    live_page.keyboard.press("ArrowDown")
    expect(live_page.locator(".lane-told")).to_contain_text("Unknown: ")

    live_page.keyboard.press("Enter")
    expect(live_page.locator(".readout")).not_to_have_text("The last 24 hours")
    expect(live_page.locator(".chart-sum")).to_contain_text("unknown 1 h")


def test_limits_are_drawn_as_they_were_in_force(live_page: Page, api: FakeApi) -> None:
    unit = unit_of(api, "Vaccine fridge 1")
    now = api.fleet.now
    api.history.policies[unit.id] = [(now - 60 * DAY, bands(api, unit, 7.0)), (now - 12 * HOUR, bands(api, unit, 8.0))]
    open_unit(live_page, unit.name)

    expect(live_page.locator(".chart")).to_have_attribute("data-limits", "3")
    for limit in ("High 7.0", "High 8.0", "Low 2.0"):
        expect(live_page.locator(".legend")).to_contain_text(f"{limit}\u202f°C, critical")
    expect(live_page.locator('[data-part="bands"]')).to_contain_text("Above 8\u202f°C")
    expect(live_page.locator('[data-part="bands"]')).not_to_contain_text("Above 7\u202f°C")

    live_page.locator('input[value="1h"]').check(force=True)
    expect(live_page.locator(".chart")).to_have_attribute("data-limits", "2")


def test_the_ways_through_time_lead_back_and_forth(live_page: Page) -> None:
    open_unit(live_page, "Plasma freezer")
    readout, later = live_page.locator(".readout"), live_page.get_by_role("button", name="Later")
    expect(later).to_be_disabled()
    live_page.locator('input[value="1h"]').check(force=True)
    expect(readout).to_have_text("The last hour")

    for _ in range(4):
        live_page.get_by_role("button", name="Earlier").click()
    expect(readout).to_contain_text(" to ")
    expect(lane(live_page, "high").locator(".bar")).to_have_count(1)
    expect(live_page.locator('[data-part="excursion-count"]')).to_have_text("1")

    for _ in range(4):
        later.click()
    expect(readout).to_have_text("The last hour")
    expect(live_page.locator(".lane .bar")).to_have_count(0)


def test_a_stretch_that_is_dragged_over_is_shown_larger_and_a_double_click_goes_back(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 1")
    over = live_page.locator(".chart .u-over").bounding_box()
    assert over is not None
    y = over["y"] + 60

    live_page.mouse.move(over["x"] + over["width"] * 0.25, y)
    live_page.mouse.down()
    live_page.mouse.move(over["x"] + over["width"] * 0.5, y, steps=5)
    live_page.mouse.up()

    readout = live_page.locator(".readout")
    live_page.mouse.move(5, 5)
    expect(readout).to_contain_text(" to ")
    expect(live_page.locator('input[name="range"]:checked')).to_have_count(0)
    expect(live_page.locator(".chart")).to_have_attribute("data-points", re.compile("^7[0-9]$"))

    live_page.mouse.dblclick(over["x"] + 100, y)
    live_page.mouse.move(5, 5)
    expect(readout).to_have_text("The last 24 hours")


def test_keys_zoom_and_move_the_chart(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 1")
    live_page.locator(".chart").focus()
    readout = live_page.locator(".readout")

    live_page.keyboard.press("+")
    expect(readout).to_have_text("The last 12 h")
    live_page.keyboard.press("PageUp")
    expect(readout).to_contain_text(" to ")
    live_page.keyboard.press("End")
    expect(readout).to_have_text("The last 12 h")
    live_page.keyboard.press("-")
    expect(readout).to_have_text("The last 24 hours")


def test_a_live_reading_goes_on_behind_buckets_too(live_page: Page, api: FakeApi) -> None:
    open_unit(live_page, "Vaccine fridge 1")
    live_page.locator('input[value="30d"]').check(force=True)
    expect(live_page.locator(".chart")).to_have_attribute("data-kind", "band")

    api.push_reading(unit_of(api, "Vaccine fridge 1"), 7.77)

    expect(live_page.locator(".chart-sum")).to_contain_text("to 7.8\u202f°C")


def test_a_stretch_without_readings_says_where_the_newest_is_and_leads_there(live_page: Page) -> None:
    open_unit(live_page, "Cold room")
    live_page.locator('input[value="1h"]').check(force=True)
    note = live_page.locator(".chart-note")
    expect(note).to_contain_text("No readings in the last hour. The newest was measured ")

    note.get_by_role("button", name="Go to the newest").click()

    expect(note).to_be_empty()
    expect(live_page.locator(".chart-sum")).to_contain_text("°C")


def test_a_timeline_that_cannot_be_loaded_says_so_and_can_be_asked_for_again(live_page: Page, api: FakeApi) -> None:
    failure = {"error": {"code": "query_too_long", "message": "The question took too long. Ask for a shorter stretch."}}
    api.answers["GET readings"] = (503, failure)
    live_page.locator(".tile", has=live_page.get_by_text("Vaccine fridge 1", exact=True)).click()
    note = live_page.locator(".chart-note")
    expect(note).to_contain_text("The timeline could not be loaded. The question took too long. Ask for a shorter stretch.")

    del api.answers["GET readings"]
    note.get_by_role("button", name="Try again").click()

    expect(live_page.locator(".chart")).to_have_attribute("data-kind", "line")
    expect(note).to_be_empty()


def test_offline_as_of_an_alert_is_fetched_at_once(live_page: Page, api: FakeApi) -> None:
    unit = unit_of(api, "Vaccine fridge 1")
    open_unit(live_page, unit.name)
    expect(live_page.locator(".lane")).to_have_count(2)
    began = api.fleet.now - 20 * MINUTE
    api.history.conditions[unit.id] = [condition(unit, "offline", began, None)]

    told = {"id": "o", "version": 1, "category": "offline", "severity": "warning", "started_at": iso(began), "opened_at": iso(began)}
    api.push("alert:triggered", unit, told)

    expect(lane(live_page, "Offline").locator(".bar")).to_have_attribute("data-open", "yes")
