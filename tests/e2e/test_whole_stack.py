"""One uplink through every real part to the page: API, Kafka, the flows, PostgreSQL, Redis, WebSocket, Chromium."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from infra.local.local_stack import LocalStack
from infra.local.parts import ALL

COLDSTREAM = str(Path(sys.executable).parent / "coldstream")


def token(stack: LocalStack) -> str:
    """Sign the sandbox's user in."""
    asked = json.dumps({"user": "demo", "expires_in": 600}).encode()
    request = urllib.request.Request(
        f"{stack.settings['SANDBOX_URL']}/sandbox/stack-auth/token", data=asked, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


def look_into_the_first_unit(page: Page) -> None:
    """Open a panel: its timeline now, over a week, and as it was known a moment ago; nothing of it may be refused or fail."""
    page.locator(".tile[data-unit]").first.click()
    chart, summed = page.locator(".chart"), page.locator(".chart-sum")
    # A reading each second are too many to be told apart in a day.
    expect(chart).to_have_attribute("data-kind", "band", timeout=15_000)
    expect(summed).to_contain_text("°C")
    assert page.locator(".lane").count() >= 1
    assert int(chart.get_attribute("data-limits") or 0) >= 1
    page.locator('input[value="7d"]').check(force=True)
    expect(chart).to_have_attribute("data-kind", "band")
    moment_ago = page.evaluate("new Date(Date.now() - 3000).toISOString()")
    page.evaluate("(at) => { location.hash = `${location.hash}&known_at=${at}`; }", moment_ago)
    expect(page.locator(".as-known")).to_be_visible()
    expect(page.locator(".chart-figure")).to_have_attribute("data-loading", "no")
    expect(summed).to_contain_text("°C")
    expect(page.locator("#notice")).to_be_hidden()


def declare_maintenance(page: Page) -> None:
    """Declare maintenance of the chosen unit from an hour ago on, as its preview allows, and take it back."""
    page.get_by_role("link", name="Back to now").click()
    page.get_by_role("button", name="Declare maintenance").click()
    form = page.get_by_role("group", name="Declare maintenance of")
    hour_ago = page.locator("#known-at").evaluate("(field) => new Date(Date.parse(`${field.value}Z`) - 3600000).toISOString().slice(0, 19)")
    form.get_by_label("From", exact=True).fill(hour_ago)
    form.get_by_label("Why (required)").fill("new fan")
    form.get_by_role("button", name="Preview").click()
    expect(form.locator(".preview-sum")).to_be_visible(timeout=15_000)
    form.get_by_role("button", name="Confirm").click()
    expect(page.locator('[data-part="maintenance-said"]')).to_contain_text("Declared: ", timeout=15_000)
    window = page.locator('[data-part="maintenance-list"] li')
    expect(window).to_contain_text("“new fan”", timeout=15_000)
    window.get_by_role("button", name="Revoke").click()
    revoking = page.get_by_role("group", name="Revoke this maintenance")
    revoking.get_by_label("Why (required)").fill("it was another unit")
    revoking.get_by_role("button", name="Preview").click()
    revoking.get_by_role("button", name="Confirm").click(timeout=15_000)
    expect(window).to_have_count(0, timeout=15_000)
    expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.timeout(240)
def test_readings_of_a_simulated_fleet_reach_the_page_live(tmp_path: Path, browser_page: Page) -> None:
    stack = LocalStack(tmp_path / "data", None, ALL).start()
    arguments = ["--units", "3", "--seed", "1", "--interval", "1", "--quick", "--clean", "--duration", "45"]
    fleet = subprocess.Popen([COLDSTREAM, "simulate", *arguments], env={**os.environ, **stack.settings}, stdout=subprocess.DEVNULL)
    try:
        browser_page.wait_for_timeout(9_000)
        browser_page.goto(f"{stack.api_url}/#access_token={token(stack)}")

        tiles = browser_page.locator(".tile[data-unit]")
        expect(tiles).to_have_count(3, timeout=15_000)
        expect(browser_page.locator("header")).to_contain_text("Live", timeout=15_000)
        for place in range(3):
            expect(tiles.nth(place)).to_contain_text("°C")
            expect(tiles.nth(place)).not_to_contain_text("Unknown", timeout=15_000)
        before = tiles.all_inner_texts()
        browser_page.wait_for_timeout(6_000)
        assert tiles.all_inner_texts() != before, "nothing moved on the page in 6 s of readings each second"
        for place in range(3):
            expect(tiles.nth(place)).not_to_contain_text("Unknown")

        look_into_the_first_unit(browser_page)
        declare_maintenance(browser_page)
    finally:
        browser_page.goto("about:blank")
        fleet.kill()
        fleet.wait()
        stack.remove()
