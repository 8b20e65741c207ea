"""What a policy says beside its bands' figures, and what is learned of a sensor: conditions, known causes, the interval."""

from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fake_api import FakeApi
from tests.e2e.test_setup import EFFECTIVE_AT, Open, changed, open_setup, refusal, registration

__all__ = ["open_setup"]

WARM: Final = {"name": "warm", "side": "high", "limit_celsius": 8, "severity": "critical", "hold_seconds": 900, "min_samples": 2}
LEARNED: Final[dict[str, Any]] = {
    "sensor": 5,
    "from": "2026-11-11T19:00:00.000Z",
    "to": "2026-11-25T19:00:00.000Z",
    "in_force_seconds": 900.0,
    "proposal": {
        "interval_seconds": 600.0,
        "gaps": 1_990,
        "singles": 1_950,
        "explained_fraction": 0.987,
        "jitter_seconds": 1.24,
        "from": "2026-11-11T19:00:00.000Z",
        "to": "2026-11-25T19:00:00.000Z",
    },
    "why": None,
    "uplinks": 2_003,
    "gaps": 2_002,
    "quantiles": {"50": 600.0},
    "longest_gap_seconds": 3_600.0,
    "histogram": [],
}


def preset(api: FakeApi, **document: object) -> None:
    """Offer one preset, and refuse whatever is made of it."""
    whole = {"id": "one", "name": "One", "summary": "", "sources": ["Ours"], "document": {"bands": [WARM], **document}}
    api.answers["GET policy-presets"] = {"items": [whole], "next": None}
    api.answers["POST policies"] = refusal(400, "bad_request", "document: conditions.battery_low.low_percent: must lie within 0 and 100")


def make_policy(page: Page, api: FakeApi) -> dict[str, Any]:
    """Send the form; return the document that was sent."""
    with page.expect_response("**/api/v1/policies"):
        page.get_by_role("button", name="Make the policy").click()
    document = api.sent[-1][1]["document"]
    assert isinstance(document, dict)
    return document


def condition(page: Page, kind: str) -> Any:
    """Return the fields of a condition."""
    return page.locator(f'[data-condition="{kind}"]')


def test_a_condition_is_named_with_what_was_filled_in_and_an_error_stands_beside_its_field(open_setup: Open, api: FakeApi) -> None:
    preset(api)
    page = open_setup("part=policies&new=1&preset=one")
    page.get_by_text("Conditions: faults, batteries").click()
    battery = condition(page, "battery_low")
    expect(battery.get_by_label("Below, in percent")).to_be_hidden()

    battery.get_by_label("Battery low").select_option("critical")
    battery.get_by_label("Below, in percent").fill("200")
    condition(page, "door_open").get_by_label("Door open").select_option("none")
    condition(page, "clock_wrong").get_by_label("Clock wrong").select_option("off")

    document = make_policy(page, api)
    expect(battery.locator('[data-field="low_percent"] .field-error')).to_have_text("Must lie within 0 and 100.")
    assert document == {
        "bands": [WARM],
        "conditions": {
            "battery_low": {"alert": "critical", "low_percent": 200},
            "door_open": {"alert": "none"},
            "clock_wrong": {"enabled": False},
        },
    }


def test_conditions_that_nobody_touched_are_sent_as_they_came(open_setup: Open, api: FakeApi) -> None:
    conditions = {"sensor_fault": {"alert": "warning", "marks": 3}, "frozen_value": {"alert": "none"}, "battery_low": {"enabled": False}}
    preset(api, conditions=conditions)

    page = open_setup("part=policies&new=1&preset=one")

    expect(condition(page, "sensor_fault").get_by_label("Faults in a row")).to_have_value("3")
    assert make_policy(page, api)["conditions"] == conditions


def test_without_any_condition_the_document_does_not_speak_of_them(open_setup: Open, api: FakeApi) -> None:
    preset(api)
    page = open_setup("part=policies&new=1&preset=one")

    assert make_policy(page, api) == {"bands": [WARM]}


def test_an_operational_band_says_which_causes_hold_it_back(open_setup: Open, api: FakeApi) -> None:
    preset(api)
    page = open_setup("part=policies&new=1&preset=one")
    band = page.locator(".band").nth(0)
    expect(band.get_by_label("Held back in a defrost")).to_have_count(0)

    band.get_by_label("For", exact=True).select_option("operational")
    band.get_by_label("Held back in a defrost").check()
    band.get_by_label("Held back after a door was open").check()
    band.locator('[data-field="suppress.door_grace_seconds"] input').fill("10")

    suppress = {"defrost": True, "door": True, "door_grace_seconds": 600}
    sent = make_policy(page, api)["bands"]
    assert sent == [{**WARM, "role": "operational", "suppress": suppress}]


@pytest.mark.parametrize(("label", "choice"), [("For", "compliance"), ("Out of range", "low")])
def test_what_can_no_longer_hold_a_band_back_is_not_sent(open_setup: Open, api: FakeApi, label: str, choice: str) -> None:
    preset(api, bands=[{**WARM, "role": "operational", "suppress": {"defrost": True, "door": True}}])
    page = open_setup("part=policies&new=1&preset=one")

    page.locator(".band").nth(0).get_by_label(label, exact=True).select_option(choice)

    assert "suppress" not in make_policy(page, api)["bands"][0]


def test_what_is_learned_of_an_interval_is_shown_with_its_evidence_and_taken_over(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET sensors/5/registration"] = registration()
    api.answers["GET sensors/5/expected-interval"] = LEARNED
    api.answers["POST sensors/5/expected-interval/accept"] = changed(registration(), EFFECTIVE_AT, "changed")
    page = open_setup("part=sensors&id=5")
    assert "sensors/5/expected-interval" not in api.asked

    page.get_by_text("What its uplinks say").click()

    learned = page.locator("details", has_text="What its uplinks say")
    expect(learned).to_contain_text("It seems to report every 10 min; 15 min is in force.")
    expect(learned).to_contain_text("1,990 gaps that are it or a multiple of it, 1,950 of them it itself")
    expect(learned).to_contain_text("98.7 %")
    page.get_by_role("button", name="Take over 10 min").click()

    expect(page.locator(".said")).to_contain_text("Saved")
    assert api.sent == [("POST sensors/5/expected-interval/accept", {"expected_interval_seconds": 600.0})]


def test_where_nothing_is_proposed_it_says_why_and_offers_nothing(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET sensors/5/registration"] = registration()
    api.answers["GET sensors/5/expected-interval"] = {**LEARNED, "proposal": None, "why": "fewer than 20 gaps"}
    page = open_setup("part=sensors&id=5")

    page.get_by_text("What its uplinks say").click()

    expect(page.locator("details", has_text="What its uplinks say")).to_contain_text("No interval is proposed: fewer than 20 gaps.")
    expect(page.get_by_role("button", name="Take over")).to_have_count(0)
