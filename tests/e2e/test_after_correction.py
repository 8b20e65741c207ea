"""After a correction the page shows what the server says now, although it had newer readings, or the sensor elsewhere, before."""

from playwright.sync_api import Page, expect

from tests.e2e.fake_api import FakeApi
from tests.e2e.fake_fleet import HOUR, FakeUnit, Json, iso
from tests.e2e.test_corrections import fill
from tests.e2e.test_unit_panel import open_unit


def correct(page: Page, api: FakeApi, unit: FakeUnit) -> None:
    """Delete the last hour of a unit by its panel, whose form is open."""
    now = api.fleet.now
    kept: Json = {"kind": "delete", "sensor": unit.sensor, "unit": None, "from": iso(now - HOUR), "to": iso(now)}
    api.answers["POST corrections/preview"] = {"corrections": [kept], "readings": 12, "judged": 12, "changes": []}
    api.answers["POST corrections"] = (201, {"outcome": "created", "effective_at": None, "items": []})
    page.get_by_label("What was wrong").select_option("delete")
    fill(page, now - HOUR, now)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Confirm this correction").click()


def test_a_value_that_was_deleted_is_let_go_of_in_tile_panel_and_chart(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[1]
    open_unit(live_page, unit.name)
    live_page.get_by_role("button", name="Correct the past").click()
    api.push_reading(unit, 7.77)
    expect(live_page.locator(".panel-temperature")).to_have_text("7.8\u00a0°C")
    expect(live_page.locator(".chart-sum")).to_contain_text("to 7.8\u202f°C")

    correct(live_page, api, unit)

    expect(live_page.locator(".panel-temperature")).not_to_have_text("7.8\u00a0°C")
    expect(live_page.locator(".tile", has_text=unit.name).first).not_to_contain_text("7.8")
    expect(live_page.locator(".chart-sum")).not_to_contain_text("to 7.8\u202f°C")


def test_what_came_live_after_the_correction_is_newer_than_what_was_fetched_for_it(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[1]
    open_unit(live_page, unit.name)
    live_page.get_by_role("button", name="Correct the past").click()
    api.push_reading(unit, 7.77)
    expect(live_page.locator(".panel-temperature")).to_have_text("7.8\u00a0°C")
    correct(live_page, api, unit)
    expect(live_page.locator(".panel-temperature")).not_to_have_text("7.8\u00a0°C")

    api.push_reading(unit, 4.44)

    expect(live_page.locator(".panel-temperature")).to_have_text("4.4\u00a0°C")


def test_a_sensor_that_was_moved_no_longer_stands_at_its_old_unit(live_page: Page, api: FakeApi) -> None:
    moved, kept = api.fleet.units[1], api.fleet.units[2]
    open_unit(live_page, moved.name)
    live_page.get_by_role("button", name="Correct the past").click()
    told = [{**api.fleet.sensor_json(unit), "unit": kept.id if unit is moved else unit.id} for unit in api.fleet.units.values()]
    api.answers["GET sensors"] = {"items": told, "next": None}
    api.answers["GET units"] = {"items": [{**api.fleet.unit_json(unit), "latest": None} for unit in api.fleet.units.values()], "next": None}

    correct(live_page, api, moved)

    expect(live_page.locator(".panel-temperature")).to_have_text("\u2013")
    open_unit(live_page, kept.name)
    expect(live_page.locator('[data-part="probes"] button')).to_have_count(2)
