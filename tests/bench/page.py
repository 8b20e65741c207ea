"""Measures the live page against its budget: 10,000 units and 1,000 updates a second, in real Chromium.

Server, load and browser share this machine's cores, so what is measured is the worst that a viewer's own machine would see.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright
from starlette.requests import Request
from starlette.responses import Response

from tests.bench.figures import Figure
from tests.e2e.chromium import launch
from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import FakeFleet, FakeUnit, Script, iso

BUDGET_FIRST_PAINT_MS: Final = 2_000.0
BUDGET_FRAME_MS: Final = 100.0
UNITS_PER_SITE: Final = 100
LEAST_SHARE: Final = 0.9
"""Of the updates that are to come."""
FRAMES_PER_SECOND: Final = 20
"""WebSocket frames a second: the API batches readings the same way."""

OBSERVE: Final = """
window.seen = { firstTile: null, allUnits: null, gaps: [], tasks: [], readings: 0 };
window.WebSocket = class extends WebSocket {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', ({ data }) => (window.seen.readings += data.split('"temperature_celsius":').length - 1));
  }
};
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.seen.tasks.push(entry.duration); })
  .observe({ type: 'longtask', buffered: true });
let before = null;
function frame(now) {
  if (before !== null) window.seen.gaps.push(now - before);
  before = now;
  const grid = document.querySelector('#grid');
  if (window.seen.firstTile === null && document.querySelector('.tile')?.getClientRects().length > 0) window.seen.firstTile = now;
  if (window.seen.allUnits === null && grid?.dataset.units === UNITS) window.seen.allUnits = now;
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
"""


class CannedApi(FakeApi):
    """Answers each question from memory after the first time, so that the page is measured and not the fake."""

    def __init__(self, fleet: FakeFleet) -> None:
        """Serve this fleet."""
        super().__init__(fleet)
        self._canned: dict[str, bytes] = {}

    async def _rest(self, request: Request) -> Response:
        key = f"{request.url.path}?{request.url.query}"
        if "excursions" in key:
            key = request.url.path + str("open=true" in key)
        if key not in self._canned:
            answer = await super()._rest(request)
            self._canned[key] = bytes(answer.body)
        return Response(self._canned[key], media_type="application/json")


def large_fleet(units: int) -> FakeFleet:
    """Return a fleet in which a few units in a hundred are in trouble."""
    fleet = FakeFleet(now=int(time.time() * 1000))
    chance = random.Random(7)
    troubles = [
        Script.WARMING,
        Script.TOUCHED,
        Script.SILENT,
        Script.GONE,
        Script.COOLING,
    ]
    for number in range(units):
        if number % UNITS_PER_SITE == 0:
            site = fleet.add_site(
                f"Site {number // UNITS_PER_SITE + 1}",
                chance.choice(["Europe/Berlin", "Asia/Tokyo", "America/Chicago"]),
            )
        script = chance.choice(troubles) if chance.random() < 0.02 else Script.CALM
        fleet.add_unit(site, f"Fridge {number % UNITS_PER_SITE + 1}", (2.0, 8.0), script)
    return fleet


def send_updates(api: FakeApi, per_second: int, stop: threading.Event) -> None:
    """Send readings of all units in turn, in frames of readings of one site each, and now and then a change of state."""
    units = list(api.fleet.units.values())
    size = min(UNITS_PER_SITE, max(1, per_second // FRAMES_PER_SECOND))
    parts = [
        units[start : min(start + size, site + UNITS_PER_SITE)]
        for site in range(0, len(units), UNITS_PER_SITE)
        for start in range(site, site + UNITS_PER_SITE, size)
    ]
    started = time.monotonic()
    for number, group in enumerate(cycle(parts)):
        if stop.wait(max(0.0, started + number / FRAMES_PER_SECOND - time.monotonic())):
            return
        api.push_text(
            group[0].site,
            api.event_text(
                "sensor:readings:batch",
                group[0].site,
                0,
                {"readings": [reading(unit) for unit in group]},
            ),
        )
        if number % FRAMES_PER_SECOND == 0:
            api.push_state(group[0], "breaching" if number % 2 else "in_range")


def reading(unit: FakeUnit) -> dict[str, Any]:
    """Return a reading measured now."""
    now = iso(int(time.time() * 1000))
    celsius = round(random.uniform(3, 7), 2)
    return {
        "sensor": unit.sensor,
        "unit": unit.id,
        "measured_at": now,
        "received_at": now,
        "temperature_celsius": celsius,
    }


def measure(page: Page, api: FakeApi, per_second: int, seconds: float) -> dict[str, float]:
    """Load the page, then watch it under load; all figures in milliseconds."""
    units = len(api.fleet.units)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(OBSERVE.replace("UNITS", f"'{units}'"))
    page.goto(f"{api.url}/#access_token={TOKEN}")
    page.wait_for_selector(f'#grid[data-units="{units}"]', timeout=60_000)
    page.wait_for_selector('#connection[data-connection="live"]')
    page.wait_for_timeout(2_000)
    loaded = page.evaluate(
        "() => ({paint: performance.getEntriesByName('first-contentful-paint')[0].startTime, ...window.seen, "
        "longest: Math.max(0, ...window.seen.tasks)})",
    )
    page.evaluate("() => { window.seen.gaps = []; window.seen.tasks = []; window.seen.readings = 0; }")
    stop = threading.Event()
    sender = threading.Thread(target=send_updates, args=(api, per_second, stop))
    sender.start()
    scroll_while_loaded(page, seconds)
    stop.set()
    sender.join()
    loaded_frames = page.evaluate("() => window.seen")
    require_load(loaded_frames["readings"], per_second * seconds, errors)
    gaps = sorted(loaded_frames["gaps"])
    return {
        "units": units,
        "updates_per_second": per_second,
        "first_contentful_paint_ms": round(loaded["paint"]),
        "first_tile_ms": round(loaded["firstTile"]),
        "all_units_ms": round(loaded["allUnits"]),
        "longest_task_while_loading_ms": round(loaded["longest"]),
        "readings_received": loaded_frames["readings"],
        "frames": len(gaps),
        "frame_p50_ms": round(gaps[len(gaps) // 2], 1),
        "frame_p99_ms": round(gaps[int(len(gaps) * 0.99)], 1),
        "longest_frame_ms": round(gaps[-1], 1),
        "longest_task_ms": round(max([0.0, *loaded_frames["tasks"]])),
        "tiles_in_document": page.locator(".tile").count(),
    }


def require_load(received: int, wanted: float, errors: Sequence[str]) -> None:
    """Raise RuntimeError where the page had errors or was sent less than it is said to have been."""
    if errors:
        raise RuntimeError(f"the page had errors: {list(errors)[:3]}")
    if received < LEAST_SHARE * wanted:
        raise RuntimeError(f"only {received:,} of {wanted:,.0f} updates came to the page")


def scroll_while_loaded(page: Page, seconds: float) -> None:
    """Let time pass, scrolling through the fleet half of it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if deadline - time.monotonic() < seconds / 2:
            page.mouse.wheel(0, 700)
        page.wait_for_timeout(100)


def measure_page(*, quick: bool, say: Callable[[str], None], repeats: int | None = None) -> list[Figure]:
    """Measure the area and return the figures."""
    units, per_second, seconds = (500, 100, 4) if quick else (10_000, 1_000, 20)
    found = []
    for repeat in range(repeats or (1 if quick else 5)):
        found.append(watched(units, per_second, seconds))
        say(f"run {repeat + 1}: {json.dumps(found[-1])}")

    def figure(what: str, unit: str, name: str, budget: float | None = None) -> Figure:
        values = tuple(run[name] for run in found)
        return Figure("page", f"{units:,} units, {per_second:,} updates/s: {what}", unit, values, budget, at_most=True)

    return [
        figure("first paint", "ms", "first_contentful_paint_ms", BUDGET_FIRST_PAINT_MS),
        figure("first tile", "ms", "first_tile_ms"),
        figure("all units there", "ms", "all_units_ms"),
        figure("longest frame", "ms", "longest_frame_ms", BUDGET_FRAME_MS),
        figure("frame, p99", "ms", "frame_p99_ms"),
        figure("frame, p50", "ms", "frame_p50_ms"),
        figure("longest task", "ms", "longest_task_ms"),
        figure("longest task while it loads", "ms", "longest_task_while_loading_ms"),
        figure("tiles in the document", "", "tiles_in_document"),
    ]


def watched(units: int, per_second: int, seconds: float) -> dict[str, float]:
    """Measure once, in a new browser."""
    api = CannedApi(large_fleet(units)).start()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{api.url}/#access_token={TOKEN}")  # The fake makes its answers once, before anything is measured.
            page.wait_for_selector(f'#grid[data-units="{units}"]', timeout=120_000)
            page.wait_for_timeout(5_000)
            page.close()
            found = measure(browser.new_page(viewport={"width": 1440, "height": 900}), api, per_second, seconds)
            browser.close()
    finally:
        api.stop()
    return found
