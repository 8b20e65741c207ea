"""Excursions as they open and close, and what the page does when the connection or the session is lost."""

import time
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fake_api import SIGN_IN, TOKEN, FakeApi
from tests.e2e.fake_fleet import FakeFleet, FakeUnit, Json, iso

ALERT_ID = "5b1d5a80-0000-4000-8000-000000000001"


def alert(unit: FakeUnit, version: int = 1, **changes: object) -> Json:
    """Return the data of an alert about a unit, opened now."""
    now = iso(int(time.time() * 1000))
    return {
        "id": ALERT_ID,
        "version": version,
        "category": "temperature",
        "severity": "critical",
        "sensor": unit.sensor,
        "device": unit.id + 200_000,
        "started_at": now,
        "opened_at": now,
        "caused_by_received_at": now,
        "band": "high",
        "side": "high",
        "limit_celsius": unit.high,
        "peak_celsius": 9.5,
        **changes,
    }


@pytest.fixture
def unit(fleet: FakeFleet) -> FakeUnit:
    """A unit that is in range."""
    return fleet.units[1]


def test_an_excursion_that_opens_is_listed_announced_and_counted(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    api.push("alert:triggered", unit, alert(unit))

    row = live_page.locator(f'#open-list [data-excursion="{ALERT_ID}"]')
    expect(row).to_contain_text("Vaccine fridge 1")
    expect(row).to_contain_text("peak 9.5\u202f°C")
    expect(row).to_contain_text("above 8.0\u202f°C")
    expect(live_page.locator("#open-count")).to_have_text("3")
    expect(live_page.locator("#announcer")).to_contain_text("Vaccine fridge 1, Clinic Berlin: Excursion")
    expect(live_page).to_have_title("(3) Coldstream")


def test_a_warmer_reading_raises_the_peak_of_an_open_excursion(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    api.push("alert:triggered", unit, alert(unit))
    expect(live_page.locator("#open-count")).to_have_text("3")

    api.push_reading(unit, 12.31)

    expect(live_page.locator(f'[data-excursion="{ALERT_ID}"]')).to_contain_text("peak 12.3\u202f°C")


def test_an_excursion_that_closes_moves_to_the_closed_ones(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    api.push("alert:triggered", unit, alert(unit))
    expect(live_page.locator("#open-count")).to_have_text("3")

    now = iso(int(time.time() * 1000))
    api.push("alert:resolved", unit, alert(unit, version=2, ended_at=now, closed_at=now, ended_by="recovery"))

    expect(live_page.locator("#open-count")).to_have_text("2")
    live_page.click("#closed summary")
    expect(live_page.locator(f'#closed-list [data-excursion="{ALERT_ID}"]')).to_be_visible()


def test_an_older_version_of_an_excursion_does_not_open_it_again(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    now = iso(int(time.time() * 1000))
    api.push("alert:resolved", unit, alert(unit, version=2, ended_at=now, closed_at=now))

    api.push("alert:triggered", unit, alert(unit, version=1))
    api.push_state(unit, "breaching")

    expect(live_page.locator(f'.tile[data-unit="{unit.id}"]')).to_have_attribute("data-state", "breaching")
    expect(live_page.locator("#open-count")).to_have_text("2")


def test_times_of_excursions_are_in_the_time_zone_of_their_site(live_page: Page) -> None:
    berlin = live_page.locator("#open-list li", has_text="Clinic Berlin").locator(".excursion-time")
    tokyo = live_page.locator("#open-list li", has_text="Clinic Tokyo").locator(".excursion-time")
    expected = "new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', timeZone: zone}).format(at)"

    for zone, row, minutes in (("Europe/Berlin", berlin, 75), ("Asia/Tokyo", tokyo, 125)):
        at = int(time.time() * 1000) - minutes * 60_000
        near = [live_page.evaluate(f"([zone, at]) => {expected}", [zone, at - late * 60_000]) for late in (0, 1, 2)]
        assert any(clock in row.inner_text() for clock in near), (row.inner_text(), near)


def test_the_token_is_sent_first_and_then_every_site_is_subscribed(live_page: Page, api: FakeApi) -> None:
    assert live_page.url.endswith("/")
    assert api.frames[0] == {"type": "authenticate", "token": TOKEN}
    assert api.frames[1:3] == [{"type": "subscribe:site", "site": 1}, {"type": "subscribe:site", "site": 2}]
    assert live_page.evaluate("sessionStorage.getItem('coldstream.token')") == TOKEN


def test_a_lost_connection_is_shown_and_comes_back_with_what_was_missed(live_page: Page, api: FakeApi, fleet: FakeFleet) -> None:
    fleet.units[1] = FakeUnit(1, 1, "Vaccine fridge 1 (moved)", "refrigerator", 2.0, 8.0, fleet.units[1].script)

    api.drop_connections()

    expect(live_page.locator("#connection")).to_have_attribute("data-connection", "reconnecting")
    expect(live_page.locator("#connection")).to_have_attribute("data-connection", "live", timeout=10_000)
    expect(live_page.locator('.tile[data-unit="1"] .tile-name')).to_have_text("Vaccine fridge 1 (moved)")


def test_a_resync_fetches_everything_again(live_page: Page, api: FakeApi) -> None:
    before = api.asked.count("units")

    api.resync()

    deadline = time.monotonic() + 20
    while api.asked.count("units") == before and time.monotonic() < deadline:
        live_page.wait_for_timeout(50)
    assert api.asked.count("units") > before


def test_a_database_that_is_down_is_told_and_tried_again(browser_page: Page, api: FakeApi) -> None:
    api.is_down = True
    browser_page.goto(f"{api.url}/#access_token={TOKEN}")
    expect(browser_page.locator("#notice")).to_contain_text("The database does not answer")

    api.is_down = False
    browser_page.click("#notice-retry")

    expect(browser_page.locator(".tile")).to_have_count(8)
    expect(browser_page.locator("#notice")).to_be_hidden()


def test_without_a_token_the_page_says_how_to_sign_in(browser_page: Page, api: FakeApi) -> None:
    browser_page.goto(api.url)

    expect(browser_page.locator("#doorway-title")).to_have_text("Sign in to see your units")
    link = browser_page.locator("#doorway-link")
    expect(link).to_have_attribute("href", f"{SIGN_IN}?return_to={quote(api.url + '/', safe='')}")


def test_a_session_that_ended_is_told_with_the_way_back_and_nothing_else_is_shown(live_page: Page, api: FakeApi) -> None:
    api.are_tokens_refused = True

    api.drop_connections()

    expect(live_page.locator("#doorway-title")).to_have_text("Your session has ended", timeout=10_000)
    expect(live_page.locator("#doorway-link")).to_be_visible()
    expect(live_page.locator("#frame")).to_be_hidden()
    assert live_page.evaluate("sessionStorage.getItem('coldstream.token')") is None


def test_signing_out_forgets_the_token(live_page: Page) -> None:
    live_page.click("#sign-out")

    expect(live_page.locator("#doorway-title")).to_have_text("You are signed out")
    assert live_page.evaluate("sessionStorage.getItem('coldstream.token')") is None
