"""Makes docs/images/correction.png: what a correction would change. Run as `python -m tests.e2e.correction_picture FILE`."""

import sys
from typing import Final

from playwright.sync_api import ViewportSize, sync_playwright

from tests.e2e.chromium import launch
from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import MINUTE, Script
from tests.e2e.picture import clinic_fleet
from tests.e2e.test_corrections import fill, previewed

SIZE: Final[ViewportSize] = {"width": 1440, "height": 1500}


def main(target: str) -> None:
    """Save the picture."""
    fleet = clinic_fleet()
    unit = fleet.add_unit(1, "Vaccine fridge 9", (2.0, 8.0), Script.WARMED)
    api = FakeApi(fleet).start()
    api.answers["POST corrections/preview"] = previewed(api, unit)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="Europe/Berlin")
        page.goto(f"{api.url}/#access_token={TOKEN}&unit={unit.id}")
        page.wait_for_selector(".chart[data-points]")
        page.get_by_role("button", name="Correct the past").click()
        fill(page, fleet.now - 360 * MINUTE, fleet.now - 242 * MINUTE, "the probe lay on the counter")
        page.get_by_role("button", name="Preview").click()
        page.wait_for_selector(".preview-picture")
        page.locator(".corrector").screenshot(path=target)
        browser.close()
    api.stop()


if __name__ == "__main__":
    main(sys.argv[1])
