"""Maintenance from a unit's panel: what holds and is planned, declared with a preview and a reason, ended and revoked."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.fake_api import FakeApi
from tests.e2e.fake_fleet import DAY, HOUR, MINUTE, FakeUnit, Json, iso
from tests.e2e.fake_history import maintenance
from tests.e2e.test_unit_panel import open_unit

BERLIN = ZoneInfo("Europe/Berlin")
NOTHING: Json = {"units": [1], "from": None, "to": None, "judged": 0, "changes": []}


@pytest.fixture
def unit(api: FakeApi) -> FakeUnit:
    """The freezer that was too warm from 350 to 250 minutes ago."""
    return api.fleet.units[4]


def wall(at: int) -> str:
    """Return an instant as a field in Berlin has it."""
    return f"{datetime.fromtimestamp(at / 1000, BERLIN):%Y-%m-%dT%H:%M:%S}"


def declare(page: Page, unit: FakeUnit) -> Locator:
    """Open a unit's form of a declaration, with a reason; return it."""
    open_unit(page, unit.name)
    page.get_by_role("button", name="Declare maintenance").click()
    form = page.get_by_role("group", name="Declare maintenance of")
    form.get_by_label("Why (required)").fill("new fan")
    return form


def listed(page: Page) -> Locator:
    """Return the windows that are listed."""
    return page.locator('[data-part="maintenance-list"] li')


def test_what_holds_is_planned_and_was_is_listed_and_planned_time_is_not_in_the_chart(
    live_page: Page, api: FakeApi, unit: FakeUnit
) -> None:
    now = api.fleet.now
    held = maintenance(unit, now - HOUR, now + HOUR, "new fan")
    past = {**maintenance(unit, now - 9 * HOUR, now - 8 * HOUR, "cleaning"), "ended_at": iso(now - 8 * HOUR), "ended_by": "Ben"}
    api.history.maintenance[unit.id] = [held, past, maintenance(unit, now + DAY, now + DAY + HOUR, "inspection")]

    open_unit(live_page, unit.name)

    expect(listed(live_page)).to_have_count(3)
    expect(listed(live_page).nth(0)).to_contain_text("Planned")
    expect(listed(live_page).nth(1)).to_contain_text("Now")
    expect(listed(live_page).nth(1)).to_contain_text("Ada Berg: “new fan”")
    expect(listed(live_page).nth(2)).to_contain_text("ended sooner, Ben")
    expect(live_page.locator(".chart")).to_have_attribute("data-maintenance", "2")
    expect(listed(live_page).nth(2).get_by_role("button")).to_have_text(["Show", "Revoke"])


def test_maintenance_of_the_past_says_whose_alarm_is_told_no_more_before_it_is_declared(
    live_page: Page, api: FakeApi, unit: FakeUnit
) -> None:
    now = api.fleet.now
    change = {
        "outcome": "suppressed",
        "sensor": unit.sensor,
        "unit": unit.id,
        "band": "high",
        "started_at": iso(now - 350 * MINUTE),
        "ended_at": iso(now - 250 * MINUTE),
        "opened_before": iso(now - 335 * MINUTE),
        "opened_after": None,
        "peak_celsius": -8.5,
        "exposure_seconds": 6_000.0,
    }
    api.answers[f"POST units/{unit.id}/maintenance/preview"] = {**NOTHING, "judged": 580, "changes": [change]}
    window = maintenance(unit, now - 6 * HOUR, now - 4 * HOUR, "new fan")
    answer = {"outcome": "created", "judged_again_at": iso(now + 8_000), "items": [window]}
    api.answers[f"POST units/{unit.id}/maintenance"] = (201, answer)
    form = declare(live_page, unit)
    form.get_by_label("From", exact=True).fill(wall(now - 6 * HOUR))
    form.get_by_label("To", exact=True).fill(wall(now - 4 * HOUR))

    form.get_by_role("button", name="Preview").click()

    expect(form.locator(".preview-sum")).to_have_text("1 excursion would be told no more. 580 rows were judged for this.")
    expect(form.locator(".preview-group li")).to_contain_text("then held back")
    order = {"from": iso((now - 6 * HOUR) // 1000 * 1000), "to": iso((now - 4 * HOUR) // 1000 * 1000)}
    assert api.sent == [(f"POST units/{unit.id}/maintenance/preview", order)]
    api.history.maintenance[unit.id] = [window]
    form.get_by_role("button", name="Confirm").click()
    expect(live_page.locator('[data-part="maintenance-said"]')).to_contain_text("Declared: ")
    expect(live_page.locator('[data-part="maintenance-said"]')).to_contain_text("is judged again at")
    expect(listed(live_page)).to_have_count(1)
    assert api.sent[-1] == (f"POST units/{unit.id}/maintenance", {**order, "comment": "new fan"})
    expect(live_page.get_by_role("button", name="Declare maintenance")).to_be_visible()


def test_from_now_on_needs_no_beginning_and_a_changed_field_takes_the_preview_back(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    api.answers[f"POST units/{unit.id}/maintenance/preview"] = NOTHING
    form = declare(live_page, unit)
    form.get_by_role("button", name="Preview").click()
    expect(form.locator(".preview-sum")).to_have_text("No alarm of the past would be told otherwise.")
    assert list(api.sent[0][1]) == ["to"]

    form.get_by_label("To", exact=True).fill(wall(api.fleet.now + DAY))

    expect(form.get_by_role("button", name="Confirm")).to_be_hidden()


@pytest.mark.parametrize("way", ["End", "Revoke"])
def test_what_holds_is_ended_or_revoked_with_a_reason(live_page: Page, api: FakeApi, unit: FakeUnit, way: str) -> None:
    now = api.fleet.now
    window = maintenance(unit, now - HOUR, now + HOUR, "new fan")
    api.history.maintenance[unit.id] = [window]
    path = f"POST maintenance/{window['id']}/{way.lower()}"
    api.answers[f"{path}/preview"] = NOTHING
    api.answers[path] = {"outcome": "changed", "judged_again_at": None, "items": [{**window, "to": iso(now + 8_000)}]}
    open_unit(live_page, unit.name)
    listed(live_page).get_by_role("button", name=way).click()
    form = live_page.get_by_role("group", name="this maintenance")
    form.get_by_role("button", name="Preview").click()
    expect(form.locator(".correct-error").last).to_contain_text("Say why")
    assert api.sent == []

    form.get_by_label("Why (required)").fill("done sooner")
    form.get_by_role("button", name="Preview").click()
    form.get_by_role("button", name="Confirm").click()

    expect(live_page.locator('[data-part="maintenance-said"]')).to_contain_text("It ends at" if way == "End" else "Revoked.")
    assert api.sent == [(f"{path}/preview", {}), (path, {"comment": "done sooner"})]


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("busy", "busy", "Another preview or change is under way"),
        ("too_much", "more", "This touches more than can be previewed at once"),
    ],
)
def test_a_refusal_says_what_to_do(live_page: Page, api: FakeApi, unit: FakeUnit, code: str, message: str, said: str) -> None:
    status = 503 if code == "busy" else 409
    api.answers[f"POST units/{unit.id}/maintenance/preview"] = (status, {"error": {"code": code, "message": message}})
    form = declare(live_page, unit)

    form.get_by_role("button", name="Preview").click()

    expect(form.locator(".correct-said")).to_contain_text(said)
    expect(form.get_by_role("button", name="Confirm without a preview")).to_have_count(1 if code == "too_much" else 0)
    expect(form.get_by_label("Why (required)")).to_have_value("new fan")


def test_a_refused_field_says_it_beside_itself(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    refused = {"error": {"code": "bad_request", "message": "to: must come after from"}}
    api.answers[f"POST units/{unit.id}/maintenance/preview"] = (400, refused)
    form = declare(live_page, unit)

    form.get_by_role("button", name="Preview").click()

    expect(form.locator("#maintain-to-error")).to_have_text("Must come after from.")
    expect(form.get_by_label("To", exact=True)).to_be_focused()


def test_one_who_may_only_read_sees_windows_and_can_press_nothing(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    api.answers["GET teams"] = {"items": [{"id": "t", "name": "N", "organization": 1, "may_manage": False}], "next": None}
    api.history.maintenance[unit.id] = [maintenance(unit, api.fleet.now - HOUR, api.fleet.now + HOUR, "new fan")]

    open_unit(live_page, unit.name)

    expect(listed(live_page).get_by_role("button")).to_have_text(["Show"])
    expect(live_page.get_by_role("button", name="Declare maintenance")).to_be_hidden()


def test_escape_closes_the_form_and_leaves_the_panel_open(live_page: Page, unit: FakeUnit) -> None:
    declare(live_page, unit)

    live_page.keyboard.press("Escape")

    expect(live_page.get_by_role("group", name="Declare maintenance of")).to_have_count(0)
    expect(live_page.get_by_role("button", name="Declare maintenance")).to_be_focused()
    expect(live_page.locator("#panel-title")).to_have_text(unit.name)
