"""A real Chromium, and a page in it that may speak to its own server only."""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.e2e.chromium import launch
from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import FakeFleet, Script


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver, for this folder only: while it lives, `asyncio.run` fails in this thread."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, started once for the run."""
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A fresh page of a viewer in New York with a screen of 1440 x 900.

    At the end it must have spoken to one host only and have no error in its console; a failed request, such as one that a
    test makes fail, is none.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="America/New_York", locale="en-US")
    page = context.new_page()
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc) if request.url.startswith("http") else None)
    page.on("websocket", lambda opened: hosts.add(urlsplit(opened.url).netloc))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)
    yield page
    context.close()

    assert len(hosts) <= 1, f"the page spoke to {sorted(hosts)}"
    assert errors == []


@pytest.fixture
def fleet() -> FakeFleet:
    """Two sites in different time zones, with every state in them."""
    fleet = FakeFleet(now=int(time.time() * 1000))
    berlin = fleet.add_site("Clinic Berlin", "Europe/Berlin")
    tokyo = fleet.add_site("Clinic Tokyo", "Asia/Tokyo")
    fleet.add_unit(berlin, "Vaccine fridge 1", (2.0, 8.0))
    fleet.add_unit(berlin, "Vaccine fridge 2", (2.0, 8.0), Script.WARMING)
    fleet.add_unit(berlin, "Vaccine fridge 10", (2.0, 8.0), Script.GAPPED)
    fleet.add_unit(berlin, "Plasma freezer", (-30.0, -15.0), Script.WARMED, kind="freezer")
    fleet.add_unit(tokyo, "Blood bank", (2.0, 6.0), Script.SILENT)
    fleet.add_unit(tokyo, "Cold room", (2.0, 8.0), Script.GONE)
    fleet.add_unit(tokyo, "Sample fridge", (2.0, 8.0), Script.TOUCHED)
    fleet.add_unit(tokyo, "Pharmacy fridge", (2.0, 8.0), Script.COOLING)
    return fleet


@pytest.fixture
def api(fleet: FakeFleet) -> Iterator[FakeApi]:
    """The fake API, serving the fleet and the real page."""
    api = FakeApi(fleet).start()
    yield api
    api.stop()


@pytest.fixture
def live_page(browser_page: Page, api: FakeApi) -> Page:
    """The page, signed in, with every tile shown and live."""
    browser_page.goto(f"{api.url}/#access_token={TOKEN}")
    browser_page.wait_for_selector('#connection[data-connection="live"]')
    browser_page.wait_for_selector(f'#grid[data-units="{len(api.fleet.units)}"]')
    browser_page.wait_for_selector("#open-list li")
    return browser_page
