"""The page's pure parts, asked in Chromium: spans, limits, lanes, words and times; and that a month of readings is drawn without a hitch."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.fake_api import FakeApi
from tests.e2e.fake_fleet import DAY, HOUR, MINUTE

Ask = Callable[[str, str, Any], Any]
NOW = 1_800_000_000_000


@pytest.fixture
def ask(browser_page: Page, api: FakeApi) -> Ask:
    """Return what a module's functions `m` answer to `a`."""
    browser_page.goto(f"{api.url}/static/icon.svg")

    def answer(module: str, said: str, given: Any) -> Any:
        return browser_page.evaluate(f"async (a) => {{ const m = await import('/static/{module}.js'); return {said}; }}", given)

    return answer


def test_going_back_and_forth_through_time_ends_where_it_began(ask: Ask) -> None:
    there = "m.earlier(m.earlier(m.following('24h'), a), a)"

    assert ask("span", f"m.boundsOf({there}, a)", NOW) == {"from": NOW - 3 * DAY, "to": NOW - 2 * DAY}
    assert ask("span", f"m.later(m.later({there}, a), a)", NOW) == {"ms": DAY, "end": None, "preset": "24h"}


def test_a_zoom_keeps_the_instant_under_the_pointer_where_it_is(ask: Ask) -> None:
    at = NOW - 18 * HOUR

    assert ask("span", "m.boundsOf(m.zoomed(m.following('24h'), 0.5, a[0], a[1]), a[1])", [at, NOW]) == {
        "from": at - 3 * HOUR,
        "to": at + 9 * HOUR,
    }


def test_a_span_is_never_too_short_or_too_long_to_be_shown(ask: Ask) -> None:
    assert ask("span", "m.across(a, a + 1000, a + 1e9).ms", NOW) == 5 * MINUTE
    assert ask("span", "m.across(a - 1e12, a, a).ms", NOW) == 92 * DAY


@pytest.mark.parametrize(
    ("hours", "interval", "seconds"),
    [
        (1, 5 * MINUTE, None),
        (24, 5 * MINUTE, None),
        (24, 10_000, 120),
        (168, 5 * MINUTE, 900),
        (720, 5 * MINUTE, 3_600),
        (92 * 24, None, 10_800),
    ],
)
def test_buckets_are_asked_for_where_readings_could_not_be_told_apart(
    ask: Ask, hours: int, interval: int | None, seconds: int | None
) -> None:
    assert ask("span", "m.bucketSecondsOf(a[0], a[1])", [hours * HOUR, interval]) == seconds


def policy(at: int, kind: str = "sustained", **limits: float) -> dict[str, Any]:
    """Return a policy since an instant, with a band for each limit."""
    side = {"high": "high", "low": "low"}
    bands = [{"name": name, "kind": kind, "side": side[name], "limit": limit, "severity": "critical"} for name, limit in limits.items()]
    return {"effectiveAt": at, "bands": bands}


def test_a_limit_is_one_piece_for_as_long_as_it_stays_the_same(ask: Ask) -> None:
    policies = [policy(0, high=8, low=2), policy(400, high=7, low=2), policy(600, low=2)]

    pieces = ask("limits", "m.limitPieces(a, 100, 1000)", policies)

    told = [(piece["name"], piece["limit"], piece["from"], piece["to"]) for piece in pieces]
    assert told == [("high", 8, 100, 400), ("low", 2, 100, 1000), ("high", 7, 400, 600)]


def test_a_limit_of_a_mean_is_drawn_only_where_there_is_none_of_readings(ask: Ask) -> None:
    mean = policy(0, kind="mkt", high=8)
    both = {"effectiveAt": 500, "bands": [*mean["bands"], *policy(0, low=2)["bands"]]}

    pieces = ask("limits", "m.limitPieces(a, 0, 1000)", [mean, both])

    assert [(piece["name"], piece["from"], piece["to"]) for piece in pieces] == [("high", 0, 500), ("low", 500, 1000)]


NOTHING: dict[str, Any] = {
    "bands": [],
    "excursions": [],
    "voided": [],
    "conditions": [],
    "corrections": [],
    "maintenance": [],
    "unknown": [],
    "breachingSince": None,
    "from": 0,
    "to": 300_000,
}


def test_unknown_stretches_that_nobody_could_tell_apart_are_one_bar_that_adds_them_up(ask: Ask) -> None:
    unknown = [[0, 10_000, None], [10_500, 20_000, "sentinel_value"], [100_000, 300_000, None]]

    (lane,) = ask("lanes", "m.lanesOf(a)", {**NOTHING, "unknown": unknown})

    assert [(bar["from"], bar["to"], bar["isOpen"], len(bar["stretches"])) for bar in lane["bars"]] == [
        (0, 20_000, False, 2),
        (100_000, 300_000, True, 1),
    ]
    words = ask("figure_words", "m.unknownStretchWords(a, false, 'UTC')", lane["bars"][0]["stretches"])
    assert "2 stretches, 19 s in all" in words
    assert "Probe fault: sentinel value." in words


def test_a_lane_holds_no_more_bars_than_a_screen_has_room_for(ask: Ask) -> None:
    conditions = [{"id": n, "kind": "door_open", "startedAt": n * 100, "endedAt": n * 100 + 50} for n in range(1_000)]

    (lane,) = ask("lanes", "m.lanesOf(a)", {**NOTHING, "conditions": conditions})

    assert len(lane["bars"]) == 200
    assert lane["bars"][-1]["from"] == 99_900


def test_of_an_earlier_instant_a_condition_that_ended_later_is_open(ask: Ask) -> None:
    times = {"one": (100, 900), "two": (100, 400), "three": (600, None)}
    conditions = [
        {"id": name, "startedAt": start, "openedAt": start, "endedAt": end, "closedAt": end} for name, (start, end) in times.items()
    ]

    known = ask("lanes", "m.conditionsAsKnown(a, 500)", conditions)

    assert [(condition["id"], condition["endedAt"]) for condition in known] == [("one", None), ("two", 400)]


def test_a_fault_mark_parts_unknown_time_and_is_told_as_its_cause(ask: Ask) -> None:
    readings = [
        {"measuredAt": 0, "temperature": 4, "fault": None},
        {"measuredAt": 60, "temperature": None, "fault": "sentinel_value"},
        {"measuredAt": 100, "temperature": 5, "fault": None},
        {"measuredAt": 400, "temperature": None, "fault": "sentinel_value"},
    ]

    columns = ask("spans", "m.fromReadings(a, 0, 500, 100)", readings)

    assert columns["unknown"] == [[60, 100, "sentinel_value"], [200, 400, None], [400, 500, "sentinel_value"]]
    assert columns["knownMs"] == 160
    assert columns["x"][:3] == [0, 60, 61], "the value is drawn to where the fault ends it"


def test_buckets_count_as_far_as_they_lie_within_the_span_and_go_on_with_readings(ask: Ask) -> None:
    buckets = [{"from": start, "to": start + 100, "knownMs": 100, "lowest": 3, "highest": 5, "mean": 4} for start in (0, 100, 200)]
    readings = [{"measuredAt": 290, "temperature": 9, "fault": None}, {"measuredAt": 340, "temperature": 10, "fault": None}]

    columns = ask("spans", "m.goOn(m.fromBuckets(a[0], 50, 300), m.fromReadings(a[1], 300, 400, 50))", [buckets, readings])

    assert columns["knownMs"] == 250 + 90
    assert (columns["lowest"], columns["highest"]) == (3, 10)
    assert columns["unknown"] == [[390, 400, None]]
    assert columns["mean"][-1] == 10


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
def test_a_wall_time_of_a_zone_comes_back_as_the_same_instant(ask: Ask, zone: str) -> None:
    instants = [NOW + step * 7 * HOUR for step in range(1_300)]

    found = ask("zone_time", "a[0].map((at) => m.fromWallTime(m.toWallTime(at, a[1]), a[1]))", [instants, zone])

    # Of an hour that comes twice when clocks are set back, the first is meant.
    different = [at - found_at for at, found_at in zip(instants, found, strict=True) if at != found_at]
    assert all(difference in (30 * MINUTE, HOUR) for difference in different)
    assert len(different) <= 2


def test_a_wall_time_that_clocks_leave_out_is_the_time_after(ask: Ask) -> None:
    assert (
        ask("zone_time", "new Date(m.fromWallTime('2026-03-29T02:30', 'Europe/Berlin')).toISOString()", None) == "2026-03-29T01:30:00.000Z"
    )
    assert ask("zone_time", "m.fromWallTime('nonsense', 'UTC')", None) is None


def test_figures_never_leave_out_unknown_or_suppressed_time(ask: Ask) -> None:
    figures = {"exposureMs": 130 * MINUTE, "unknownMs": 35 * MINUTE, "suppressedMs": None}

    assert ask("figure_words", "m.exposureWords(a)", figures) == "2 h 10 min out of range, 35 min 00 s unknown"
    assert ask("figure_words", "m.exposureWords(a)", {**figures, "unknownMs": 0}) == "2 h 10 min out of range, nothing unknown"
    with_suppressed = {**figures, "suppressedMs": 600_000}
    assert ask("figure_words", "m.exposureWords(a)", with_suppressed).endswith("unknown, 10 min 00 s suppressed")


def test_a_month_of_readings_is_drawn_again_within_a_frame_or_two(live_page: Page) -> None:
    live_page.locator(".tile").first.click()
    live_page.wait_for_selector(".chart[data-points]")

    took = live_page.evaluate(
        """async () => {
          const [{ Chart }, { fromReadings }, { lanesOf }, { TimelineLanes }] = await Promise.all(
            ["chart", "spans", "lanes", "timeline_lanes"].map((name) => import(`/static/${name}.js`)));
          const host = document.querySelector(".chart").cloneNode(false);
          document.querySelector(".chart-figure").append(host);
          const chart = new Chart(host, { onHover() {}, onSelect() {}, onReset() {} });
          const list = document.querySelector(".lanes").cloneNode(false);
          document.querySelector(".chart-figure").append(list);
          const lanes = new TimelineLanes(list, { onTell() {}, onStretch() {}, addressOf: () => "#" });
          const readings = [];
          const begin = Date.now() - 8640 * 300000;
          for (let n = 0; n < 8640; n += 1) readings.push({ measuredAt: begin + n * 300000, temperature: 5 + Math.sin(n / 9), fault: null });
          const conditions = [];
          for (let n = 0; n < 200; n += 1) {
            const startedAt = begin + n * 10_000_000;
            conditions.push({ id: n, kind: "door_open", startedAt, openedAt: startedAt, endedAt: startedAt + 600000, closedAt: startedAt + 600000 });
          }
          const took = [];
          for (let round = 0; round < 30; round += 1) {
            const to = begin + (8640 + round) * 300000;
            readings.push({ measuredAt: to, temperature: 5, fault: null });
            const started = performance.now();
            const from = to - 2_592_000_000;
            const columns = fromReadings(readings, from, to, 900000);
            chart.show({ columns, isBand: false, from, to, shaded: [], limits: [], maintenance: [], marked: null, zone: "UTC", degrees: "celsius" });
            const told = { bands: [], excursions: [], voided: [], conditions, corrections: [], maintenance: [], unknown: columns.unknown, breachingSince: null, from, to };
            lanes.show(lanesOf(told), { from, to, zone: "UTC", degrees: "celsius", chosen: null, insets: chart.insets() });
            took.push(performance.now() - started);
            await new Promise(requestAnimationFrame);
          }
          return took.sort((one, other) => one - other);
        }"""
    )

    assert took[len(took) // 2] < 50, f"half of the drawings took more than {took[len(took) // 2]:.0f} ms"


def test_the_timeline_loads_nothing_while_it_is_only_looked_at(live_page: Page, api: FakeApi) -> None:
    live_page.locator(".tile").first.click()
    live_page.wait_for_selector(".lane")
    live_page.wait_for_timeout(500)
    asked = len(api.asked)

    for _ in range(10):
        api.push_reading(api.fleet.units[1], 5.0, at=int(time.time() * 1000))
        live_page.wait_for_timeout(100)

    assert len(api.asked) == asked
