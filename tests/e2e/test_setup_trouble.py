"""The set-up page when something is wrong: import reports, the story of a device, dead letters and their replays."""

import base64
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fake_api import TOKEN, FakeApi

AT: Final = "2026-11-25T14:00:00.000Z"
EUI: Final = "A84041000181C061"
LETTER: Final = "0190a000-0000-7000-8000-000000000001"
REASON: Final = {
    "reason": "unassigned",
    "about": "uplink",
    "meaning": "No sensor is registered.",
    "what_to_do": "Register it.",
    "replay": "helps",
}


def letter(**fields: object) -> dict[str, Any]:
    """Return a dead letter as the API tells of it."""
    whole = {
        "id": LETTER,
        "organization": 1,
        "application": "acme-cold",
        "kind": "unassigned",
        "reason": "unassigned",
        "detail": "",
        "dev_eui": EUI,
        "received_at": AT,
        "topic": "uplinks",
        "partition": 12,
        "offset": 4711,
        "part": 0,
        "size_bytes": 18,
        "meaning": REASON["meaning"],
        "what_to_do": REASON["what_to_do"],
        "replay_of": None,
        "replay": None,
    }
    return {**whole, **fields}


def replays(status: str, *, is_dry: bool) -> dict[str, Any]:
    """Return what a replay of the letter answers."""
    reading = {"sensor": 5, "unit": 3, "probe": "main", "measured_at": AT, "temperature_celsius": 4.31, "fault": None}
    becomes = {"ended_as": "stored", "reason": None, "detail": "", "readings": [reading]}
    item = {"id": LETTER, "dev_eui": EUI, "reason": "unassigned", "received_at": AT, "status": status, "message": "Would store 1 reading."}
    placed = {"partition": None, "offset": None} if is_dry else {"partition": 12, "offset": 4900}
    return {"dry_run": is_dry, "counts": {status: 1}, "next": None, "items": [{**item, "becomes": becomes, **placed}]}


def story(code: str, sentence: str, what_to_do: str, **fields: object) -> dict[str, Any]:
    """Return the story of a device that nobody registered."""
    entry = {
        "received_at": AT,
        "measured_at": None,
        "ended_as": "unassigned",
        "reason": "unassigned",
        "sentence": "No sensor is registered.",
        "sensor": None,
        "unit": None,
        "temperature_celsius": None,
        "late": False,
        "letter": LETTER,
        "replay": None,
    }
    whole = {
        "dev_eui": EUI,
        "organization": 1,
        "as_of": AT,
        "verdict": {"code": code, "healthy": False, "sentence": sentence, "what_to_do": what_to_do},
        "device": None,
        "last_heard_at": AT,
        "offline_since": None,
        "sensors": [],
        "probes_heard": ["external"],
        "ends": [{"ended_as": "unassigned", "reason": "unassigned", "uplinks": 14, "since": None, "last_at": AT}],
        "waiting_letters": 1,
        "recent": [entry],
    }
    return {**whole, **fields}


@pytest.fixture
def setup_page(browser_page: Page, api: FakeApi) -> Page:
    """The set-up page, signed in, with a dead letter to be had."""
    api.answers["GET reasons"] = {"items": [REASON], "next": None}
    api.answers["GET dead-letters"] = {"items": [letter()], "next": None}
    browser_page.goto(f"{api.url}/setup#access_token={TOKEN}&part=import")
    browser_page.wait_for_selector('body[data-view="setup"]')
    return browser_page


def go(page: Page, place: str) -> None:
    """Go to a place of the page; what is looked for there waits until it is drawn."""
    page.evaluate(f"location.hash = '#{place}'")


def line(number: int, outcome: str, **fields: object) -> dict[str, Any]:
    """Return a line of an import's report."""
    named = {"site": "Clinic North", "unit": f"Fridge {number}", "dev_eui": EUI, "probe": "main", "changes": [], "errors": []}
    return {"line": number, "outcome": outcome, **named, **fields}


def report(items: list[dict[str, Any]], *, is_dry: bool = True) -> dict[str, Any]:
    """Return an import's report."""
    counts = {name: sum(item["outcome"] == name for item in items) for name in ("created", "changed", "unchanged", "error")}
    totals = {"sites": 0, "units": 0, "sensors": counts["created"], "devices": 0, "configurations": 0, "assignments": 0, "unit_policies": 0}
    at = {"dry_run": is_dry, "written": not is_dry, "effective_at": AT}
    return {**at, "lines": len(items), "counts": counts, "totals": totals, "items": items}


def choose(page: Page, text: str) -> None:
    """Choose a file in the import."""
    page.set_input_files("#import-file", {"name": "sensors.csv", "mimeType": "text/csv", "buffer": text.encode()})


def test_an_import_with_a_wrong_line_shows_that_line_and_cannot_be_written(setup_page: Page, api: FakeApi) -> None:
    wrong = line(3, "error", errors=["dev_eui: has 15 hexadecimal digits instead of 16"])
    api.answers["POST imports"] = report([line(2, "created"), wrong])

    choose(setup_page, "site,unit,dev_eui\n")

    rows = setup_page.get_by_role("table", name="Lines of the file").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("has 15 hexadecimal digits instead of 16")
    expect(setup_page.get_by_role("button", name="Import", exact=False)).to_have_count(0)
    setup_page.get_by_role("button", name="All lines 2").click()
    expect(rows).to_have_count(2)


def test_an_import_is_written_only_after_it_was_looked_at(setup_page: Page, api: FakeApi) -> None:
    items = [line(2, "created", changes=["sensor is created"]), line(3, "unchanged")]
    api.answers["POST imports"] = report(items)
    choose(setup_page, "site,unit,dev_eui\nClinic North,Fridge 2,A84041000181C061\n")
    expect(setup_page.get_by_role("heading", name="sensors.csv can be imported")).to_be_focused()
    api.answers["POST imports"] = report(items, is_dry=False)

    setup_page.get_by_role("button", name="Import 2 lines").click()

    expect(setup_page.get_by_role("heading", name="sensors.csv is imported")).to_be_visible()
    text = "site,unit,dev_eui\nClinic North,Fridge 2,A84041000181C061\n"
    assert api.sent == [("POST imports", {"text": text})] * 2


def test_a_device_that_nobody_registered_leads_to_its_registration(setup_page: Page, api: FakeApi) -> None:
    sentence = "It was heard 14 times, last at 2026-11-25T14:00:00.000Z, but is not registered in this organization."
    api.answers[f"GET devices/{EUI}/story"] = story("not_registered", sentence, "Register it with a sensor.")
    go(setup_page, "part=why")

    setup_page.get_by_label("Device EUI").fill("a8:40:41:00:01:81:c0:61")
    setup_page.get_by_role("button", name="Look").click()
    expect(setup_page.locator(".verdict")).to_contain_text("but is not registered in this organization")
    expect(setup_page.locator(".verdict")).not_to_contain_text("T14:00")
    expect(setup_page.locator(".timeline li")).to_have_count(1)
    setup_page.get_by_role("link", name="Register it").click()

    expect(setup_page.get_by_label("Device EUI")).to_have_value("A8-40-41-00-01-81-C0-61")


def test_what_is_no_eui_is_told_so_before_it_is_sent(setup_page: Page, api: FakeApi) -> None:
    go(setup_page, "part=why")

    setup_page.get_by_label("Device EUI").fill("a8:40:41:00:01:81:c0")
    setup_page.get_by_role("button", name="Look").click()

    expect(setup_page.locator(".field-error")).to_have_text("It has 14 digits instead of 16.")
    assert not any("devices" in asked for asked in api.asked)


def test_a_dead_letter_shows_its_message_and_what_to_do(setup_page: Page, api: FakeApi) -> None:
    raw = base64.b64encode(b'{"f_port":2,"b":1}').decode()
    api.answers[f"GET dead-letters/{LETTER}"] = letter(raw_base64=raw, replays=[])
    go(setup_page, "part=letters")

    setup_page.get_by_role("table", name="Dead letters").get_by_role("link").first.click()

    expect(setup_page.get_by_text("Register it.")).to_be_visible()
    expect(setup_page.locator("pre")).to_have_text('{\n  "f_port": 2,\n  "b": 1\n}')


def test_letters_are_replayed_after_a_dry_run_and_what_became_of_them_is_told(setup_page: Page, api: FakeApi) -> None:
    api.answers["POST dead-letters/replay"] = replays("would_replay", is_dry=True)
    done = {"attempt": 1, "replayed_at": AT, "replayed_by": "Ada", "partition": 12, "offset": 4900, "outcome": "stored", "reason": None}
    api.answers[f"GET dead-letters/{LETTER}"] = letter(replay=done)
    go(setup_page, f"part=letters&dev_eui={EUI}")

    setup_page.get_by_role("button", name="Try a replay of all that match").click()
    expect(setup_page.locator(".replay-outcome")).to_contain_text("4.31 °C, main")
    api.answers["POST dead-letters/replay"] = replays("replayed", is_dry=False)
    setup_page.get_by_role("button", name="Replay 1").click()

    expect(setup_page.locator(".became")).to_have_text("It was stored.", timeout=10_000)
    wanted = {"organization": 1, "dev_eui": EUI, "again": False}
    assert [body for _, body in api.sent] == [{**wanted, "dry_run": True}, {**wanted, "dry_run": False}]


def test_the_panel_of_a_unit_leads_to_the_story_of_its_device(setup_page: Page, api: FakeApi) -> None:
    sensor = api.fleet.sensor_json(api.fleet.units[1])
    told = story("offline", "It was last heard at 2026-11-25T14:00:00.000Z.", "Look at its battery.", dev_eui=sensor["device"]["dev_eui"])
    api.answers["GET sensors"] = {"items": [sensor], "next": None}
    api.answers[f"GET devices/{sensor['device']['dev_eui']}/story"] = told
    setup_page.goto(f"{api.url}/#unit=1")

    setup_page.get_by_role("link", name="Why is it not showing?").click()

    expect(setup_page.locator(".verdict")).to_contain_text("It was last heard")
    expect(setup_page.get_by_label("Device EUI")).to_have_value("A8-40-41-00-00-00-00-01")
