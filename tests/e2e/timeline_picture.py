"""Makes docs/images/timeline.png: a unit's panel with an excursion that was found late. Run as `python -m tests.e2e.timeline_picture FILE`."""

import sys
from typing import Final

from playwright.sync_api import ViewportSize, sync_playwright

from tests.e2e.chromium import launch
from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import DAY, HOUR, LATE_AGE, MINUTE, FakeUnit, Script, iso
from tests.e2e.fake_history import condition, followed_by, versions_of
from tests.e2e.picture import clinic_fleet

SIZE: Final[ViewportSize] = {"width": 1440, "height": 1640}


def tell(api: FakeApi, unit: FakeUnit) -> str:
    """Put a day of the unit on record; return the id of the excursion that was found late."""
    now = api.fleet.now
    bands = api.fleet.bands(unit)
    tighter = [{**band, "limit_celsius": 7.5 if band["side"] == "high" else 2.0} for band in bands]
    api.history.policies[unit.id] = [(now - 60 * DAY, tighter), (now - 15 * HOUR, bands)]
    api.history.conditions[unit.id] = [
        condition(unit, "offline", now - 9 * HOUR - 15 * MINUTE, now - LATE_AGE),
        condition(unit, "door_open", now - 9 * HOUR - 55 * MINUTE, now - 9 * HOUR - 5 * MINUTE),
    ]
    (excursion,) = api.fleet.excursions(unit)
    half = {
        "ended_at": iso(now - 540 * MINUTE),
        "closed_at": iso(now - 540 * MINUTE),
        "exposure_seconds": 1_500.0,
        "unknown_seconds": 300.0,
    }
    first = versions_of({**excursion, **half, "peak_celsius": excursion["peak_celsius"] - 0.9, "known_at": iso(now - LATE_AGE)})
    whole = {name: excursion[name] for name in ("ended_at", "closed_at", "peak_celsius", "exposure_seconds", "unknown_seconds")}
    api.history.versions[excursion["id"]] = followed_by(first, "late", now - LATE_AGE + 4 * MINUTE, **whole)
    disproved = api.fleet.excursion(unit, 19 * 60, 18 * 60 + 20)
    api.history.versions[disproved["id"]] = followed_by(versions_of(disproved), "void", now - 17 * HOUR)
    return str(excursion["id"])


def main(target: str) -> None:
    """Save the picture."""
    fleet = clinic_fleet()
    unit = fleet.add_unit(1, "Vaccine fridge 9", (2.0, 8.0), Script.BACKFILLED)
    api = FakeApi(fleet).start()
    excursion = tell(api, unit)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="Europe/Berlin")
        page.goto(f"{api.url}/#access_token={TOKEN}&unit={unit.id}&excursion={excursion}")
        page.wait_for_selector(".version")
        page.locator(".bar[data-chosen='yes']").hover()
        page.wait_for_timeout(800)
        page.locator("#panel").screenshot(path=target)
        browser.close()
    api.stop()


if __name__ == "__main__":
    main(sys.argv[1])
