"""The panel of the chosen unit: its chart of readings, limits, excursions and unknown time."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import Json

COLOURS = """() => {
  const canvas = document.querySelector('.chart canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let red = 0;
  let grey = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [r, g, b, a] = data.slice(at, at + 4);
    if (a > 20 && a < 80 && r > 150 && g < 80) red += 1;
    if (a > 20 && Math.abs(r - g) < 30 && Math.abs(g - b) < 30 && b < 110) grey += 1;
  }
  return { red: red / (canvas.width * canvas.height), grey: grey / (canvas.width * canvas.height) };
}"""


def open_unit(page: Page, name: str) -> None:
    """Choose a unit by its tile and wait for its chart."""
    page.locator(".tile", has=page.get_by_text(name, exact=True)).click()
    page.wait_for_selector(".chart[data-points]")


def test_an_excursion_is_shaded_and_the_limits_are_drawn(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 2")

    chart = live_page.locator(".chart")
    expect(chart).to_have_attribute("data-shaded", "1")
    expect(chart).to_have_attribute("data-limits", "2")
    assert live_page.evaluate(COLOURS)["red"] > 0.01
    expect(live_page.locator(".legend")).to_contain_text("High 8.0\u202f°C, critical")
    expect(live_page.locator('[data-part="excursion-list"] li')).to_have_count(1)
    expect(live_page.locator('[data-part="excursion-list"]').get_by_text("high, critical")).to_be_visible()


def test_unknown_time_is_hatched_and_counted(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 10")

    chart = live_page.locator(".chart")
    expect(chart).to_have_attribute("data-unknown", "1")
    expect(chart).to_have_attribute("data-shaded", "0")
    assert live_page.evaluate(COLOURS)["grey"] > 0.005
    expect(live_page.locator(".legend")).to_contain_text("Unknown")
    expect(live_page.locator(".chart-sum")).to_contain_text("unknown 1 h")


def test_a_unit_never_silent_has_no_hatch(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 1")

    expect(live_page.locator(".chart")).to_have_attribute("data-unknown", "0")
    colours = live_page.evaluate(COLOURS)
    assert colours["red"] < 0.001
    assert colours["grey"] < 0.005
    expect(live_page.locator(".chart-sum")).to_contain_text("known 100 % of the time")


def test_a_long_range_is_a_band_of_lowest_and_highest(live_page: Page) -> None:
    open_unit(live_page, "Plasma freezer")
    expect(live_page.locator(".chart")).to_have_attribute("data-kind", "line")

    live_page.locator('input[value="30d"]').check(force=True)

    expect(live_page.locator(".chart")).to_have_attribute("data-kind", "band")
    expect(live_page.locator(".legend")).to_contain_text("Lowest to highest")
    expect(live_page.locator(".chart")).to_have_attribute("data-shaded", "1")


def test_the_value_under_the_pointer_is_told_with_the_time_at_the_site(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 1")
    over = live_page.locator(".chart .u-over").bounding_box()
    assert over is not None

    live_page.mouse.move(over["x"] + over["width"] / 2, over["y"] + 50)

    readout = live_page.locator(".readout")
    expect(readout).to_contain_text("°C")
    half_a_day_ago = datetime.now(ZoneInfo("Europe/Berlin")) - timedelta(hours=12)
    assert f", {half_a_day_ago:%H}:" in readout.inner_text() or f", {half_a_day_ago - timedelta(minutes=3):%H}:" in readout.inner_text()


def test_the_pointer_over_unknown_time_reads_unknown(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 10")
    over = live_page.locator(".chart .u-over").bounding_box()
    assert over is not None

    live_page.mouse.move(over["x"] + over["width"] * 15 / 24, over["y"] + 50)

    expect(live_page.locator(".readout")).to_contain_text("unknown")


def test_a_live_reading_goes_on_in_the_chart(live_page: Page, api: FakeApi) -> None:
    open_unit(live_page, "Vaccine fridge 1")

    api.push_reading(api.fleet.units[1], 7.77)

    expect(live_page.locator(".panel-temperature")).to_have_text("7.8\u00a0°C")
    expect(live_page.locator(".chart-sum")).to_contain_text("to 7.8\u202f°C")


def test_the_address_keeps_the_unit(browser_page: Page, api: FakeApi) -> None:
    browser_page.goto(f"{api.url}/#access_token={TOKEN}&unit=4")

    expect(browser_page.locator("#panel-title")).to_have_text("Plasma freezer")
    assert browser_page.url == f"{api.url}/#unit=4"

    browser_page.reload()
    expect(browser_page.locator("#panel-title")).to_have_text("Plasma freezer")


def test_arrow_keys_move_through_the_chart(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 1")
    live_page.locator(".chart").focus()

    live_page.keyboard.press("ArrowLeft")

    expect(live_page.locator(".readout")).to_contain_text("°C")


def test_every_kind_of_band_is_told_in_words_in_the_degrees_that_are_shown(live_page: Page, api: FakeApi) -> None:
    common = {"side": "high", "limit_celsius": 8.0, "inclusive": False, "severity": "critical"}
    exposure = {"name": "in all", "kind": "cumulative", "budget_seconds": 36_000, "window_seconds": None, "rearm_seconds": 0}
    mean = {"name": "mean", "kind": "mean", "window_seconds": 3_600, "min_known_fraction": 0.5}
    kinetic = {"name": "kinetic", "kind": "mkt", "window_seconds": 86_400, "min_known_fraction": 0.75, "recovery_margin_celsius": 0.5}
    bands = [{**common, **band} for band in (exposure, mean, kinetic)]
    api.answers["GET units/1/policy"] = {"unit": 1, "at": "2026-11-25T04:22:00.000Z", "policy": {"id": 1}, "bands": bands}

    open_unit(live_page, "Vaccine fridge 1")

    told = live_page.locator('[data-part="bands"] li')
    expect(told.nth(0)).to_contain_text("10 h in all above 8\u202f°C since the sensor came to the unit")
    expect(told.nth(1)).to_contain_text("Mean of each hour above 8\u202f°C")
    expect(told.nth(2)).to_contain_text("Mean kinetic temperature over 24 h above 8\u202f°C")
    expect(told.nth(2)).to_contain_text("judged if at least 75 % of it is known")
    expect(live_page.locator(".chart")).to_have_attribute("data-limits", "1")
    live_page.locator('input[value="fahrenheit"]').check(force=True)
    expect(told.nth(2)).to_contain_text("above 46.4\u202f°F")
    expect(told.nth(2)).to_contain_text("at 45.5\u202f°F or below")


def budget(band: str, used: int, unknown: int, used_up_at: str | None = None, side: str = "high") -> Json:
    """Return what is left of a budget of four hours, in minutes used and unknown."""
    left = 240 - used
    told = {"budget": 240, "used": used, "left": left, "left_at_worst": max(0, left - unknown), "unknown": unknown}
    seconds = {f"{name}_seconds": 60.0 * minutes for name, minutes in told.items()}
    return {"band": band, "side": side, "limit_celsius": 8.0, "window_seconds": 86_400.0, "used_up_at": used_up_at, **seconds}


def script_budgets(api: FakeApi, budgets: list[Json] | None, *names: str) -> None:
    """Let unit 1 have cumulative bands of these names, and its sensor these budgets."""
    common = {"kind": "cumulative", "limit_celsius": 8.0, "inclusive": False, "severity": "critical", "rearm_seconds": 0}
    window = {"side": "high", "budget_seconds": 14_400, "window_seconds": 86_400}
    bands = [{"name": name, **common, **window} for name in names]
    unit = api.fleet.units[1]
    api.answers["GET units/1/policy"] = {"unit": 1, "at": "2026-11-25T04:22:00.000Z", "policy": {"id": 1}, "bands": bands}
    api.answers["GET units/1"] = {**api.fleet.unit_json(unit), "sensors": [{**api.fleet.sensor_json(unit), "budgets": budgets}]}


def test_what_is_left_of_a_budget_is_told_and_drawn(live_page: Page, api: FakeApi) -> None:
    used_up_at = datetime.fromtimestamp(api.fleet.now // 1_000 + 192 * 60, ZoneInfo("Europe/Berlin"))
    budgets = [budget("warm", 48, 120, used_up_at.isoformat()), budget("cold", 60, 0, side="low"), budget("hot", 200, 300)]
    script_budgets(api, budgets, "warm", "cold", "hot", "open")

    open_unit(live_page, "Vaccine fridge 1")

    told = live_page.locator('[data-part="bands"] li')
    expect(told.nth(0)).to_contain_text("3 h 12 min left; 1 h 12 min if the 2 h unknown were warm. At this temperature used up at ")
    expect(told.nth(0)).to_contain_text(f"{used_up_at:%H:%M}.")
    expect(told.nth(1)).to_contain_text("3 h left.")
    expect(told.nth(2)).to_contain_text("40 min left; nothing if the 5 h unknown were warm.")
    expect(told.nth(3).locator(".budget")).to_have_count(0)
    bar = told.nth(0).locator(".budget-bar")
    expect(bar).to_have_attribute("aria-hidden", "true")
    used, unknown = (
        bar.evaluate(f"node => node.querySelector('{part}').getBoundingClientRect().width / node.clientWidth")
        for part in (".budget-used", ".budget-unknown")
    )
    assert (used, unknown) == (pytest.approx(0.2, abs=0.01), pytest.approx(0.5, abs=0.01))


def test_a_budget_changes_with_an_excursion_and_where_it_cannot_be_added_up_that_is_said(live_page: Page, api: FakeApi) -> None:
    script_budgets(api, [budget("warm", 230, 0)], "warm")
    open_unit(live_page, "Vaccine fridge 1")
    line = live_page.locator('[data-part="bands"] .budget')
    expect(line).to_have_text("10 min left.")

    unit = api.fleet.units[1]
    excursion = {**api.fleet.excursion(unit, 20, None), "category": "temperature"}
    script_budgets(api, [], "warm")
    api.push("alert:triggered", unit, excursion)
    expect(line).to_have_count(0)

    script_budgets(api, None, "warm")
    api.push("alert:resolved", unit, {**excursion, "version": 2, "closed_at": excursion["opened_at"]})
    expect(line).to_have_text("Too many readings to add up what is left.")


def test_a_unit_without_a_policy_says_that_nothing_counts(live_page: Page, api: FakeApi) -> None:
    api.answers["GET units/1/policy"] = {"unit": 1, "at": "2026-11-25T04:22:00.000Z", "policy": None, "bands": []}

    open_unit(live_page, "Vaccine fridge 1")

    expect(live_page.get_by_text("Nothing: the unit has no policy.")).to_be_visible()


def test_the_chart_has_words_for_those_who_cannot_see_it(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 2")

    label = live_page.locator(".chart").get_attribute("aria-label")
    assert label is not None
    assert label.startswith("Temperature of Vaccine fridge 2 over the last 24 hours: ")
    assert label.endswith("1 excursion.")
