"""The CSV import by API over a real database: line by line, all or nothing, dry and wet the same, and never another tenant's."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.local_stack import LocalStack
from tests.integration.api_rig import COLDSTREAM
from tests.integration.registry_rig import (
    DAY,
    MKT,
    Answered,
    World,
    in_seconds,
    ms,
    new_eui,
    new_name,
    policy,
    refused,
    rows,
    running_world,
    sensor,
    site,
    unit,
)

TABLES = ("sites", "units", "devices", "sensors", "assignments", "sensor_configurations", "unit_policies", "registry_changes")


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(stack, tmp_path_factory.mktemp("registry"), "registry_import_test") as found:
        yield found


def sent(world: World, *lines: str, dry_run: bool = False, header: str = "site,unit,dev_eui", extra: str = "") -> Answered:
    content = "\n".join([header, *lines]).encode()
    return world.ada.send(f"imports?organization={world.ours}&dry_run={str(dry_run).lower()}{extra}", content)


def content_of(world: World) -> dict[str, int]:
    return {table: rows(world, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def outcomes(answer: Answered) -> list[str]:
    return [item["outcome"] for item in answer.body["items"]]


def registration(world: World, eui: str) -> Any:
    ((number,),) = rows(world, f"SELECT s.id FROM sensors s JOIN devices d ON d.id = s.device_id WHERE d.dev_eui = '{eui}'")
    return world.ada.get(f"sensors/{number}/registration")


def test_a_file_makes_sites_units_and_sensors_and_a_second_time_nothing(world: World) -> None:
    place, first, second = new_name(), new_eui(), new_eui()
    header = "site,time_zone,unit,kind,dev_eui,device_name,brand_id,model_id,expected_interval_seconds,calibration_celsius"
    lines = [
        f"{place},Europe/Berlin,Fridge 1,refrigerator,{first.lower()},left,dragino,lht65,600,-0.25",
        f"{place},,Freezer,freezer,{'-'.join(second[i : i + 2] for i in range(0, 16, 2))},,,,,",
    ]

    made = sent(world, *lines, header=header, extra="&comment=first%20load")
    again = sent(world, *lines, header=header)

    assert (made.status, made.body["written"], outcomes(made)) == (200, True, ["created", "created"])
    assert made.body["items"][0]["changes"] == [
        f"site '{place}' is created",
        "unit 'Fridge 1' is created",
        f"sensor {first} main is created",
    ]
    assert made.body["totals"]["sensors"] == 2
    item = registration(world, first)
    assert (item["device"]["name"], item["device"]["model_id"]) == ("left", "lht65")
    assert [one["calibration_celsius"] for one in item["configurations"]] == [-0.25]
    assert [one["unit_name"] for one in item["assignments"]] == ["Fridge 1"]
    assert item["assignments"][0]["valid_from"] == made.body["effective_at"]
    assert (outcomes(again), set(again.body["totals"].values())) == (["unchanged", "unchanged"], {0})
    changes = world.ada.get(f"registry-changes?kind=sensor&thing={item['id']}")["items"]
    assert [(one["action"], one["user"], one["comment"]) for one in changes] == [
        ("assigned", "ada", "first load"),
        ("created", "ada", "first load"),
    ]


def test_a_dry_run_says_the_same_and_keeps_nothing(world: World) -> None:
    line = f"{new_name()},Fridge 1,{new_eui()}"
    before = content_of(world)

    dry = sent(world, line, dry_run=True)
    between = content_of(world)
    wet = sent(world, line)

    assert (dry.body["dry_run"], dry.body["written"], wet.body["written"]) == (True, False, True)
    assert between == before
    assert dry.body["items"] == wet.body["items"]
    assert content_of(world)["sensors"] == before["sensors"] + 1


def test_one_wrong_line_keeps_the_whole_file_out(world: World) -> None:
    good, before = f"{new_name()},Fridge 1,{new_eui()}", content_of(world)

    answer = sent(world, good, "Somewhere,Fridge 1,A8404100", "", f"{new_name()},,{new_eui()}")
    dry = sent(world, good, "Somewhere,Fridge 1,A8404100", dry_run=True)

    refused(answer, 409, "import_refused", "2 of 3 lines")
    assert [(item["line"], item["outcome"]) for item in answer.body["items"]] == [(2, "created"), (3, "error"), (5, "error")]
    assert "8 hexadecimal digits instead of 16" in answer.body["items"][1]["errors"][0]
    assert "unit: must not be empty" in answer.body["items"][2]["errors"]
    assert (dry.status, dry.body["counts"]) == (200, {"created": 1, "changed": 0, "unchanged": 0, "error": 1})
    assert content_of(world) == before


def test_what_differs_is_changed_and_an_empty_cell_changes_nothing(world: World) -> None:
    place, eui = new_name(), new_eui()
    name, version = new_name(), 0
    policy_made = world.ada.post("policies", organization=world.ours, name=name, preset="freezer").item
    version = policy_made["versions"][0]["id"]
    sent(world, f"{place},One,{eui}", extra=f"&assigned_from={in_seconds(-DAY)}")
    header = "site,time_zone,unit,kind,policy,dev_eui,model_id,max_gap_seconds"

    moved = sent(world, f"{place},Europe/Oslo,Two,freezer,{name},{eui},lht52,9000", header=header)
    same = sent(world, f"{place},,Two,,,{eui},,", header=header)

    assert moved.body["written"], moved.body
    item = registration(world, eui)
    old, new = item["assignments"]
    assert (old["valid_to"], new["unit_name"]) == (new["valid_from"], "Two")
    assert [one["max_gap_seconds"] for one in item["configurations"]] == [2700.0, 9000.0]
    assert item["device"]["model_id"] == "lht52"
    unit_item = world.ada.get(f"units/{new['unit']}/registration")
    assert (unit_item["kind"], [one["policy_version"] for one in unit_item["policies"]]) == ("freezer", [version])
    assert world.ada.get(f"sites/{new['site']}")["time_zone"] == "Europe/Oslo"
    assert outcomes(same) == ["unchanged"]
    actions = [one["action"] for one in world.ada.get(f"registry-changes?kind=sensor&thing={item['id']}")["items"]]
    assert sorted(actions) == ["assigned", "changed", "configured", "created", "moved"]


def test_every_line_that_cannot_be_taken_says_what_to_do(world: World) -> None:
    archived_site = site(world, name=new_name())
    world.ada.post(f"sites/{archived_site}/archive")
    archived_unit = unit(world, site=site(world))
    shown = world.ada.get(f"units/{archived_unit}")
    world.ada.post(f"units/{archived_unit}/archive")
    eui, twice = new_eui(), new_eui()
    world.ada.post(f"sensors/{sensor(world, dev_eui=eui)}/archive")
    kinetic = policy(world, MKT)[0]
    header = "site,unit,dev_eui,policy,time_zone,kind,offline_after_seconds"
    names = {number: world.ada.get(f"sites/{number}")["name"] for number in (archived_site, shown["site"])}
    place = new_name()

    answer = sent(
        world,
        f"{names[archived_site]},U,{new_eui()},,,,",
        f"{names[shown['site']]},{shown['name']},{new_eui()},,,,",
        f"{place},U,{eui},,,,",
        f"{place},U,{new_eui()},nowhere,,,",
        f"{place},V,{new_eui()},{world.ada.get(f'policies/{kinetic}')['name']},,,",
        f"{place},W,{new_eui()},,Europe/Paris,,",
        f"{place},W,{new_eui()},,Europe/Rome,,",
        f"{place},X,{twice},,,,",
        f"{place},Y,{twice},,,,",
        f"{place},X,{twice},,,,",
        f"{place},Z,{new_eui()},,,fridge,",
        f"{place},Z,{new_eui()},,,,60",
        f"{place},Z,{new_eui()},,,,soon",
        f"{place},Z,{new_eui()},,,,,,more",
        header=header,
        dry_run=True,
    )

    said = ["; ".join(item["errors"]) for item in answer.body["items"]]
    for text, words in zip(
        said,
        [
            [f"sites/{archived_site}/restore"],
            [f"units/{archived_unit}/restore"],
            ["archived", "/restore"],
            ["no policy 'nowhere'"],
            [""],
            [""],
            ["time_zone", "line 7", "Europe/Paris"],
            [""],
            ["line 9"],
            [""],
            ["kind", "refrigerator"],
            ["offline_after_seconds", "expected_interval_seconds"],
            ["offline_after_seconds", "number"],
            ["9 fields", "7"],
        ],
        strict=True,
    ):
        assert all(word in text for word in words), (text, words)
        assert bool(text) == bool(words[0]), text
    assert answer.body["items"][9]["changes"] == ["the same as line 9"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"site,unit,dev_eui\n", ["no lines"]),
        (b"site,unit\na,b\n", ["dev_eui", "missing"]),
        (b"site,unit,dev_eu\na,b,c\n", ["dev_eu", "did you mean dev_eui"]),
        (b"site,unit,dev_eui,site\n", ["twice"]),
        (b"site,unit,dev_eui\nCaf\xe9,b,c\n", ["UTF-8", "line 2"]),
        (b'site,unit,dev_eui\n"a,b,c\n', ["line 2", "CSV"]),
        (b"PK\x03\x04\x00\x00", ["text file"]),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(world: World, content: bytes, words: list[str]) -> None:
    answer = world.ada.send(f"imports?organization={world.ours}", content)

    refused(answer, 400, "bad_request", *words)


def test_a_file_that_is_too_large_is_not_read(world: World) -> None:
    answer = world.ada.send(f"imports?organization={world.ours}", b"site,unit,dev_eui\n" + b" " * 5_000_000)

    refused(answer, 413, "body_too_large", "5,000,000")


def test_an_import_is_held_to_the_callers_organizations(world: World) -> None:
    line = f"site,unit,dev_eui\n{new_name()},U,{new_eui()}\n".encode()
    before = content_of(world)

    refused(world.bob.send(f"imports?organization={world.ours}", line), 404, "not_found")
    refused(world.rob.send(f"imports?organization={world.ours}", line), 403, "forbidden")
    assert content_of(world) == before


def test_the_same_device_may_be_registered_by_two_organizations_and_neither_sees_the_other(world: World) -> None:
    place, eui = new_name(), new_eui()
    sent(world, f"{place},U,{eui}")

    theirs = world.bob.send(f"imports?organization={world.theirs}", f"site,unit,dev_eui\n{place},U,{eui}\n".encode())

    assert outcomes(theirs) == ["created"]
    assert len(rows(world, f"SELECT 1 FROM devices WHERE dev_eui = '{eui}'")) == 2


def test_ten_thousand_lines_take_seconds_and_hold_for_every_decoder(world: World) -> None:
    place = new_name()
    lines = [f"{place} {n % 40},Fridge {n // 40},A84041{n:010X},refrigerator,dragino,lht65,600" for n in range(10_000)]
    header = "site,unit,dev_eui,kind,brand_id,model_id,expected_interval_seconds"

    began = time.monotonic()
    made = sent(world, *lines, header=header)
    took = time.monotonic() - began

    assert made.body["totals"]["sensors"] == 10_000
    assert took < 60
    ((committed,),) = rows(world, "SELECT (extract(epoch FROM changed_at) * 1000)::bigint FROM registry_state")
    assert ms(made.body["effective_at"]) - committed > 5_000


def commanded(world: World, file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    environment = {"DATABASE_URL": world.api.database_url, "PATH": os.environ["PATH"]}
    command = [COLDSTREAM, "import", str(file), *options]
    return subprocess.run(command, env=environment, cwd=file.parent, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_imports_for_the_operator_and_shows_a_table(world: World, tmp_path: Path) -> None:
    place, eui, file = new_name(), new_eui(), tmp_path / "fleet.csv"
    file.write_text(f"site;unit;dev_eui\r\n{place};Fridge 1;{eui}\r\n", encoding="utf-8-sig")

    dry = commanded(world, file, "--organization", "Northern Clinics", "--dry-run")
    wet = commanded(world, file, "--organization", str(world.ours), "--comment", "from the paper list")

    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout.splitlines()[-1] == "1 created, 0 changed, 0 unchanged, 0 error: a dry run, nothing was written"
    assert wet.returncode == 0
    header, row, last = wet.stdout.splitlines()
    assert header.split() == ["line", "outcome", "site", "unit", "dev_eui", "what"]
    assert row.startswith("2     created  ")
    assert f"sensor {eui} main is created" in row
    assert "written, takes effect at" in last
    changes = world.ada.get(f"registry-changes?kind=sensor&thing={registration(world, eui)['id']}")["items"]
    assert {(one["user"], one["comment"]) for one in changes} == {("operator", "from the paper list")}


def test_the_command_exits_with_one_where_a_line_has_an_error(world: World, tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text("site,unit,dev_eui\nSomewhere,Fridge,12\n")

    wrong = commanded(world, file, "--organization", str(world.ours))
    nowhere = commanded(world, file, "--organization", "Nobody")

    assert (wrong.returncode, nowhere.returncode) == (1, 1)
    assert "dev_eui: has 2 hexadecimal digits instead of 16" in wrong.stdout
    assert "nothing was written" in wrong.stdout
    assert "no organization 'Nobody'" in nowhere.stderr


def test_a_dry_run_neither_waits_for_another_change_nor_holds_one_up(world: World) -> None:
    with world.api.connect() as connection, connection.transaction():
        connection.execute("SELECT version FROM registry_state FOR UPDATE")
        began = time.monotonic()

        dry = sent(world, f"{new_name()},Fridge 1,{new_eui()}", dry_run=True)

    assert (dry.status, outcomes(dry)) == (200, ["created"])
    assert time.monotonic() - began < 8, "the lock is waited for 10 s"
