"""A viewer: opens the live page of a running stack in Chromium, watches its frames, takes a picture. Prints one JSON line.

Run as `python -m tests.bench.viewer URL UNITS SECONDS [PICTURE]`, the URL with the access token in it.
"""

import json
import sys

from playwright.sync_api import sync_playwright

from tests.bench.page import OBSERVE, scroll_while_loaded
from tests.e2e.chromium import launch

LOAD_MS = 120_000


def main(url: str, units: str, seconds: str, picture: str = "") -> None:
    """Watch once."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(OBSERVE.replace("UNITS", f"'{units}'"))
        page.goto(url)
        page.wait_for_selector(f'#grid[data-units="{units}"]', timeout=LOAD_MS)
        page.wait_for_selector('#connection[data-connection="live"]', timeout=LOAD_MS)
        page.wait_for_timeout(2_000)
        loaded = page.evaluate(
            "() => ({paint: performance.getEntriesByName('first-contentful-paint')[0].startTime, ...window.seen})",
        )
        page.evaluate("() => { window.seen.gaps = []; window.seen.tasks = []; window.seen.readings = 0; }")
        scroll_while_loaded(page, float(seconds))
        seen = page.evaluate("() => window.seen")
        page.mouse.wheel(0, -10_000_000)
        page.wait_for_timeout(1_000)
        if picture:
            page.screenshot(path=picture)
        browser.close()
    gaps = sorted(seen["gaps"])
    answer = {
        "first_contentful_paint_ms": round(loaded["paint"]),
        "first_tile_ms": round(loaded["firstTile"]),
        "all_units_ms": round(loaded["allUnits"]),
        "frames": len(gaps),
        "frame_p99_ms": round(gaps[int(len(gaps) * 0.99)], 1),
        "longest_frame_ms": round(gaps[-1], 1),
        "longest_task_ms": round(max([0.0, *seen["tasks"]])),
        "readings_received": seen["readings"],
        "errors": errors,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
