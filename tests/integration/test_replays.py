"""Dead letters replayed through every real part: an unregistered device's uplinks are stored, and judged, as if they had just come."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import httpx
import psycopg
import pytest

from api.database import Database
from api.replays.letters import chosen_letters
from infra.local.local_stack import LocalStack
from infra.local.parts import ALL
from infra.seed import Registry, Rule, SensorSpec, SiteSpec, Terms, UnitSpec, seed_registry
from pipelines.connectors.clock import now_ms
from pipelines.connectors.kafka import AckedProducer, Headers, KafkaConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.domain.instants import format_instant
from schemas.partitions import device_partition
from schemas.topics import UPLINKS as UPLINKS_TOPIC
from schemas.uplinks import uplink_headers

COLDSTREAM: Final = str(Path(sys.executable).parent / "coldstream")
MINUTE: Final = 60_000
KNOWN: Final = "A84041000000000A"
STRANGER: Final = "A84041000000000B"
NOBODY: Final = "A84041000000000C"
UPLINKS: Final = 12
BEFORE: Final = 90 * MINUTE
"""How long ago the stranger's first uplink was measured."""
DOCUMENT: Final = {"bands": [{"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 900, "min_samples": 2}]}


@dataclass
class Rig:
    """A whole stack and what was sent to it."""

    stack: LocalStack
    began: int
    sent: int = 0

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def register(self, *euis: str) -> None:
        terms = Terms(self.began - 2 * BEFORE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE)
        units = tuple(
            UnitSpec(
                "Site", f"Fridge {eui}", "refrigerator", (Rule("fridge", DOCUMENT, self.began - 2 * BEFORE),), (SensorSpec(eui, (terms,)),)
            )
            for eui in euis
        )
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            registry = Registry("team", "Team", "app", "secret", (SiteSpec("Site", "UTC"),), units, self.began - 2 * BEFORE)
            seed_registry(connection, registry)

    def send(self, eui: str, measured_at: int, celsius: float) -> None:
        """Write an uplink as ingest does; over HTTP a busy machine might answer 503 and take it all the same."""
        body = {
            "end_device_ids": {"dev_eui": eui, "application_ids": {"application_id": "app"}},
            "uplink_message": {
                "f_port": 2,
                "received_at": format_instant(measured_at),
                "decoded_payload": {"TempC_DS": celsius, "BatV": 3.0},
                "version_ids": {"brand_id": "dragino", "model_id": "lht65"},
            },
        }
        producer = AckedProducer(KafkaConfig(self.stack.kafka_bootstrap_servers).flow_producer("test"))
        headers = cast("Headers", uplink_headers(self.organization(), "app"))
        producer.send(UPLINKS_TOPIC.name, device_partition(eui), json.dumps(body).encode(), key=eui.encode(), headers=headers)
        producer.settle()
        self.sent += 1

    def organization(self) -> int:
        return int(self.rows("SELECT id FROM organizations WHERE team_id = 'team'")[0][0])

    def until(self, wanted: Callable[[], bool], seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not wanted():
            assert time.monotonic() < deadline, self.rows("SELECT ended_as, uplinks, replayed FROM uplink_ends")
            time.sleep(0.2)

    def letters(self, eui: str) -> int:
        return int(self.rows("SELECT count(*) FROM dead_letters WHERE dev_eui = %s", eui)[0][0])

    def replay(self, user: str, **order: object) -> httpx.Response:
        return httpx.post(f"{self.stack.api_url}/api/v1/dead-letters/replay", json=order, headers=self.headers(user), timeout=60)

    def ask(self, **order: object) -> dict[str, Any]:
        answer = self.replay("ada", **order)
        assert answer.status_code == 200, answer.text
        answered: dict[str, Any] = answer.json()
        return answered

    def get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.stack.api_url}/api/v1/{path}", headers=self.headers(), timeout=20)
        assert answer.status_code == 200, answer.text
        answered: dict[str, Any] = answer.json()
        return answered

    def story(self, eui: str) -> dict[str, Any]:
        return self.get(f"devices/{eui}/story")

    def headers(self, user: str = "ada") -> dict[str, str]:
        sandbox = self.stack.settings["SANDBOX_URL"]
        team = {"id": "team", "members": ["ada", "rob"], "admins": ["ada"]}
        httpx.post(f"{sandbox}/sandbox/stack-auth/teams", json=team).raise_for_status()
        token = httpx.post(f"{sandbox}/sandbox/stack-auth/token", json={"user": user, "expires_in": 600}).json()["access_token"]
        return {"x-stack-access-token": token}

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, **self.stack.settings}
        return subprocess.run([COLDSTREAM, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Everything running; a registered device sent one reading, a stranger twelve, too warm for half an hour, and a nobody one."""
    stack = LocalStack(tmp_path_factory.mktemp("replays") / "data", None, ALL).start()
    try:
        made = Rig(stack, now_ms())
        made.register(KNOWN)
        made.send(KNOWN, made.began, 4.0)
        for place in range(UPLINKS):
            made.send(STRANGER, made.began - BEFORE + place * 5 * MINUTE, 12.0 if 3 <= place <= 9 else 4.0)
        made.send(NOBODY, made.began, 4.0)
        made.until(lambda: made.letters(STRANGER) == UPLINKS and made.letters(NOBODY) == 1)
        made.until(lambda: bool(made.rows("SELECT 1 FROM uplink_ends WHERE ended_as = 'stored'")))
        yield made
    finally:
        stack.remove()


@pytest.mark.timeout(240)
def test_a_dry_run_before_the_sensor_is_registered_says_what_to_do_and_writes_nothing(rig: Rig) -> None:
    answer = rig.ask(dev_eui=STRANGER, dry_run=True)

    assert answer["counts"] == {"not_mended": UPLINKS}
    assert "Register the device" in answer["items"][0]["message"]
    assert answer["items"][0]["becomes"]["ended_as"] == "unassigned"
    assert rig.ask(dev_eui=STRANGER)["counts"] == {"not_mended": UPLINKS}, "what is not mended is not written either"
    assert rig.rows("SELECT count(*) FROM dead_letter_replays") == [(0,)]


@pytest.mark.timeout(240)
def test_before_that_its_story_says_that_it_is_not_registered_and_how_many_letters_wait(rig: Rig) -> None:
    story = rig.story(STRANGER)

    assert (story["verdict"]["code"], story["device"], story["waiting_letters"]) == ("not_registered", None, UPLINKS)
    assert f"{UPLINKS} dead letters can then be replayed" in story["verdict"]["what_to_do"]
    assert story["probes_heard"] == ["external"]
    assert [(end["ended_as"], end["reason"], end["uplinks"]) for end in story["ends"]] == [("unassigned", "unassigned", UPLINKS)]
    assert len(story["recent"]) == UPLINKS
    assert rig.story("0000000000000000")["verdict"]["code"] == "never_heard"


@pytest.mark.timeout(240)
def test_once_registered_its_letters_are_stored_and_judged_as_they_first_came_and_only_once(rig: Rig) -> None:
    rig.register(KNOWN, STRANGER)
    dry = rig.ask(dev_eui=STRANGER, dry_run=True)
    assert dry["counts"] == {"would_replay": UPLINKS}
    assert dry["items"][0]["becomes"]["readings"][0]["temperature_celsius"] == 4.0

    answer = rig.ask(dev_eui=STRANGER)

    assert answer["counts"] == {"replayed": UPLINKS}
    rig.until(lambda: rig.rows("SELECT count(*) FROM replay_ends WHERE ended_as = 'stored' AND readings = 1") == [(UPLINKS,)])
    stored = rig.rows(
        "SELECT (extract(epoch FROM r.measured_at) * 1000)::bigint, r.temperature, l.received_at = r.measured_at "
        "+ r.received_after_ms * interval '1 millisecond' FROM readings r JOIN sensors s ON s.id = r.sensor_id JOIN devices d ON d.id = s.device_id "
        "JOIN dead_letter_replays p ON (p.uplink_partition, p.uplink_offset) = (r.uplink_partition, r.uplink_offset) "
        "JOIN dead_letters l USING (dead_letter_id) WHERE d.dev_eui = %s ORDER BY 1",
        STRANGER,
    )
    assert [at for at, _, _ in stored] == [rig.began - BEFORE + place * 5 * MINUTE for place in range(UPLINKS)]
    assert [value for _, value, _ in stored] == [1_200 if 3 <= place <= 9 else 400 for place in range(UPLINKS)]
    assert all(as_first for _, _, as_first in stored), "received_at is when the uplink first came"

    excursion = (
        "SELECT (extract(epoch FROM started_at) * 1000)::bigint, (extract(epoch FROM ended_at) * 1000)::bigint FROM current_excursions"
    )
    rig.until(lambda: bool(rig.rows(f"{excursion} WHERE ended_at IS NOT NULL")))
    assert rig.rows(excursion) == [(rig.began - BEFORE + 15 * MINUTE, rig.began - BEFORE + 50 * MINUTE)]


@pytest.mark.timeout(240)
def test_the_sums_agree_with_what_was_sent_and_replays_are_counted_apart(rig: Rig) -> None:
    ends = {end["ended_as"]: end for end in rig.get("uplink-ends")["items"]}

    assert sum(end["uplinks"] for end in ends.values()) == rig.sent
    assert (ends["stored"]["uplinks"], ends["stored"]["replayed"]) == (1, UPLINKS)
    assert (ends["unassigned"]["uplinks"], ends["unassigned"]["replayed"]) == (UPLINKS + 1, 0)


@pytest.mark.timeout(240)
def test_a_second_replay_is_refused_and_one_that_is_meant_finds_all_stored(rig: Rig) -> None:
    ids = [str(row[0]) for row in rig.rows("SELECT dead_letter_id FROM dead_letters WHERE dev_eui = %s", STRANGER)]

    assert rig.ask(ids=ids)["counts"] == {"already_replayed": UPLINKS}
    assert rig.ask(dev_eui=STRANGER)["counts"] == {}, "a filter leaves out what was replayed"
    again = rig.ask(ids=ids, again=True)

    assert again["counts"] == {"not_mended": UPLINKS}
    assert again["items"][0]["becomes"]["ended_as"] == "duplicate"
    assert rig.rows("SELECT count(*), max(attempt) FROM dead_letter_replays") == [(UPLINKS, 1)]


@pytest.mark.timeout(240)
def test_a_page_of_letters_ends_behind_its_bytes_and_the_next_goes_on(rig: Rig) -> None:
    async def pages() -> list[int]:
        database = Database(DatabaseConfig(rig.stack.database_url))
        await database.open()
        counts: list[int] = []
        after: tuple[datetime | None, UUID | None] = (None, None)
        while True:
            letters, is_more = await chosen_letters(
                database, [rig.organization()], limit=100, dev_eui=STRANGER, after_at=after[0], after_id=after[1]
            )
            counts.append(len(letters))
            if not is_more:
                await database.close()
                return counts
            after = (letters[-1].received_at, letters[-1].id)

    with pytest.MonkeyPatch.context() as patch:
        size = rig.rows("SELECT max(length(raw)) FROM dead_letters WHERE dev_eui = %s", STRANGER)[0][0]
        patch.setattr("api.replays.letters.PAGE_BYTES", 4 * size + 1)
        counts = asyncio.run(pages())

    assert sum(counts) == UPLINKS
    assert counts[:2] == [5, 5]


@pytest.mark.timeout(240)
def test_a_letter_tells_of_its_replay_and_the_list_of_those_that_wait_leaves_it_out(rig: Rig) -> None:
    replayed = rig.get(f"dead-letters?dev_eui={STRANGER}")["items"][0]
    shown = rig.get(f"dead-letters/{replayed['id']}")

    assert replayed["replay"]["outcome"] == "stored"
    assert (replayed["replay"]["replayed_by"], replayed["replay_of"]) == (shown["replays"][0]["replayed_by"], None)
    assert replayed["replay"]["replayed_by"] == "ada", "the id of a person, not a name that anybody may choose"
    assert "Register the device" in shown["what_to_do"]
    assert rig.get(f"dead-letters?dev_eui={STRANGER}&replayed=false")["items"] == []
    assert len(rig.get(f"dead-letters?dev_eui={STRANGER}&replayed=true")["items"]) == UPLINKS
    assert rig.get(f"dead-letters?dev_eui={NOBODY}&replayed=true")["items"] == []
    assert len(rig.get(f"dead-letters?dev_eui={NOBODY}&replayed=false")["items"]) == 1


@pytest.mark.timeout(240)
def test_after_that_its_story_is_fine_and_shows_what_became_of_each_letter(rig: Rig) -> None:
    story = rig.story(STRANGER)

    assert story["verdict"] == {"code": "fine", "healthy": True, "sentence": story["verdict"]["sentence"], "what_to_do": "Nothing."}
    assert (story["waiting_letters"], story["sensors"][0]["policy"]) == (0, {"name": "fridge", "version": 1})
    assert {(end["ended_as"], end["uplinks"]) for end in story["ends"]} == {("stored", UPLINKS), ("unassigned", UPLINKS)}
    letters = [entry for entry in story["recent"] if entry["letter"] is not None]
    readings = [entry for entry in story["recent"] if entry["temperature_celsius"] is not None]
    assert [entry["replay"]["outcome"] for entry in letters] == ["stored"] * UPLINKS
    assert len(readings) == UPLINKS
    command = rig.command("device", STRANGER)
    assert "Everything is fine" in command.stdout
    assert "(probe main): Fridge" in command.stdout


@pytest.mark.timeout(240)
def test_the_command_lists_shows_and_replays(rig: Rig) -> None:
    listed = rig.command("dead-letters", "list", "--json")
    letter = json.loads(listed.stdout)
    assert (letter["dev_eui"], letter["reason"]) == (NOBODY, "unassigned")
    assert rig.command("dead-letters", "show", letter["id"]).stdout.count("Register the device") == 1

    refused = rig.command("dead-letters", "replay", letter["id"])
    assert "not_mended" in refused.stdout
    rig.register(NOBODY)
    done = rig.command("dead-letters", "replay", "--reason", "unassigned", "--json")

    assert json.loads(done.stdout)["counts"] == {"replayed": 1}, done.stderr
    rig.until(lambda: rig.rows("SELECT replayed_by FROM dead_letter_replays WHERE dead_letter_id = %s", letter["id"]) == [("operator",)])
    rig.until(lambda: rig.rows("SELECT sum(replayed) FROM uplink_ends WHERE ended_as = 'stored'") == [(UPLINKS + 1,)])


@pytest.mark.timeout(240)
def test_a_letter_without_bytes_is_read_from_the_log(rig: Rig) -> None:
    rig.send(KNOWN, rig.began, 9.5)
    rig.until(lambda: rig.letters(KNOWN) == 1)
    (letter,) = rig.get(f"dead-letters?dev_eui={KNOWN}")["items"]
    assert (letter["reason"], letter["size_bytes"]) == ("conflicting_duplicate", 0)

    (item,) = rig.ask(ids=[letter["id"]])["items"]

    assert item["status"] == "not_mended"
    assert "Another value is stored already" in item["message"]
    assert item["becomes"]["readings"][0]["temperature_celsius"] == 9.5
    assert rig.story(KNOWN)["verdict"]["code"] == "other_probes", "it sends two values for one sensor"


@pytest.mark.timeout(240)
def test_ids_of_nobody_are_not_found(rig: Rig) -> None:
    (item,) = rig.ask(ids=["07a89c77-5bc5-5435-8bf3-2d40a84b08c0"])["items"]

    assert item["status"] == "not_found"


@pytest.mark.timeout(240)
def test_who_may_only_read_replays_nothing_and_an_order_must_name_letters(rig: Rig) -> None:
    reader = rig.replay("rob", dev_eui=STRANGER)
    nameless = rig.replay("ada", dry_run=True)

    assert (reader.status_code, reader.json()["error"]["code"]) == (403, "forbidden")
    assert (nameless.status_code, nameless.json()["error"]["code"]) == (400, "bad_request")
