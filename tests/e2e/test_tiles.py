"""The tiles: by site, with state in word and icon, live, filtered, in either degrees, on any screen."""

import re

from playwright.sync_api import Page, Route, expect

from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import FakeFleet, FakeUnit, Script


def named(fleet: FakeFleet, name: str) -> FakeUnit:
    """Return the unit of a name."""
    return next(unit for unit in fleet.units.values() if unit.name == name)


def tile(unit: FakeUnit) -> str:
    """Return the selector of a unit's tile."""
    return f'.tile[data-unit="{unit.id}"]'


def test_tiles_stand_under_their_site_in_natural_order_of_names(live_page: Page) -> None:
    sites = live_page.locator(".site")

    expect(sites).to_have_count(2)
    assert sites.nth(0).locator(".tile-name").all_inner_texts() == [
        "Plasma freezer",
        "Vaccine fridge 1",
        "Vaccine fridge 2",
        "Vaccine fridge 10",
    ]
    expect(sites.nth(0).locator(".site-head")).to_contain_text("Europe/Berlin")
    expect(sites.nth(1).locator(".site-head")).to_contain_text("Asia/Tokyo")


def test_a_state_is_told_by_word_and_icon_beside_its_colour(live_page: Page, fleet: FakeFleet) -> None:
    told = {
        "Vaccine fridge 1": ("In range", "in_range"),
        "Vaccine fridge 2": ("Excursion", "excursion"),
        "Blood bank": ("Unknown", "unknown"),
        "Cold room": ("Offline", "offline"),
        "Sample fridge": ("Breaching", "breaching"),
        "Pharmacy fridge": ("Recovering", "recovering"),
    }

    for name, (word, icon) in told.items():
        shown = live_page.locator(tile(named(fleet, name)))
        expect(shown.locator(".tile-state")).to_have_text(word)
        expect(shown.locator("use").first).to_have_attribute("href", f"#icon-{icon}")


def test_a_live_reading_changes_its_tile(live_page: Page, api: FakeApi, fleet: FakeFleet) -> None:
    unit = named(fleet, "Vaccine fridge 1")

    api.push_reading(unit, 6.54)

    shown = live_page.locator(tile(unit))
    expect(shown.locator(".temperature")).to_have_text("6.5\u00a0°C")
    expect(shown.locator(".age")).to_have_text(re.compile(r"^(now|\d s ago)$"))


def test_a_reading_older_than_the_one_shown_changes_nothing(live_page: Page, api: FakeApi, fleet: FakeFleet) -> None:
    unit = named(fleet, "Vaccine fridge 1")
    api.push_reading(unit, 6.54)

    api.push_reading(unit, 1.23, at=fleet.now - 3_600_000)
    api.push_state(named(fleet, "Vaccine fridge 10"), "breaching")

    expect(live_page.locator(tile(named(fleet, "Vaccine fridge 10")))).to_have_attribute("data-state", "breaching")
    expect(live_page.locator(tile(unit)).locator(".temperature")).to_have_text("6.5\u00a0°C")


def test_a_change_of_state_changes_tile_and_counts(live_page: Page, api: FakeApi, fleet: FakeFleet) -> None:
    unit = named(fleet, "Vaccine fridge 1")

    api.push_state(unit, "breaching")

    expect(live_page.locator(tile(unit)).locator(".tile-state")).to_have_text("Breaching")
    expect(live_page.locator('.chip[data-state="breaching"] .chip-count')).to_have_text("2")


def test_a_value_that_ran_out_is_unknown_even_if_the_server_last_said_in_range(browser_page: Page, api: FakeApi, fleet: FakeFleet) -> None:
    quiet = fleet.add_unit(1, "Quiet fridge", (2.0, 8.0), Script.SILENT)

    def always_in_range(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        for item in body["items"]:
            item["state"] = "in_range"
        route.fulfill(response=response, json=body)

    browser_page.route(re.compile("/api/v1/(units|sensors)\\?"), always_in_range)
    browser_page.goto(f"{api.url}/#access_token={TOKEN}")

    shown = browser_page.locator(tile(quiet))
    expect(shown).to_have_attribute("data-state", "unknown")
    expect(shown).to_have_attribute("data-known", "no")
    expect(shown.locator(".age")).to_have_text(re.compile(r"^\d+ min old$"))


def test_worst_first_puts_the_excursion_in_front_and_is_remembered(live_page: Page) -> None:
    live_page.select_option("#order", "worst")

    expect(live_page.locator(".tile-name").first).to_have_text("Vaccine fridge 2")

    live_page.reload()
    expect(live_page.locator(".tile-name").first).to_have_text("Vaccine fridge 2")


def test_state_and_text_choose_the_units_shown(live_page: Page) -> None:
    live_page.click('.chip[data-state="in_range"]')
    expect(live_page.locator(".tile")).to_have_count(3)
    expect(live_page.locator('.chip[data-state="in_range"]')).to_have_attribute("aria-pressed", "true")

    live_page.fill("#search", "plasma")
    expect(live_page.locator(".tile-name")).to_have_text(["Plasma freezer"])

    live_page.fill("#search", "nothing of that name")
    expect(live_page.locator("#units-none")).to_contain_text("No unit matches")


def test_fahrenheit_is_shown_everywhere_and_remembered(live_page: Page, api: FakeApi, fleet: FakeFleet) -> None:
    unit = named(fleet, "Vaccine fridge 1")
    api.push_reading(unit, -10.0)
    expect(live_page.locator(tile(unit)).locator(".temperature")).to_have_text("\u221210.0\u00a0°C")

    live_page.locator('#degrees input[value="fahrenheit"]').check(force=True)

    expect(live_page.locator(tile(unit)).locator(".temperature")).to_have_text("14.0\u00a0°F")
    expect(live_page.locator("#open-list .excursion-peak").first).to_contain_text("above 46.4\u202f°F")
    live_page.reload()
    expect(live_page.locator(tile(unit)).locator(".temperature")).to_contain_text("°F")


def test_a_phone_has_nothing_to_scroll_sideways(browser_page: Page, api: FakeApi) -> None:
    browser_page.set_viewport_size({"width": 375, "height": 812})
    browser_page.goto(f"{api.url}/#access_token={TOKEN}")
    browser_page.wait_for_selector(".tile")

    assert browser_page.evaluate("document.documentElement.scrollWidth") == 375
    browser_page.locator(".tile").first.click()
    browser_page.wait_for_selector(".chart[data-points]")
    assert browser_page.evaluate("document.documentElement.scrollWidth") == 375
    assert browser_page.evaluate("document.querySelector('#panel').scrollWidth") <= 375


def test_arrow_keys_go_from_tile_to_tile_and_enter_opens_one(live_page: Page) -> None:
    live_page.locator(".tile").first.focus()
    live_page.keyboard.press("ArrowRight")
    assert live_page.evaluate("document.activeElement.querySelector('.tile-name').textContent") == "Vaccine fridge 1"

    live_page.keyboard.press("End")
    assert live_page.evaluate("document.activeElement.querySelector('.tile-name').textContent") == "Sample fridge"

    live_page.keyboard.press("Enter")
    expect(live_page.locator("#panel-title")).to_have_text("Sample fridge")
    expect(live_page.locator("#panel-title")).to_be_focused()

    live_page.keyboard.press("Escape")
    expect(live_page.locator("#panel")).to_be_hidden()
    assert live_page.evaluate("document.activeElement.querySelector('.tile-name').textContent") == "Sample fridge"


def test_of_thousands_of_units_only_those_in_view_are_in_the_document(browser_page: Page, api: FakeApi, fleet: FakeFleet) -> None:
    site = fleet.add_site("Warehouse", "UTC")
    for number in range(3_000):
        fleet.add_unit(site, f"Unit {number}", (2.0, 8.0))
    browser_page.goto(f"{api.url}/#access_token={TOKEN}")
    browser_page.wait_for_selector('#grid[data-units="3008"]')

    browser_page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")

    expect(browser_page.locator(".tile-name", has_text="Unit 2999")).to_be_visible()
    assert browser_page.locator(".tile").count() < 150
