"""Correcting the past from a unit's panel: chosen on the chart, looked at before it is confirmed, and revoked with a reason."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import HOUR, MINUTE, FakeUnit, Json, iso
from tests.e2e.fake_history import correction
from tests.e2e.test_unit_panel import open_unit

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def unit(api: FakeApi) -> FakeUnit:
    """The freezer that was too warm from 350 to 250 minutes ago."""
    return api.fleet.units[4]


@pytest.fixture
def form(live_page: Page, api: FakeApi, unit: FakeUnit) -> Page:
    """The form for that freezer, with a preview scripted."""
    api.answers["POST corrections/preview"] = previewed(api, unit)
    open_unit(live_page, unit.name)
    live_page.get_by_role("button", name="Correct the past").click()
    return live_page


def previewed(api: FakeApi, unit: FakeUnit) -> Json:
    """Return a preview in which the freezer's excursion is lost and a short one is gained."""
    (lost,) = api.fleet.excursions(unit)
    now = api.fleet.now
    fields = ("unit", "started_at", "opened_at", "ended_at", "closed_at", "ended_by", "peak_celsius", "exposure_seconds")
    before = {name: lost[name] for name in fields}
    after = {**before, "started_at": iso(now - 240 * MINUTE), "ended_at": iso(now - 220 * MINUTE), "exposure_seconds": 1_200.0}
    about = {"sensor": unit.sensor, "band": "high", "kind": "sustained", "side": "high", "severity": "critical"}
    changes = [
        {**about, "id": lost["id"], "outcome": "voided", "before": before, "after": None},
        {**about, "id": "another", "outcome": "new", "before": None, "after": after},
    ]
    return {"corrections": [], "readings": 12, "judged": 140, "changes": changes}


def made(api: FakeApi) -> Json:
    """Return an answer to a correction that was made."""
    return {"outcome": "created", "effective_at": iso(api.fleet.now + 8_000), "items": []}


def fill(page: Page, start: int, end: int | None, comment: str = "the probe lay on the floor") -> None:
    """Fill in a stretch and a reason."""
    page.get_by_label("From", exact=True).fill(wall(start))
    if end is not None:
        page.get_by_label("To", exact=True).fill(wall(end))
    page.get_by_label("Why (required)").fill(comment)


def wall(at: int) -> str:
    """Return an instant as a field of the site's time has it."""
    return f"{datetime.fromtimestamp(at // 1000, BERLIN):%Y-%m-%dT%H:%M:%S}"


def sent(api: FakeApi, path: str) -> list[Any]:
    """Return what was sent to a path."""
    return [body for name, body in api.sent if name == f"POST {path}"]


def test_what_would_change_is_seen_in_words_and_as_a_picture_before_it_is_confirmed(form: Page, api: FakeApi, unit: FakeUnit) -> None:
    start, end = api.fleet.now - 6 * HOUR, api.fleet.now - 4 * HOUR
    fill(form, start, end)
    expect(form.get_by_role("button", name="Confirm this correction")).to_have_count(0)

    form.get_by_role("button", name="Preview").click()

    expect(form.locator(".preview-sum")).to_contain_text("1 excursion gained, 1 lost")
    expect(form.locator(".preview-sum")).to_contain_text("12 stored readings; 140 readings would be judged again")
    expect(form.locator('.preview-group[data-outcome="voided"] li')).to_contain_text("1 h 40 min out of range")
    expect(form.locator('.preview-group[data-outcome="new"] li')).to_contain_text("20 min 00 s out of range")
    picture = form.get_by_role("img", name="Before and after the correction")
    expect(picture.locator(".change")).to_have_count(2)
    drawn = [picture.locator(f".series.{name}").get_attribute("d") or "" for name in ("before", "after")]
    assert drawn[1].count("V") < drawn[0].count("V"), "what is flagged is not drawn after"
    order = {"kind": "flag", "sensor": unit.sensor, "comment": "the probe lay on the floor"}
    whole = {"from": iso(start // 1000 * 1000), "to": iso(end // 1000 * 1000)}
    assert api.sent == [("POST corrections/preview", {**order, **whole})]

    api.answers["POST corrections"] = (201, made(api))
    form.get_by_role("button", name="Confirm this correction").click()

    expect(form.locator(".correction-said")).to_contain_text("Corrected. What it touches is judged again at")
    expect(form.locator(".correction-said")).to_be_focused()
    expect(form.locator(".corrector")).to_be_hidden()
    assert sent(api, "corrections") == [{**order, **whole}]


def test_a_stretch_is_chosen_by_dragging_over_the_chart(form: Page) -> None:
    form.locator(".timeline-head").evaluate("node => node.scrollIntoView({ block: 'start' })")
    box = form.locator(".chart .u-over").bounding_box()
    assert box is not None
    form.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    form.mouse.down()
    form.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=4)
    form.mouse.up()

    expect(form.locator('.chart[data-marked="yes"]')).to_have_count(1)
    expect(form.locator(".legend").first).to_contain_text("To be corrected")
    chosen = [datetime.fromisoformat(form.get_by_label(name, exact=True).input_value()) for name in ("From", "To")]
    assert 5.5 * HOUR < (chosen[1] - chosen[0]).total_seconds() * 1000 < 6.5 * HOUR
    expect(form.locator(".readout")).not_to_contain_text("6 hours")


def test_nothing_is_asked_without_a_reason_and_what_was_typed_stays(form: Page, api: FakeApi) -> None:
    fill(form, api.fleet.now - 6 * HOUR, api.fleet.now - 4 * HOUR, comment="")

    form.get_by_role("button", name="Preview").click()

    expect(form.locator(".correct-comment .correct-error")).to_contain_text("a correction is not made without a reason")
    expect(form.get_by_label("Why (required)")).to_be_focused()
    assert api.sent == []


def test_a_changed_field_takes_the_preview_back(form: Page, api: FakeApi) -> None:
    fill(form, api.fleet.now - 6 * HOUR, api.fleet.now - 4 * HOUR)
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_role("button", name="Confirm this correction")).to_be_visible()

    form.get_by_label("To", exact=True).fill(wall(api.fleet.now - 3 * HOUR))

    expect(form.get_by_role("button", name="Confirm this correction")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "code", "message", "words"),
    [
        (503, "busy", "x", "wait a few seconds and press the button again"),
        (
            409,
            "in_use",
            "The end of the assignment is planned already: wait for it, then correct it.",
            "wait for it, then correct it. Nothing was",
        ),
        (409, "too_much", "x", "Choose a later beginning, or do it without a preview"),
        (503, "query_too_long", "x", "The database took too long. Nothing was changed"),
    ],
)
def test_what_stands_in_the_way_is_said_with_what_to_do(form: Page, api: FakeApi, status: int, code: str, message: str, words: str) -> None:
    api.answers["POST corrections/preview"] = (status, {"error": {"code": code, "message": message}})
    fill(form, api.fleet.now - 6 * HOUR, api.fleet.now - 4 * HOUR)

    form.get_by_role("button", name="Preview").click()

    expect(form.locator(".corrector .correct-said")).to_contain_text(words)
    without = form.get_by_role("button", name="Confirm without a preview")
    expect(without).to_have_count(1 if code in ("too_much", "query_too_long") else 0)
    expect(form.get_by_label("Why (required)")).to_have_value("the probe lay on the floor")


def test_a_field_that_the_server_refuses_is_named(form: Page, api: FakeApi) -> None:
    refused = "to: must not lie in the future"
    api.answers["POST corrections/preview"] = (400, {"error": {"code": "bad_request", "message": refused}})
    fill(form, api.fleet.now - 6 * HOUR, api.fleet.now - 4 * HOUR)

    form.get_by_role("button", name="Preview").click()

    expect(form.locator(".correct-to .correct-error")).to_have_text("Must not lie in the future.")
    expect(form.get_by_label("To", exact=True)).to_be_focused()


def test_a_calibration_is_drawn_with_its_offset(form: Page, api: FakeApi, unit: FakeUnit) -> None:
    api.answers[f"GET sensors/{unit.sensor}/registration"] = {"configurations": [{"effective_at": iso(0), "calibration_celsius": 0.0}]}
    form.get_by_label("What was wrong").select_option("calibration")
    form.get_by_label("Offset in °C").fill("\u22122,5")
    fill(form, api.fleet.now - 6 * HOUR, None)

    form.get_by_role("button", name="Preview").click()

    picture = form.get_by_role("img", name="Before and after the correction")
    before, after = (picture.locator(f".series.{name}").get_attribute("d") for name in ("before", "after"))
    assert before != after
    (order,) = sent(api, "corrections/preview")
    assert (order["kind"], order["calibration_celsius"], "to" in order) == ("calibration", -2.5, False)


@pytest.mark.parametrize(
    ("kind", "label", "choice", "field", "value"),
    [
        ("assignment", "It watched", "Vaccine fridge 1", "unit", 1),
        ("assignment", "It watched", "At no unit", "unit", None),
        ("swap", "Mixed up with", "Vaccine fridge 1, main", "other", 100_001),
        ("policy", "It was judged by", "freezers, version 2", "policy_version", 12),
    ],
)
def test_each_kind_asks_for_what_it_needs(
    form: Page, api: FakeApi, kind: str, label: str, choice: str, field: str, value: int | None
) -> None:
    document = {"bands": api.fleet.bands(api.fleet.units[4])}
    api.answers["GET policies"] = {"items": [{"id": 2}], "next": None}
    versions = [{"id": number + 10, "version": number, "document": document} for number in (1, 2)]
    api.answers["GET policies/2"] = {"id": 2, "name": "freezers", "versions": versions}
    form.get_by_label("What was wrong").select_option(kind)
    form.get_by_label(label).select_option(label=choice)
    fill(form, api.fleet.now - 6 * HOUR, None)

    form.get_by_role("button", name="Preview").click()

    expect(form.locator(".preview-picture")).to_be_visible()
    (order,) = sent(api, "corrections/preview")
    assert order["kind"] == kind
    assert order[field] == value
    assert "to" not in order


def test_escape_closes_the_form_and_not_the_panel(form: Page) -> None:
    form.get_by_label("Why (required)").press("Escape")

    expect(form.locator(".corrector")).to_be_hidden()
    expect(form.locator("#panel")).to_be_visible()
    expect(form.get_by_role("button", name="Correct the past")).to_be_focused()


def test_a_correction_is_revoked_with_a_reason(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    stands = correction(unit, "flag", (api.fleet.now - 6 * HOUR, api.fleet.now - 5 * HOUR), api.fleet.now - HOUR, comment="thawed")
    api.history.corrections[unit.sensor] = [stands]
    open_unit(live_page, unit.name)
    listed = live_page.locator(".corrections-list li")
    expect(listed).to_contain_text("Readings flagged as not to be believed")
    expect(listed).to_contain_text("Ada Berg: “thawed”")

    listed.get_by_role("button", name="Revoke").click()
    live_page.get_by_role("button", name="Revoke it").click()
    expect(listed).to_contain_text("a correction is not revoked without a reason")
    path = f"corrections/{stands['id']}/revoke"
    api.answers[f"POST {path}"] = {"outcome": "changed", "effective_at": iso(api.fleet.now + 8_000), "items": []}
    live_page.get_by_label("Why it is revoked").fill("it was the freezer beside it")
    live_page.get_by_role("button", name="Revoke it").click()

    expect(live_page.locator(".correction-said")).to_contain_text("Revoked. What it touches is judged again at")
    assert sent(api, path) == [{"comment": "it was the freezer beside it"}]


def test_who_may_only_read_sees_corrections_and_can_make_none(live_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    api.answers["GET teams"] = {"items": [{"id": "t", "name": "Northern", "organization": 1, "may_manage": False}], "next": None}
    api.history.corrections[unit.sensor] = [
        correction(unit, "flag", (api.fleet.now - 6 * HOUR, None), api.fleet.now - HOUR, comment="thawed")
    ]

    open_unit(live_page, unit.name)

    expect(live_page.locator(".corrections-list li")).to_have_count(1)
    expect(live_page.get_by_role("button", name="Revoke")).to_have_count(0)
    expect(live_page.get_by_role("button", name="Correct the past")).to_have_count(0)


def test_nothing_is_corrected_while_the_panel_shows_an_earlier_instant(browser_page: Page, api: FakeApi, unit: FakeUnit) -> None:
    browser_page.goto(f"{api.url}/#access_token={TOKEN}&unit={unit.id}&known_at={iso(api.fleet.now - HOUR)}")
    expect(browser_page.locator(".as-known")).to_be_visible()
    expect(browser_page.get_by_role("button", name="Correct the past")).to_have_count(0)

    browser_page.get_by_role("link", name="Back to now").click()

    expect(browser_page.get_by_role("button", name="Correct the past")).to_be_visible()
