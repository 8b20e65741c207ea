"""Makes docs/images/setup.png: the story of a device that nobody registered. Run as `python -m tests.e2e.setup_picture FILE`."""

import sys
from typing import Any, Final

from playwright.sync_api import sync_playwright

from tests.e2e.chromium import launch
from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.picture import clinic_fleet

EUI: Final = "A84041000181C061"
DAY: Final = "2026-11-25T"
NOT_REGISTERED: Final = f"device {EUI} is not registered in this organization"


def entry(clock: str, number: int) -> dict[str, Any]:
    """Return one uplink of nobody's device."""
    letter = f"0190a000-0000-7000-8000-{number:012d}"
    named = {"ended_as": "unassigned", "reason": "unassigned", "sentence": NOT_REGISTERED, "letter": letter}
    nothing = dict.fromkeys(("measured_at", "sensor", "unit", "temperature_celsius", "replay"))
    return {"received_at": f"{DAY}{clock}.000Z", "late": False, **nothing, **named}


def story() -> dict[str, Any]:
    """Return the story of that device."""
    last = f"{DAY}14:22:07.000Z"
    sentence = f"It was heard 3 times, last at {last}, but is not registered in this organization."
    what = "Register it with a sensor, and assign that to a unit from before its first uplink. 3 dead letters can then be replayed."
    return {
        "dev_eui": EUI,
        "organization": 1,
        "as_of": last,
        "verdict": {"code": "not_registered", "healthy": False, "sentence": sentence, "what_to_do": what},
        "device": None,
        "last_heard_at": last,
        "offline_since": None,
        "sensors": [],
        "probes_heard": ["external"],
        "ends": [{"ended_as": "unassigned", "reason": "unassigned", "uplinks": 3, "since": None, "last_at": last}],
        "waiting_letters": 3,
        "recent": [entry("14:22:07", 3), entry("14:07:07", 2), entry("13:52:06", 1)],
    }


def main(target: str) -> None:
    """Save the picture."""
    api = FakeApi(clinic_fleet()).start()
    api.answers[f"GET devices/{EUI}/story"] = story()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")
        page.goto(f"{api.url}/setup#access_token={TOKEN}&part=why&dev_eui={EUI}")
        page.wait_for_selector(".verdict")
        page.wait_for_timeout(300)
        page.screenshot(path=target)
        browser.close()
    api.stop()


if __name__ == "__main__":
    main(sys.argv[1])
