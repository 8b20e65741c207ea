"""Policies and secrets by API over a real database, and every value that cannot be taken, with what to write instead."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.local_stack import LocalStack
from tests.integration.registry_rig import (
    DAY,
    LATER,
    MKT,
    WARM,
    World,
    in_seconds,
    ms,
    new_name,
    policy,
    refused,
    running_world,
    sensor,
    site,
    unit,
)


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(stack, tmp_path_factory.mktemp("registry"), "registry_policies_test") as found:
        yield found


def test_a_policy_has_versions_and_a_unit_is_judged_by_one_from_an_instant_on(world: World) -> None:
    number, first = policy(world)
    where = unit(world, policy_version=first)
    sensor(world, unit=where)
    second = world.ada.post(f"policies/{number}/versions", document=LATER)
    newest = second.item["versions"][-1]["id"]
    at = in_seconds(120)

    put = world.ada.post(f"units/{where}/policy", policy_version=newest, effective_at=at)

    assert (second.status, second.item["newest_version"]) == (201, 2)
    assert world.ada.post(f"policies/{number}/versions", document=LATER).outcome == "unchanged"
    assert [(one["version"], one["policy_version"]) for one in put.item["policies"]] == [(1, first), (2, newest)]
    assert (put.body["effective_at"], put.item["policies"][1]["effective_at"]) == (at, at)
    assert ms(put.item["policies"][0]["effective_at"]) < ms(in_seconds(-34 * DAY))
    assert world.ada.get(f"units/{where}/policy")["policy"]["version"] == 1
    assert world.ada.post(f"units/{where}/policy", policy_version=newest).outcome == "unchanged"
    refused(world.ada.post(f"units/{where}/policy", policy_version=first, effective_at=in_seconds(60)), 409, "too_early")
    shown = world.ada.get(f"policies/{number}")
    assert [(version["version"], version["units"]) for version in shown["versions"]] == [(1, 1), (2, 0)]


def test_the_policy_of_a_watched_unit_cannot_be_changed_for_the_past(world: World) -> None:
    _, first = policy(world)
    where = unit(world)
    sensor(world, unit=where)

    refused(world.ada.post(f"units/{where}/policy", policy_version=first, effective_at=in_seconds(-DAY)), 409, "too_early")
    put = world.ada.post(f"units/{where}/policy", policy_version=first)

    assert ms(put.body["effective_at"]) > ms(in_seconds(3))


def test_bands_of_every_kind_are_put_in_force_and_shown_with_all_their_fields(world: World) -> None:
    exposure = {**WARM, "name": "in all", "kind": "cumulative", "budget_seconds": 36_000, "window_seconds": None}
    mean = {**WARM, "name": "mean", "kind": "mean", "window_seconds": 3_600, "severity": None}
    _, version = policy(world, {"bands": [WARM, exposure, mean, *MKT["bands"]]})
    where = unit(world)

    put = world.ada.post(f"units/{where}/policy", policy_version=version)

    assert [one["policy_version"] for one in put.item["policies"]] == [version]
    shown = world.ada.get(f"units/{where}/policy")["bands"]
    common = {"side": "high", "limit_celsius": 8, "inclusive": False, "severity": "critical", "role": "compliance"}
    own = {"hold_seconds": 0, "min_samples": 1, "recovery_margin_celsius": 0, "recovery_hold_seconds": 0, "suppress": None}
    assert shown == [
        {**common, "name": "warm", "kind": "sustained", **own},
        {**common, "name": "in all", "kind": "cumulative", "budget_seconds": 36_000, "window_seconds": None, "rearm_seconds": 0},
        {**common, "name": "mean", "kind": "mean", "window_seconds": 3_600, "min_known_fraction": 0.5},
        {**common, "name": "kinetic", "kind": "mkt", "window_seconds": 86_400, "min_known_fraction": 0.5, "recovery_margin_celsius": 0},
    ]


def test_a_policy_in_force_is_not_archived_and_one_that_was_can_be(world: World) -> None:
    number, version = policy(world)
    other, instead = policy(world, LATER)
    where = unit(world, policy_version=version)

    refused(world.ada.post(f"policies/{number}/archive"), 409, "in_use", "1 units")
    world.ada.post(f"units/{where}/archive")
    archived = world.ada.post(f"policies/{number}/archive")

    assert archived.item["archived_at"] is not None
    assert number not in [one["id"] for one in world.ada.get("policies")["items"]]
    refused(world.ada.post(f"units/{unit(world)}/policy", policy_version=version), 409, "archived", f"policies/{number}/restore")
    planned = unit(world)
    sensor(world, unit=planned)
    world.ada.post(f"units/{planned}/policy", policy_version=instead, effective_at=in_seconds(DAY))
    refused(world.ada.post(f"policies/{other}/archive"), 409, "in_use")


def test_a_preset_becomes_a_policy(world: World) -> None:
    presets = {preset["id"]: preset for preset in world.ada.get("policy-presets")["items"]}

    made = world.ada.post("policies", organization=world.ours, name=new_name(), preset="vaccine_refrigerator")

    assert made.item["versions"][0]["document"] == presets["vaccine_refrigerator"]["document"]
    refused(world.ada.post("policies", organization=world.ours, name="x", preset="fridge"), 400, "bad_request", "vaccine_refrigerator")


def test_a_secret_is_told_once_lets_uplinks_in_and_is_revoked(world: World) -> None:
    first = world.ada.post("secrets", organization=world.ours, application="acme-cold")
    second = world.ada.post("secrets", organization=world.ours, application="acme-cold")

    third = world.ada.post("secrets", organization=world.ours, application="acme-cold")

    refused(third, 409, "too_many_secrets", f"secrets/{first.item['id']}/revoke")
    assert first.item["secret"] != second.item["secret"]
    assert "secret" not in str([list(one) for one in world.ada.get("secrets")["items"]])
    assert world.api.post(b"{}", first.item["secret"]).status_code == 202
    revoked = world.ada.post(f"secrets/{first.item['id']}/revoke")
    assert revoked.item["revoked_at"] is not None
    assert world.ada.post(f"secrets/{first.item['id']}/revoke").outcome == "unchanged"
    assert world.ada.post("secrets", organization=world.ours, application="acme-cold").status == 201
    changes = str(world.ada.get(f"registry-changes?kind=secret&thing={first.item['id']}"))
    assert first.item["secret"] not in changes


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("sites", {"name": "", "time_zone": "UTC"}, ["name", "empty"]),
        ("sites", {"name": "x" * 201}, ["name", "200"]),
        ("sites", {"name": "two\nlines"}, ["name", "line"]),
        ("sites", {"name": "lone \ud800"}, ["name"]),
        ("sites", {"name": "x", "time_zone": "Europe/Berlim"}, ["time_zone", "Europe/Berlin"]),
        ("sites", {"name": "x", "timezone": "UTC"}, ["timezone"]),
        ("sites", {"name": 5}, ["name"]),
        ("sites", {"name": "x", "comment": "c" * 501}, ["comment", "500"]),
        ("sensors", {"dev_eui": "A84041000181C06"}, ["dev_eui", "15", "16"]),
        ("sensors", {"dev_eui": "A84041000181C06G"}, ["dev_eui", "G"]),
        ("sensors", {"dev_eui": "1.23457E+15"}, ["dev_eui", "spreadsheet"]),
        ("sensors", {"dev_eui": "0000000000000000"}, ["dev_eui", "placeholder"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "probe": "é"}, ["probe"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "brand_id": "a b"}, ["brand_id"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "expected_interval_seconds": 0.5}, ["expected_interval_seconds", "1"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "expected_interval_seconds": 1e9}, ["expected_interval_seconds"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "max_gap_seconds": 60}, ["max_gap_seconds", "expected_interval_seconds"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "offline_after_seconds": 60}, ["offline_after_seconds"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "calibration_celsius": 21}, ["calibration_celsius", "20"]),
        ("sensors", {"dev_eui": "A84041000181C0AA", "unit": 0}, ["unit"]),
        ("policies", {"name": "x"}, ["document", "preset"]),
        ("policies", {"name": "x", "document": {"bands": []}}, ["bands"]),
        ("policies", {"name": "x", "document": {"bands": [{"name": "a", "side": "up", "limit_celsius": 1}]}}, ["bands[0].side"]),
        ("policies", {"name": "x", "document": {"bands": [{"name": "a\u0000", "side": "high", "limit_celsius": 1}]}}, ["document"]),
        ("secrets", {"application": "Acme Cold"}, ["application"]),
    ],
)
def test_a_value_that_cannot_be_taken_is_named_with_what_to_write(world: World, path: str, body: Any, words: list[str]) -> None:
    answer = world.ada.post(path, organization=world.ours, **body)

    refused(answer, 400, "bad_request", *words)


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("units/{unit}", {"kind": "refrigirator"}, ["kind", "refrigerator"]),
        ("units/{unit}", {"name": " "}, ["name"]),
        ("sites/{site}", {"time_zone": "Mars/Olympus"}, ["time_zone"]),
    ],
)
def test_a_wrong_change_is_refused_by_its_field(world: World, route: str, body: Any, words: list[str]) -> None:
    where = unit(world)

    answer = world.ada.patch(route.format(unit=where, site=site(world)), **body)

    refused(answer, 400, "bad_request", *words)


def test_a_policy_has_at_most_a_thousand_versions(world: World) -> None:
    number, _ = policy(world)
    with world.api.connect() as connection:
        connection.execute(
            "INSERT INTO policy_versions (organization_id, policy_id, version, document) "
            "SELECT %s, %s, n, '{\"bands\": []}' FROM generate_series(2, 1000) n",
            (world.ours, number),
        )

    refused(world.ada.post(f"policies/{number}/versions", document=LATER), 409, "too_many_versions", "new policy")


def test_an_organization_has_at_most_a_hundred_applications_with_secrets(world: World) -> None:
    with world.api.connect() as connection:
        connection.execute(
            "INSERT INTO application_secrets (organization_id, application_id, secret_sha256) "
            "SELECT %s, 'app-' || n, sha256(('secret-' || n)::bytea) FROM generate_series(1, 100) n",
            (world.theirs,),
        )

    refused(world.bob.post("secrets", organization=world.theirs, application="app-101"), 409, "too_many_secrets", "revoke")
    assert world.bob.post("secrets", organization=world.theirs, application="app-100").status == 201
