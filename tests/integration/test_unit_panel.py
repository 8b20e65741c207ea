"""The unit's panel in Chromium over the real API and real tables: what the fake API of tests/e2e answers is what the real one does.

The story is that of test_two_clocks: one excursion that was opened, closed, found longer and voided, one found late in its place, one open.
"""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from infra.local.local_stack import LocalStack
from pipelines.domain.instants import format_instant
from tests.e2e.chromium import launch
from tests.integration.api_facts import put_readings
from tests.integration.api_rig import DAY, MINUTE, organization, running_api
from tests.integration.test_two_clocks import Story, World, tell


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    now = int(time.time()) * 1_000
    with running_api(stack, tmp_path_factory.mktemp("api"), "unit_panel_test") as api:
        with api.connect() as connection:
            seeded = organization(connection, 1, now - 30 * DAY)
            story = tell(connection, seeded, now)
            readings = [(now - age * MINUTE, 450 + age % 40, None) for age in range(180, 0, -1)]
            put_readings(connection, seeded, story.sensor, story.unit, [*readings[:60], (now - 119 * MINUTE, None, 33), *readings[75:]])
        api.team("team-1", "ada")
        yield World(api, story, story)


@pytest.fixture(scope="module")
def page(world: World) -> Iterator[Page]:
    """The page, signed in; nothing that it asks may be refused, and nothing in it may fail."""
    refused: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.on("response", lambda told: refused.append(f"{told.status} {told.url}") if told.status >= 400 else None)
        opened.on("pageerror", lambda error: refused.append(str(error)))
        opened.goto(f"{world.api.url}/#access_token={world.api.token('ada')}")
        opened.wait_for_selector(".tile[data-unit]")
        yield opened
        browser.close()
    assert refused == []


def show(page: Page, story: Story, rest: str = "") -> None:
    """Go to the unit, and an excursion or an instant of it."""
    page.evaluate("(fragment) => { location.hash = fragment; }", f"unit={story.unit}{rest}")
    expect(page.locator(".chart-figure")).to_have_attribute("data-loading", "no", timeout=15_000)


def test_the_timeline_has_what_is_on_record(page: Page, world: World) -> None:
    show(page, world.ours)

    expect(page.locator(".chart")).to_have_attribute("data-kind", "line")
    expect(page.locator(".chart-sum")).to_contain_text("4.5\u202f°C to 4.9\u202f°C")
    assert int(page.locator(".chart").get_attribute("data-limits") or 0) >= 1
    lane = page.locator('[data-lane="band warm"]')
    expect(lane.locator('.bar[data-kind="open"]')).to_have_count(1)
    expect(lane.locator('.bar[data-kind="closed"]')).to_have_count(1)
    expect(lane.locator('.bar[data-kind="voided"]')).to_have_count(1)
    page.locator('[data-lane="unknown"] .bar').last.hover()
    expect(page.locator(".lane-told")).to_contain_text("Unknown: ")
    for span, kind in (("7d", "band"), ("30d", "band"), ("24h", "line")):
        page.locator(f'input[value="{span}"]').check(force=True)
        expect(page.locator(".chart")).to_have_attribute("data-kind", kind)


def test_an_excursion_tells_its_versions_and_the_panel_each_as_it_was_known(page: Page, world: World) -> None:
    story = world.ours
    first = story.id_of("first")
    show(page, story, f"&excursion={first}")
    expect(page.locator(".version")).to_have_count(4)
    expect(page.locator(".card-state")).to_have_text("Voided")
    expect(page.locator(".version").nth(2)).to_contain_text("Changed by late readings")

    page.locator(".version").nth(0).get_by_role("link", name="Show as known then").click()

    expect(page.locator(".as-known")).to_be_visible()
    expect(page.locator(".card-state")).to_have_text("Open")
    expect(page.locator('[data-lane="band warm"] .bar')).to_have_count(1)
    expect(page.locator('[data-lane="band warm"] .bar[data-kind="open"]')).to_have_count(1)


def test_before_anything_was_learnt_the_panel_shows_no_excursion(page: Page, world: World) -> None:
    show(page, world.ours, f"&known_at={format_instant(world.ours.learnt[0] - MINUTE)}")

    expect(page.locator(".as-known")).to_be_visible()
    expect(page.locator('[data-part="excursion-none"]')).to_be_visible()
    expect(page.locator('.lanes .bar[data-kind="open"], .lanes .bar[data-kind="closed"], .lanes .bar[data-kind="voided"]')).to_have_count(0)
