"""From an empty installation to the first reading on the live page, by the set-up page alone, through every real part."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from infra.local.local_stack import LocalStack
from infra.local.parts import ALL
from tests.e2e.test_whole_stack import token

EUI: Final = "A84041000181C061"
PATIENCE: Final = 30_000
VIEWER: Final = ZoneInfo("America/New_York")
"""Where the viewer of `browser_page` is."""
CSV: Final = "site,unit,kind,dev_eui\nClinic North,Freezer 1,freezer,A8404100018{},\n"


def send_uplink(api_url: str, secret: str) -> None:
    """Post an uplink as The Things Stack does."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    ids = {"device_id": "fridge-3", "dev_eui": EUI, "application_ids": {"application_id": "acme-cold"}}
    uplink = {"f_port": 2, "f_cnt": 1, "received_at": at, "decoded_payload": {"TempC_DS": 4.31, "BatV": 3.0}}
    body = json.dumps({"end_device_ids": ids, "received_at": at, "uplink_message": uplink}).encode()
    headers = {"content-type": "application/json", "x-coldstream-secret": secret}
    urllib.request.urlopen(urllib.request.Request(f"{api_url}/api/webhooks/ttn", data=body, headers=headers), timeout=10).close()


def go(page: Page, place: str, title: str) -> None:
    """Go to a place of the set-up page and wait for its title."""
    page.evaluate(f"location.hash = '#{place}'")
    expect(page.get_by_role("heading", level=1)).to_have_text(title, timeout=PATIENCE)


def make_places(page: Page) -> str:
    """Make an organization, a site, a unit and a secret; return the secret."""
    go(page, "part=organizations", "Organizations")
    page.get_by_role("button", name="Make it an organization").click()
    expect(page.locator(".said")).to_contain_text("Made", timeout=PATIENCE)
    go(page, "part=sites&new=1", "New site")
    page.get_by_label("Name").fill("Clinic North")
    page.get_by_role("button", name="Make the site").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clinic North", timeout=PATIENCE)
    go(page, "part=units&new=1", "New unit")
    page.get_by_label("Name").fill("Fridge 3")
    page.get_by_role("button", name="Make the unit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fridge 3", timeout=PATIENCE)
    go(page, "part=secrets", "Application secrets")
    page.get_by_label("Application").fill("acme-cold")
    page.get_by_role("button", name="Make a secret").click()
    expect(page.locator(".copy-text")).to_be_visible(timeout=PATIENCE)
    return page.locator(".copy-text").inner_text()


def ask_why(page: Page, expected: str) -> None:
    """Look at the device's story until its verdict is the expected one."""
    go(page, "part=why", "Why is my sensor not showing?")
    page.get_by_label("Device EUI").fill(EUI)
    for _ in range(20):
        page.get_by_role("button", name="Look").click()
        page.wait_for_timeout(1_000)
        if page.locator(f'.verdict[data-code="{expected}"]').count():
            return
    expect(page.locator(".verdict")).to_have_attribute("data-code", expected)


def register_from_before(page: Page) -> None:
    """Register the device as its story offers, from an hour ago on."""
    an_hour_ago = datetime.now(VIEWER) - timedelta(hours=1)
    page.get_by_role("link", name="Register it").click()
    page.get_by_label("Unit it watches").fill("Fridge 3, Clinic North")
    page.get_by_label("Watches the unit from").fill(an_hour_ago.strftime("%Y-%m-%dT%H:%M:%S"))
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".said")).to_contain_text("Registered", timeout=PATIENCE)


def replay(page: Page) -> None:
    """Replay the letters that wait, once today's registry would take them."""
    ask_why(page, "no_assignment")
    for _ in range(10):
        page.get_by_role("button", name="Try to replay it").click()
        expect(page.locator(".replay-outcome b")).to_be_visible(timeout=PATIENCE)
        if page.get_by_role("button", name="Replay 1").count():
            break
        page.wait_for_timeout(1_000)
    page.get_by_role("button", name="Replay 1").click()
    expect(page.locator(".became")).to_contain_text("stored", timeout=PATIENCE)


def import_with_a_wrong_line(page: Page) -> None:
    """Import a file whose line is wrong at first."""
    go(page, "part=import", "Import")
    for digits, said in (("1C0A", "sensors.csv: 1 line has to be mended"), ("1C0A2", "sensors.csv can be imported")):
        page.set_input_files("#import-file", {"name": "sensors.csv", "mimeType": "text/csv", "buffer": CSV.format(digits).encode()})
        expect(page.get_by_role("heading", name=said)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Import 1 line").click()
    expect(page.get_by_role("heading", name="sensors.csv is imported")).to_be_visible(timeout=PATIENCE)


def correct_the_past(page: Page) -> None:
    """Flag what the fridge measured in its last half hour, having seen what that would change, and take it back."""
    page.locator(".tile", has_text="Fridge 3").click()
    page.get_by_role("button", name="Correct the past").click(timeout=PATIENCE)
    for label, minutes in (("From", 30), ("To", 0)):
        hint = "/^Time of ([^ ]+)\\./.exec(document.getElementById('correct-to-hint').textContent)[1]"
        wall = f"(await import('/static/zone_time.js')).toWallTime(Date.now() - {minutes} * 60000, {hint})"
        page.get_by_label(label, exact=True).fill(page.evaluate(f"async () => {wall}"))
    page.get_by_label("Why (required)").fill("it stood in the corridor")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview-sum")).to_contain_text("The correction lies over 1 stored reading", timeout=PATIENCE)
    expect(page.locator(".preview-picture")).to_be_visible()
    page.get_by_role("button", name="Confirm this correction").click()
    listed = page.locator(".corrections-list li")
    expect(listed).to_contain_text("it stood in the corridor", timeout=PATIENCE)
    listed.get_by_role("button", name="Revoke").click()
    page.get_by_label("Why it is revoked").fill("it was another fridge")
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("Revoked (1)")).to_be_visible(timeout=PATIENCE)


@pytest.mark.timeout(420)
def test_an_unknown_device_is_registered_its_uplink_replayed_and_corrected_by_the_page(tmp_path: Path, browser_page: Page) -> None:
    stack = LocalStack(tmp_path / "data", None, ALL).start()
    try:
        browser_page.goto(f"{stack.api_url}/setup#access_token={token(stack)}&part=organizations")
        secret = make_places(browser_page)
        send_uplink(stack.api_url, secret)
        ask_why(browser_page, "not_registered")

        register_from_before(browser_page)
        replay(browser_page)
        import_with_a_wrong_line(browser_page)

        browser_page.get_by_role("link", name="Live", exact=True).click()
        expect(browser_page.locator(".tile[data-unit]")).to_have_count(2, timeout=PATIENCE)
        expect(browser_page.locator(".tile", has_text="Fridge 3")).to_contain_text("4.3", timeout=PATIENCE)
        correct_the_past(browser_page)
    finally:
        browser_page.goto("about:blank")
        stack.remove()
