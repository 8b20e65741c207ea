"""What was known of an excursion when: its versions in the panel, and the panel as it was known at an instant."""

from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from tests.e2e.fake_api import TOKEN, FakeApi
from tests.e2e.fake_fleet import HOUR, LATE_AGE, MINUTE, FakeUnit, Script, iso
from tests.e2e.fake_history import correction, followed_by, versions_of
from tests.e2e.test_unit_panel import open_unit

BERLIN = ZoneInfo("Europe/Berlin")


def late_unit(api: FakeApi) -> FakeUnit:
    """Add a unit two hours of whose readings came late, with an excursion in them."""
    return api.fleet.add_unit(1, "Late fridge", (2.0, 8.0), Script.BACKFILLED)


def show(page: Page, api: FakeApi, fragment: str) -> None:
    """Open the page at an address and wait for the chart."""
    page.goto(f"{api.url}/#access_token={TOKEN}&{fragment}")
    page.wait_for_selector(".chart[data-points]")


def wall(at: int) -> str:
    """Return the clock of an instant in Berlin."""
    return f"{datetime.fromtimestamp(at / 1000, BERLIN):%H:%M:%S}"


def versions(page: Page) -> Locator:
    """Return the versions that are told."""
    return page.locator(".version")


def test_an_excursion_tells_each_version_with_why_it_came_and_what_it_changed(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[4]
    (excursion,) = api.fleet.excursions(unit)
    known = versions_of({**excursion, "peak_celsius": -9.0, "unknown_seconds": 0.0})
    late = {"peak_celsius": -8.5, "unknown_seconds": 2_100.0, "suppressed_seconds": 600.0, "started_at": iso(api.fleet.now - 340 * MINUTE)}
    known = followed_by(known, "late", api.fleet.now - 2 * HOUR, **late)
    known = followed_by(known, "correction", api.fleet.now - HOUR, peak_celsius=-8.7)
    api.history.versions[excursion["id"]] = known
    open_unit(live_page, unit.name)

    live_page.locator('[data-part="excursion-list"] a').click()

    told = versions(live_page)
    expect(told).to_have_count(4)
    expect(told.nth(0)).to_contain_text("Opened")
    expect(told.nth(1)).to_contain_text("Ended: open → ")
    expect(told.nth(1)).to_contain_text("Ended by: none → back in range")
    expect(told.nth(2)).to_contain_text("Changed by late readings")
    expect(told.nth(2)).to_contain_text("Peak: \u22129.0\u202f°C → \u22128.5\u202f°C")
    expect(told.nth(2)).to_contain_text("Unknown: 0 s → 35 min 00 s")
    expect(told.nth(2)).to_contain_text("Suppressed: none → 10 min 00 s")
    expect(told.nth(3)).to_contain_text("Changed by a correction")
    expect(live_page.locator('.version[data-valid="yes"]')).to_contain_text("believed now")
    expect(live_page.locator(".card-facts")).to_contain_text("Suppressed10 min 00 s")
    expect(live_page.locator('[data-part="excursion-list"]')).to_contain_text("out of range, 35 min 00 s unknown, 10 min 00 s suppressed")


def test_corrections_stand_among_the_versions_and_in_a_lane_with_who_made_them_and_why(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[4]
    now = api.fleet.now
    (excursion,) = api.fleet.excursions(unit)
    api.history.versions[excursion["id"]] = followed_by(versions_of(excursion), "correction", now - HOUR + 8_000, peak_celsius=-8.7)
    calibrated = correction(unit, "calibration", (now - 20 * HOUR, None), now - HOUR, comment="certificate 7", calibration_celsius=-0.2)
    taken_back = {"comment": "thawed", "revoked_at": iso(now - MINUTE), "revoked_by": "Ben", "revocation_comment": "another freezer"}
    flagged = correction(unit, "flag", (now - 2 * HOUR, now - HOUR), now - 30 * MINUTE, **taken_back)
    api.history.corrections[unit.sensor] = [flagged, calibrated]
    open_unit(live_page, unit.name)
    live_page.locator('[data-part="excursion-list"] a').click()

    told = versions(live_page)
    expect(told).to_have_count(4)
    expect(told.nth(2)).to_contain_text("Calibration corrected to an offset of \u22120.2\u202f°C")
    expect(told.nth(2)).to_contain_text("Ada Berg: “certificate 7”")
    expect(told.nth(3)).to_contain_text("Changed by a correction")
    bars = live_page.locator('[data-lane="corrections"] .bar')
    expect(bars).to_have_count(2)
    live_page.locator('.bar[data-kind="revoked"]').hover()
    expect(live_page.locator(".lane-told")).to_contain_text("Ada Berg: “thawed”; revoked ")
    expect(live_page.locator(".lane-told")).to_contain_text("Ben: “another freezer”")

    told.nth(1).get_by_role("link", name="Show as known then").click()
    expect(bars).to_have_count(0)
    expect(told).to_have_count(2)
    expect(live_page.locator(".as-known-corrected")).to_contain_text("as corrected today: 1 correction of this time came later")


def test_before_late_readings_came_the_panel_shows_a_gap_and_no_excursion(browser_page: Page, api: FakeApi) -> None:
    unit = late_unit(api)
    show(browser_page, api, f"unit={unit.id}")
    expect(browser_page.locator(".bar[data-kind='closed']")).to_have_count(1)
    expect(browser_page.locator(".chart")).to_have_attribute("data-unknown", "0")

    asked_at = api.fleet.now - LATE_AGE - HOUR
    show(browser_page, api, f"unit={unit.id}&known_at={iso(asked_at)}")

    expect(browser_page.locator('[data-part="as-known-title"]')).to_contain_text(f"{wall(asked_at)} CET")
    expect(browser_page.locator(".chart")).to_have_attribute("data-unknown", "1")
    expect(browser_page.locator(".bar[data-kind='closed']")).to_have_count(0)
    expect(browser_page.locator('[data-part="excursion-none"]')).to_contain_text("as far as was known then")
    expect(browser_page.locator(".panel-now")).to_be_hidden()
    expect(browser_page.locator('[data-part="as-known-value"]')).to_contain_text("Then ")

    browser_page.get_by_role("link", name="Back to now").click()
    expect(browser_page.locator(".as-known")).to_be_hidden()
    expect(browser_page.locator(".panel-now")).to_be_visible()
    expect(browser_page.locator(".bar[data-kind='closed']")).to_have_count(1)
    assert browser_page.url == f"{api.url}/#unit={unit.id}"


def test_a_version_leads_to_the_panel_as_it_was_known_when_that_version_was_learnt(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[4]
    (excursion,) = api.fleet.excursions(unit)
    open_unit(live_page, unit.name)
    live_page.locator('[data-part="excursion-list"] a').click()

    versions(live_page).nth(0).get_by_role("link", name="Show as known then").click()

    expect(live_page.locator(".as-known")).to_be_visible()
    expect(live_page.locator('[data-part="as-known-title"]')).to_be_focused()
    expect(live_page.locator(".bar[data-kind='open']")).to_have_count(1)
    expect(versions(live_page)).to_have_count(1)
    expect(live_page.locator(".card-state")).to_have_text("Open")
    expect(live_page.locator(".excursion-card")).to_contain_text("One version learnt later is left out.")
    live_page.go_back()
    expect(live_page.locator(".as-known")).to_be_hidden()
    expect(versions(live_page)).to_have_count(2)
    assert excursion["id"] in live_page.url


def test_any_instant_can_be_asked_for_in_the_time_of_the_site(live_page: Page, api: FakeApi) -> None:
    open_unit(live_page, "Vaccine fridge 1")
    field = live_page.get_by_label("Show as it was known at")
    asked_at = datetime.fromtimestamp((api.fleet.now - 5 * HOUR) // 1000, BERLIN)

    field.fill(f"{asked_at:%Y-%m-%dT%H:%M:%S}")
    field.press("Enter")

    expect(live_page.locator('[data-part="as-known-title"]')).to_contain_text(f"{asked_at:%H:%M:%S} CET")
    assert iso(round(asked_at.timestamp() * 1000)) in live_page.url


def test_an_instant_in_the_future_is_refused_with_a_reason(live_page: Page) -> None:
    open_unit(live_page, "Vaccine fridge 1")
    field = live_page.get_by_label("Show as it was known at")

    field.fill("2098-01-01T00:00:00")
    live_page.get_by_role("button", name="Show", exact=True).click()

    assert "nobody knows yet" in field.evaluate("node => node.validationMessage")
    expect(live_page.locator(".as-known")).to_be_hidden()


def test_live_readings_and_alerts_do_not_change_what_was_known_earlier(browser_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[1]
    show(browser_page, api, f"unit=1&known_at={iso(api.fleet.now - HOUR)}")
    browser_page.wait_for_selector('#connection[data-connection="live"]')
    summed = browser_page.locator(".chart-sum").inner_text()

    api.push("alert:triggered", unit, {**api.fleet.excursion(unit, 20, None), "category": "temperature"})
    api.push_reading(unit, 77.7)

    expect(browser_page.locator("#open-list")).to_contain_text(unit.name)
    expect(browser_page.locator(".chart-sum")).to_have_text(summed)
    expect(browser_page.locator(".lanes .bar")).to_have_count(0)


def test_a_voided_excursion_tells_that_and_leads_to_what_took_its_place(browser_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[4]
    (standing,) = api.fleet.excursions(unit)
    early = api.fleet.excursion(unit, 400, 390)
    void = followed_by(versions_of(early), "void", api.fleet.now - 2 * HOUR, superseded_by=standing["id"])
    api.history.versions[early["id"]] = void
    show(browser_page, api, f"unit={unit.id}&excursion={early['id']}")

    expect(browser_page.locator(".card-state")).to_have_text("Voided")
    expect(versions(browser_page).last).to_contain_text("Voided: no longer believed")
    browser_page.get_by_role("link", name="Another excursion took its place").click()

    expect(browser_page.locator(".card-state")).to_have_text("Closed")
    assert browser_page.url.endswith(f"excursion={standing['id']}")


def test_an_excursion_beyond_the_span_brings_its_time_into_sight(browser_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[1]
    old = api.fleet.excursion(unit, 50 * 60, 49 * 60)
    api.history.versions[old["id"]] = versions_of(old)

    show(browser_page, api, f"unit=1&excursion={old['id']}")

    expect(browser_page.locator(".bar[data-chosen='yes']")).to_have_count(1)
    expect(browser_page.locator(".readout")).to_contain_text(" to ")


def test_a_history_that_cannot_be_loaded_says_so_and_can_be_asked_for_again(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[4]
    (excursion,) = api.fleet.excursions(unit)
    path = f"GET excursions/{excursion['id']}/versions"
    api.answers[path] = (503, {"error": {"code": "database_unavailable", "message": "The database does not answer."}})
    open_unit(live_page, unit.name)
    live_page.locator('[data-part="excursion-list"] a').click()
    card = live_page.locator(".excursion-card")
    expect(card).to_contain_text("Its history could not be loaded. The database does not answer.")

    del api.answers[path]
    card.get_by_role("button", name="Try again").click()

    expect(versions(live_page)).to_have_count(2)


def test_a_new_version_is_told_while_the_excursion_is_looked_at(live_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[2]
    (excursion,) = api.fleet.excursions(unit)
    open_unit(live_page, unit.name)
    live_page.locator('[data-part="excursion-list"] a').click()
    expect(versions(live_page)).to_have_count(1)

    end = iso(api.fleet.now - MINUTE)
    closed = {"ended_at": end, "closed_at": end, "ended_by": "recovery"}
    api.history.versions[excursion["id"]] = followed_by(api.history.versions[excursion["id"]], "closed", api.fleet.now, **closed)
    api.push("alert:resolved", unit, {**excursion, **closed, "version": 2, "category": "temperature"})

    expect(versions(live_page)).to_have_count(2)
    expect(live_page.locator(".card-state")).to_have_text("Closed")


def test_the_running_figures_of_an_open_excursion_are_fetched_again(browser_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[2]
    (excursion,) = api.fleet.excursions(unit)
    browser_page.clock.install()
    show(browser_page, api, f"unit={unit.id}&excursion={excursion['id']}")
    figures = browser_page.locator('[data-part="excursion-list"]')
    expect(figures).to_contain_text("nothing unknown")
    grown = {"exposure_seconds": 4_800.0, "unknown_seconds": 600.0, "as_of": iso(api.fleet.now + 60_000)}
    api.history.versions[excursion["id"]] = [{**excursion, **grown, "superseded_by": None, "changed": []}]

    browser_page.clock.run_for(75_000)

    expect(figures).to_contain_text("1 h 20 min out of range, 10 min 00 s unknown")
    expect(browser_page.locator(".card-facts")).to_contain_text("10 min 00 s")


def test_an_excursion_of_another_sensor_brings_that_sensor(browser_page: Page, api: FakeApi) -> None:
    unit = api.fleet.units[1]
    other = {**api.fleet.sensor_json(unit), "id": unit.sensor + 1, "probe": "door"}
    api.answers["GET sensors"] = {"items": [api.fleet.sensor_json(unit), other], "next": None}
    excursion = {**api.fleet.excursion(unit, 120, 60), "sensor": unit.sensor + 1}
    api.history.versions[excursion["id"]] = versions_of(excursion)
    browser_page.goto(f"{api.url}/#access_token={TOKEN}&unit=1")
    expect(browser_page.get_by_role("button", name="door")).to_have_attribute("aria-pressed", "false")

    browser_page.locator('[data-part="excursion-list"] a').click()

    expect(browser_page.get_by_role("button", name="door")).to_have_attribute("aria-pressed", "true")
    expect(browser_page.locator(".bar[data-chosen='yes']")).to_have_count(1)


def test_a_unit_without_a_sensor_says_what_to_do(browser_page: Page, api: FakeApi) -> None:
    unit = api.fleet.unit_json(api.fleet.units[1])
    api.answers["GET units"] = {"items": [{**unit, "latest": None, "open_excursions": []}], "next": None}
    api.answers["GET sensors"] = {"items": [], "next": None}

    browser_page.goto(f"{api.url}/#access_token={TOKEN}&unit=1")

    expect(browser_page.locator(".chart-note")).to_have_text(
        "No sensor watches this unit, so nothing is known of it. Assign one in the set-up."
    )
