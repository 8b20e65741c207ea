"""The set-up page: forms that lose nothing, questions before what cannot be undone, and nothing to press for those who may only read."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fake_api import TOKEN, FakeApi

Open = Callable[[str], Page]
SITE: Final = {"id": 1, "organization": 1, "name": "Clinic Berlin", "time_zone": "Europe/Berlin", "units": 4, "archived_at": None}
EFFECTIVE_AT: Final = "2026-11-25T19:03:05.000Z"


@pytest.fixture
def open_setup(browser_page: Page, api: FakeApi) -> Open:
    """Open a place of the set-up page, signed in."""

    def open_at(place: str) -> Page:
        browser_page.goto(f"{api.url}/setup#access_token={TOKEN}&{place}")
        browser_page.wait_for_selector('body[data-view="setup"]')
        return browser_page

    return open_at


def refusal(status: int, code: str, message: str) -> tuple[int, dict[str, Any]]:
    """Return an answer that refuses."""
    return status, {"error": {"code": code, "message": message}}


def changed(item: dict[str, Any], effective_at: str | None = None, outcome: str = "created") -> dict[str, Any]:
    """Return an answer to a change."""
    return {"outcome": outcome, "effective_at": effective_at, "item": item}


def registration(**fields: object) -> dict[str, Any]:
    """Return a sensor as the registry tells of it."""
    device = {"id": 4, "dev_eui": "A84041000181C061", "name": "", "brand_id": "", "model_id": ""}
    terms = {"expected_interval_seconds": 900.0, "max_gap_seconds": 2700.0, "offline_after_seconds": 2700.0, "calibration_celsius": 0.0}
    assignment = {"id": 9, "unit": 1, "unit_name": "Vaccine fridge 1", "site": 1, "valid_from": EFFECTIVE_AT, "valid_to": None}
    whole = {
        "id": 5,
        "organization": 1,
        "probe": "main",
        "archived_at": None,
        "device": device,
        "assignments": [assignment],
        "configurations": [{"id": 8, "effective_at": EFFECTIVE_AT, **terms}],
    }
    return {**whole, **fields}


def test_one_who_is_not_signed_in_is_shown_the_way_in(browser_page: Page, api: FakeApi) -> None:
    browser_page.goto(f"{api.url}/setup")

    expect(browser_page.locator("#doorway-title")).to_be_focused()
    expect(browser_page.locator("#doorway-link")).to_be_visible()
    address = browser_page.locator("#doorway-link").get_attribute("href")
    assert parse_qs(urlsplit(address or "").query) == {"return_to": [f"{api.url}/setup"]}


def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(open_setup: Open, api: FakeApi) -> None:
    page = open_setup("part=sensors&new=1")
    api.answers["POST sensors"] = refusal(400, "bad_request", "dev_eui: has 15 hexadecimal digits instead of 16")
    page.get_by_label("Device EUI").fill("a8-40-41-00-01-81-c0-6")
    page.get_by_label("Unit it watches").fill("vaccine fridge 1, clinic berlin")
    page.get_by_label("Reports every optional").fill("10")

    page.get_by_role("button", name="Register").click()

    expect(page.locator('[data-field="dev_eui"] .field-error')).to_have_text("Has 15 hexadecimal digits instead of 16.")
    expect(page.get_by_label("Device EUI")).to_be_focused()
    expect(page.get_by_label("Device EUI")).to_have_value("a8-40-41-00-01-81-c0-6")
    expect(page.get_by_label("Reports every optional")).to_have_value("10")
    assert api.sent == [
        ("POST sensors", {"organization": 1, "dev_eui": "a8-40-41-00-01-81-c0-6", "unit": 1, "expected_interval_seconds": 600})
    ]


def test_a_registered_sensor_says_when_it_takes_effect(open_setup: Open, api: FakeApi) -> None:
    page = open_setup("part=sensors&new=1&dev_eui=A84041000181C061")
    api.answers["POST sensors"] = (201, changed(registration(), EFFECTIVE_AT))
    api.answers["GET sensors/5/registration"] = registration()

    page.get_by_role("button", name="Register").click()

    expect(page.locator(".said")).to_contain_text("14:03:05", timeout=5_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("A8-40-41-00-01-81-C0-61")


def test_what_follows_from_an_interval_is_said_while_it_is_typed(open_setup: Open) -> None:
    page = open_setup("part=sensors&new=1")
    expect(page.locator('[data-field="offline_after_seconds"] .hint')).to_contain_text("45 min")

    page.get_by_label("Reports every optional").fill("2")

    expect(page.locator('[data-field="max_gap_seconds"] .hint')).to_contain_text("6 min")
    expect(page.locator('[data-field="offline_after_seconds"] .hint')).to_contain_text("10 min")


def test_archiving_asks_once_and_no_means_no(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET sites/1"] = SITE
    api.answers["POST sites/1/archive"] = refusal(409, "in_use", "4 units of the site are not archived: archive them first.")
    page = open_setup("part=sites&id=1")

    page.get_by_role("button", name="Archive this site").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its 4 units must be archived first")
    page.get_by_role("button", name="Cancel").click()
    assert api.sent == []
    page.get_by_role("button", name="Archive this site").click()
    page.get_by_role("button", name="Archive it").click()

    expect(page.locator(".action .form-error")).to_have_text("4 units of the site are not archived: archive them first.")
    assert api.sent == [("POST sites/1/archive", {})]


def test_one_who_may_only_read_sees_everything_and_can_press_nothing(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET teams"] = {"items": [{"id": "team-1", "name": "Northern", "organization": 1, "may_manage": False}], "next": None}
    api.answers["GET sites/1"] = SITE

    page = open_setup("part=sites&id=1")

    expect(page.locator(".read-only")).to_contain_text("coldstream:manage")
    expect(page.get_by_label("Name")).to_have_value("Clinic Berlin")
    expect(page.get_by_label("Name")).to_be_disabled()
    expect(page.locator("#part button")).to_have_count(0)


def test_a_part_that_could_not_be_fetched_comes_by_itself_once_the_server_answers(open_setup: Open, api: FakeApi) -> None:
    page = open_setup("part=units")
    api.answers["GET sites/1"] = refusal(503, "database_unavailable", "The database does not answer right now: try again.")

    page.evaluate("location.hash = '#part=sites&id=1'")
    expect(page.get_by_role("alert")).to_contain_text("The database does not answer right now")
    api.answers["GET sites/1"] = SITE

    expect(page.get_by_role("heading", level=1)).to_have_text("Clinic Berlin", timeout=15_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_a_secret_is_shown_once(open_setup: Open, api: FakeApi) -> None:
    secret = {"id": 1, "organization": 1, "application": "acme-cold", "created_at": EFFECTIVE_AT, "revoked_at": None}
    api.answers["GET secrets"] = {"items": [], "next": None}
    api.answers["POST secrets"] = (201, changed({**secret, "secret": "a-secret-of-the-test"}))
    page = open_setup("part=secrets")
    api.answers["GET secrets"] = {"items": [secret], "next": None}

    page.get_by_label("Application").fill("acme-cold")
    page.get_by_role("button", name="Make a secret").click()

    expect(page.locator(".copy-text")).to_have_text("a-secret-of-the-test")
    expect(page.get_by_role("table", name="Valid secrets")).to_contain_text("acme-cold")
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text("a-secret-of-the-test")).to_have_count(0)


def test_a_secret_that_may_have_been_made_unseen_is_to_be_looked_for(open_setup: Open, api: FakeApi) -> None:
    secret = {"id": 7, "organization": 1, "application": "acme-cold", "created_at": EFFECTIVE_AT, "revoked_at": None}
    api.answers["GET secrets"] = {"items": [], "next": None}
    api.answers["POST secrets"] = refusal(503, "database_unavailable", "The database does not answer right now: try again.")
    page = open_setup("part=secrets")
    api.answers["GET secrets"] = {"items": [secret], "next": None}

    page.get_by_label("Application").fill("acme-cold")
    page.get_by_role("button", name="Make a secret").click()

    expect(page.get_by_role("alert").filter(has_text="revoke the newest one")).to_be_visible()
    expect(page.get_by_role("table", name="Valid secrets")).to_contain_text("No. 7")


def test_a_preset_names_its_source_and_is_sent_as_it_was_edited(open_setup: Open, api: FakeApi) -> None:
    heat = {"name": "heat", "side": "high", "limit_celsius": 8, "severity": "critical", "hold_seconds": 36_000, "min_samples": 2}
    preset = {"id": "vaccine", "name": "Vaccines", "summary": "2 to 8 °C", "sources": ["WHO PQS, 30-day recorders"]}
    document = {"bands": [heat, {**heat, "name": "cold", "side": "low", "limit_celsius": 2}]}
    api.answers["GET policy-presets"] = {"items": [{**preset, "document": document}], "next": None}
    api.answers["POST policies"] = refusal(400, "bad_request", "document: bands[1].hold_seconds: must not be negative")
    page = open_setup("part=policies&new=1")

    page.get_by_text("Vaccines").click()
    expect(page.get_by_text("WHO PQS, 30-day recorders")).to_be_visible()
    page.locator(".band").nth(0).get_by_label("Limit in °C").fill("7,5")
    page.get_by_role("button", name="Make the policy").click()

    expect(page.locator(".band").nth(1).locator('[data-field="hold_seconds"] .field-error')).to_have_text("Must not be negative.")
    sent = api.sent[0][1]["document"]["bands"]
    assert sent == [{**heat, "limit_celsius": 7.5}, {**heat, "name": "cold", "side": "low", "limit_celsius": 2}]


def test_bands_of_every_kind_have_their_fields_and_are_sent_as_they_were_edited(open_setup: Open, api: FakeApi) -> None:
    base = {"side": "high", "limit_celsius": 8, "severity": "critical"}
    shipment = {**base, "name": "in all", "kind": "cumulative", "budget_seconds": 36_000, "window_seconds": None, "inclusive": True}
    kinetic = {**base, "name": "kinetic", "kind": "mkt", "window_seconds": 86_400}
    preset = {"id": "all", "name": "All kinds", "summary": "", "sources": ["USP"], "document": {"bands": [shipment, kinetic, kinetic]}}
    api.answers["GET policy-presets"] = {"items": [preset], "next": None}
    api.answers["POST policies"] = refusal(400, "bad_request", "document: bands[0].budget_seconds: must be more than 0")
    page = open_setup("part=policies&new=1&preset=all")

    page.locator(".band").nth(0).get_by_label("In all", exact=False).first.fill("20")
    expect(page.locator(".band").nth(1).locator('[data-field="side"]')).to_have_count(0)
    page.locator(".band").nth(2).get_by_label("Judged by").select_option("mean")
    page.locator(".band").nth(2).get_by_label("Band").fill("mean")
    page.locator(".band").nth(2).get_by_label("Share that must be known").fill("0,75")
    page.get_by_role("button", name="Make the policy").click()

    expect(page.locator(".band").nth(0).locator('[data-field="budget_seconds"] .field-error')).to_have_text("Must be more than 0.")
    assert api.sent[0][1]["document"]["bands"] == [
        {**shipment, "budget_seconds": 72_000},
        kinetic,
        {**base, "name": "mean", "kind": "mean", "window_seconds": 86_400, "min_known_fraction": 0.75},
    ]


def test_an_operational_band_keeps_what_suppresses_it_and_one_for_compliance_has_nothing(open_setup: Open, api: FakeApi) -> None:
    suppress = {"defrost": True, "door": True, "door_grace_seconds": 600}
    warm = {
        "name": "warm",
        "side": "high",
        "limit_celsius": 8,
        "severity": "critical",
        "hold_seconds": 900,
        "min_samples": 2,
        "role": "operational",
        "suppress": suppress,
    }
    preset = {"id": "one", "name": "One", "summary": "", "sources": ["Ours"], "document": {"bands": [warm, {**warm, "name": "heat"}]}}
    api.answers["GET policy-presets"] = {"items": [preset], "next": None}
    api.answers["POST policies"] = refusal(400, "bad_request", "document: bands[0].role: must be one of compliance, operational")
    page = open_setup("part=policies&new=1&preset=one")

    page.locator(".band").nth(0).get_by_label("Limit in °C").fill("9")
    page.locator(".band").nth(1).get_by_label("For", exact=True).select_option("compliance")
    page.get_by_role("button", name="Make the policy").click()

    expect(page.locator(".band").nth(0).locator('[data-field="role"] .field-error')).to_be_visible()
    plain = {field: value for field, value in warm.items() if field not in ("role", "suppress")}
    assert api.sent[0][1]["document"]["bands"] == [{**warm, "limit_celsius": 9}, {**plain, "name": "heat"}]


def test_a_policy_says_in_words_what_is_an_excursion_and_what_ends_it(open_setup: Open, api: FakeApi) -> None:
    exposure = {
        "name": "exposure",
        "kind": "cumulative",
        "side": "high",
        "limit_celsius": 5,
        "budget_seconds": 14_400,
        "window_seconds": 86_400,
    }
    freeze = {"name": "freeze", "side": "low", "limit_celsius": -0.5, "inclusive": True, "hold_seconds": 3_600, "min_samples": 2}
    freeze |= {"role": "operational", "suppress": {"maintenance": True}}
    version = {"id": 7, "version": 1, "created_at": EFFECTIVE_AT, "document": {"bands": [exposure, freeze]}, "units": 2}
    item = {"id": 2, "organization": 1, "name": "Food", "archived_at": None, "newest_version": 1, "units": 2, "versions": [version]}
    api.answers["GET policies/2"] = item

    page = open_setup("part=policies&id=2")

    rows = page.get_by_role("table", name="Bands").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("4 h in all above 5\u202f°C within 24 h")
    expect(rows.nth(1)).to_contain_text("Over once less than 4 h in all, and back in range")
    expect(rows.nth(2)).to_contain_text("At or below \u22120.5\u202f°C for 1 h, with at least 2 readings")
    expect(rows.nth(2)).to_contain_text("Operational. Held back in declared maintenance: not live yet.")
    expect(rows.nth(2)).to_contain_text("Over when back above \u22120.5\u202f°C")


def test_on_a_phone_nothing_reaches_beyond_the_screen(open_setup: Open, api: FakeApi, browser_page: Page) -> None:
    browser_page.set_viewport_size({"width": 375, "height": 812})
    api.answers["GET sensors/5/registration"] = registration()
    page = open_setup("part=sensors")

    for place in ("part=sensors", "part=sensors&new=1", "part=sensors&id=5", "part=units"):
        page.evaluate(f"location.hash = '#{place}'")
        expect(page.locator("#part")).to_have_attribute("aria-busy", "false")
        page.wait_for_timeout(150)

        assert page.evaluate("document.documentElement.scrollWidth") == 375, place
