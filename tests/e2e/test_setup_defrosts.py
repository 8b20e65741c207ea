"""What a unit's defrosts look like to a sensor, on its set-up page: proposed with evidence, taken over by a person."""

from typing import Any, Final

from playwright.sync_api import expect

from tests.e2e.fake_api import FakeApi
from tests.e2e.test_setup import EFFECTIVE_AT, Open, changed, open_setup, refusal, registration

__all__ = ["open_setup"]

PROFILE: Final = {"period_seconds": 19_440.0, "peak_celsius": -8.5, "duration_seconds": 2_400.0}
LEARNED: Final[dict[str, Any]] = {
    "sensor": 5,
    "band": "early",
    "from": "2026-11-11T19:00:00.000Z",
    "to": "2026-11-25T19:00:00.000Z",
    "readings": 4_032,
    "in_force": None,
    "why": None,
    "proposal": PROFILE,
    "evidence": {
        "rises": 56,
        "explained": 55,
        "period_seconds": 21_600.0,
        "jitter_seconds": 61.0,
        "peak_celsius": -9.8,
        "duration_seconds": 1_800.0,
        "decay_seconds": 900.0,
        "from": "2026-11-11T20:00:00.000Z",
        "to": "2026-11-25T00:00:00.000Z",
    },
}


def test_a_profile_is_proposed_with_what_bears_it_out_and_taken_over_as_it_was_seen(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET sensors/5/registration"] = registration()
    api.answers["GET sensors/5/defrosts"] = LEARNED
    api.answers["POST sensors/5/defrosts/accept"] = changed(registration(), EFFECTIVE_AT, "changed")
    page = open_setup("part=sensors&id=5")
    assert "sensors/5/defrosts" not in api.asked

    page.get_by_text("What its defrosts look like").click()

    learned = page.locator("details", has_text="What its defrosts look like")
    expect(learned).to_contain_text(
        "Above the limit of early, a rise would count as a defrost where it is at least 5 h 24 min after the last"
    )
    expect(learned).to_contain_text("no warmer than \u22128.5\u202f°C, and no longer than 40 min")
    expect(learned).to_contain_text("55 of 56 rises that began a period apart")
    page.get_by_role("button", name="Take over this profile").click()
    expect(page.locator(".said")).to_contain_text("Saved")
    assert api.sent == [("POST sensors/5/defrosts/accept", {"band": "early", "defrost": PROFILE})]


def test_what_is_in_force_already_is_not_offered_again(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET sensors/5/registration"] = registration()
    api.answers["GET sensors/5/defrosts"] = {**LEARNED, "in_force": PROFILE}
    page = open_setup("part=sensors&id=5")

    page.get_by_text("What its defrosts look like").click()

    expect(page.locator("details", has_text="What its defrosts look like")).to_contain_text("In force: at least 5 h 24 min after the last")
    expect(page.get_by_role("button", name="Take over this profile")).to_have_count(0)


def test_where_no_profile_is_proposed_it_says_why_in_words(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET sensors/5/registration"] = registration()
    api.answers["GET sensors/5/defrosts"] = {**LEARNED, "proposal": None, "evidence": None, "why": "too_few"}
    page = open_setup("part=sensors&id=5")

    page.get_by_text("What its defrosts look like").click()

    expect(page.locator("details", has_text="What its defrosts look like")).to_contain_text("above the limit of early: too few rises")
    expect(page.get_by_role("button", name="Take over this profile")).to_have_count(0)


def test_where_it_is_not_plain_which_band_is_meant_it_is_asked_for(open_setup: Open, api: FakeApi) -> None:
    api.answers["GET sensors/5/registration"] = registration()
    api.answers["GET sensors/5/defrosts"] = refusal(409, "no_band", "Name one as band: early, high.")
    page = open_setup("part=sensors&id=5")
    page.get_by_text("What its defrosts look like").click()
    learned = page.locator("details", has_text="What its defrosts look like")
    expect(learned.locator(".field-error").first).to_contain_text("early, high")

    api.answers["GET sensors/5/defrosts"] = LEARNED
    learned.get_by_label("Defrosts rise above the limit of band").fill("early")
    learned.get_by_role("button", name="Look").click()

    expect(learned).to_contain_text("Above the limit of early")
