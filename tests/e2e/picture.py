"""Makes docs/images/page.png: the real page over a made-up fleet. Run as `python -m tests.e2e.picture FILE`."""

import sys
import time

from playwright.sync_api import sync_playwright

from tests.e2e.chromium import launch
from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import FakeFleet, Script

FRIDGE = (2.0, 8.0)
FREEZER = (-30.0, -15.0)
ULTRA = (-86.0, -65.0)


def clinic_fleet() -> FakeFleet:
    """Return a group of clinics on an ordinary bad day."""
    fleet = FakeFleet(now=int(time.time() * 1000))
    berlin = fleet.add_site("Clinic Berlin Mitte", "Europe/Berlin")
    lisbon = fleet.add_site("Lisbon distribution centre", "Europe/Lisbon")
    chicago = fleet.add_site("Chicago pharmacy", "America/Chicago")
    for name, limits, script in (
        ("Vaccine fridge 1", FRIDGE, Script.CALM),
        ("Vaccine fridge 2", FRIDGE, Script.CALM),
        ("Vaccine fridge 3", FRIDGE, Script.WARMING),
        ("Plasma freezer", FREEZER, Script.CALM),
        ("Ultra-low freezer A", ULTRA, Script.WARMED),
        ("Ultra-low freezer B", ULTRA, Script.CALM),
        ("Laboratory fridge", FRIDGE, Script.TOUCHED),
        ("Blood bank", FRIDGE, Script.GAPPED),
    ):
        fleet.add_unit(berlin, name, limits, script)
    for number in range(1, 13):
        scripts = {4: Script.COOLING, 9: Script.SILENT}
        fleet.add_unit(lisbon, f"Cold room {number}", (2.0, 8.0), scripts.get(number, Script.CALM), kind="cold room")
    for number in range(1, 9):
        scripts = {2: Script.GONE, 6: Script.WARMED}
        fleet.add_unit(chicago, f"Dispensary fridge {number}", FRIDGE, scripts.get(number, Script.CALM))
    return fleet


def main(target: str) -> None:
    """Save the picture: a chosen unit in an excursion beside the tiles, worst first."""
    api = FakeApi(clinic_fleet()).start()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script("localStorage.setItem('coldstream.order', 'worst')")
        page.goto(f"{api.url}/#access_token={TOKEN}&unit=3")
        page.wait_for_selector(".chart[data-points]")
        page.wait_for_selector('#connection[data-connection="live"]')
        page.wait_for_timeout(1_500)
        page.screenshot(path=target)
        browser.close()
    api.stop()


if __name__ == "__main__":
    main(sys.argv[1])
