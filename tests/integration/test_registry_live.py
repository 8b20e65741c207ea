"""The registry changed by API while uplinks flow through the whole real stack: each change holds from its instant on, and no flow starts again."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from infra.local.local_stack import LocalStack
from infra.local.parts import ALL, FLOWS
from pipelines.domain.instants import format_instant, parse_instant

INTERVAL_SECONDS = 0.25
WAIT_SECONDS = 180.0
FIRST, SECOND = "A84041FFFF000001", "A84041FFFF000002"


class Sender(threading.Thread):
    """Posts a reading of every device each INTERVAL_SECONDS, always of the same temperature."""

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{url}/api/webhooks/ttn"
        self._headers = {"x-coldstream-secret": secret}
        self._ended = threading.Event()
        self.measured: dict[str, list[int]] = {FIRST: [], SECOND: []}
        """When each acknowledged uplink was measured, by device."""
        self.tried: dict[str, list[int]] = {FIRST: [], SECOND: []}
        """When each one posted was; the log may have it although the acknowledgement came too late to be told."""

    def run(self) -> None:
        with httpx.Client(timeout=60) as client:
            count = 0
            while not self._ended.wait(INTERVAL_SECONDS):
                count += 1
                for eui in (FIRST, SECOND):
                    measured_at = time.time_ns() // 1_000_000
                    self.tried[eui].append(measured_at)
                    answer = client.post(self._url, content=uplink(eui, count, measured_at), headers=self._headers)
                    if answer.status_code == 202:
                        self.measured[eui].append(measured_at)

    def check(self, eui: str, stored: list[int], begin: int, end: int) -> None:
        """Raise unless what is stored of a device is all that was acknowledged of [begin, end), and nothing that was not posted."""
        acknowledged = {at for at in self.measured[eui] if begin <= at < end}
        posted = {at for at in self.tried[eui] if begin <= at < end}
        assert acknowledged
        assert len(stored) == len(set(stored))
        assert acknowledged <= set(stored) <= posted

    def end(self) -> None:
        self._ended.set()
        self.join(15)


def uplink(eui: str, count: int, measured_at: int) -> bytes:
    """A message as The Things Stack sends it, of 6.5 degrees."""
    measured = format_instant(measured_at)
    return json.dumps(
        {
            "end_device_ids": {"device_id": eui.lower(), "dev_eui": eui, "application_ids": {"application_id": "live-app"}},
            "received_at": measured,
            "uplink_message": {
                "session_key_id": "AY==",
                "f_port": 2,
                "f_cnt": count,
                "decoded_payload": {"TempC_DS": 6.5, "TempC_SHT": 21.0, "BatV": 3.05},
                "received_at": measured,
                "version_ids": {"brand_id": "dragino", "model_id": "lht65"},
            },
        },
    ).encode()


@dataclass(frozen=True)
class Live:
    """The running stack, who asks it, and what is there."""

    stack: LocalStack
    url: str
    headers: dict[str, str]
    organization: int
    first_unit: int
    second_unit: int
    policy: int
    sender: Sender

    def post(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.url}/api/v1/{path}", headers=self.headers, json=body, timeout=30)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", headers=self.headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def row(self, query: str, *values: object) -> Any:
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            return connection.execute(query.encode(), values).fetchone()

    def stored(self, sensor: int, condition: str, *values: object) -> list[int]:
        """When the readings of a sensor that are stored were measured (ms UTC), in order."""
        query = f"SELECT (extract(epoch FROM measured_at) * 1000)::bigint FROM readings WHERE sensor_id = %s AND {condition} ORDER BY 1"
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            return [row[0] for row in connection.execute(query.encode(), (sensor, *values))]

    def pids(self) -> dict[str, int | None]:
        return {flow.value: self.stack.pid(flow) for flow in FLOWS}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Everything runs, and two devices that nobody has registered send."""
    with LocalStack(tmp_path_factory.mktemp("live") / "data", None, ALL) as stack:
        answer = httpx.post(f"{stack.settings['SANDBOX_URL']}/sandbox/stack-auth/token", json={"user": "demo"}, timeout=10)
        headers = {"x-stack-access-token": answer.json()["access_token"]}

        def made(path: str, **body: Any) -> Any:
            found = httpx.post(f"{stack.api_url}/api/v1/{path}", headers=headers, json=body, timeout=30)
            assert found.status_code == 201, found.text
            return found.json()["item"]

        organization = made("organizations", team="demo-team", name="Live")["id"]
        site = made("sites", organization=organization, name="Site")["id"]
        wide = {"bands": [{"name": "warm", "side": "high", "limit_celsius": 8}]}
        policy = made("policies", organization=organization, name="Fridge", document=wide)
        version = policy["versions"][0]["id"]
        units = [made("units", site=site, name=name, policy_version=version)["id"] for name in ("First", "Second")]
        secret = made("secrets", organization=organization, application="live-app")["secret"]
        sender = Sender(stack.api_url, secret)
        sender.start()
        yield Live(stack, stack.api_url, headers, organization, units[0], units[1], policy["id"], sender)
        sender.end()
    stack.remove()


def until(find: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """Return what is found, as soon as it is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come in time")


@pytest.mark.timeout(900)
def test_changes_hold_from_their_instants_on_while_uplinks_flow_and_no_flow_starts_again(live: Live) -> None:
    before = live.pids()
    until(lambda: live.row("SELECT 1 FROM dead_letters WHERE kind = 'unassigned' AND dev_eui = %s", FIRST))

    registered = live.post("sensors", organization=live.organization, dev_eui=FIRST, unit=live.first_unit, expected_interval_seconds=1)
    sensor, begins = registered["item"]["id"], parse_instant(registered["effective_at"])
    until(lambda: live.row("SELECT 1 FROM readings WHERE sensor_id = %s", sensor))
    moved = live.post(f"sensors/{sensor}/assignment", unit=live.second_unit)
    moves = parse_instant(moved["effective_at"])
    until(lambda: live.row("SELECT 1 FROM readings WHERE sensor_id = %s AND unit_id = %s", sensor, live.second_unit))
    version = live.post(f"policies/{live.policy}/versions", document=narrow())["item"]["versions"][-1]["id"]
    judged = live.post(f"units/{live.second_unit}/policy", policy_version=version)
    judges = parse_instant(judged["effective_at"])
    excursion = until(lambda: live.get(f"excursions?unit={live.second_unit}&open=true")["items"])[0]

    by_new = until(lambda: live.stored(sensor, "policy_version_id = %s", version))
    in_first = live.stored(sensor, "unit_id = %s AND temperature = 650", live.first_unit)
    in_second = live.stored(sensor, "unit_id = %s", live.second_unit)
    by_old = live.stored(sensor, "unit_id = %s AND policy_version_id <> %s", live.second_unit, version)
    live.sender.check(FIRST, in_first, begins, moves)
    live.sender.check(FIRST, by_old, moves, judges)
    assert min(in_second) >= moves
    assert min(by_new) >= judges
    assert parse_instant(excursion["started_at"]) == by_new[0]
    assert (excursion["policy_version"], excursion["limit_celsius"], excursion["sensor"]) == (version, 6.0, sensor)
    assert live.get(f"excursions?unit={live.first_unit}")["items"] == []
    assert live.pids() == before


@pytest.mark.timeout(600)
def test_an_import_registers_a_device_that_sends_and_its_end_is_an_end(live: Live) -> None:
    content = f"site;unit;dev_eui;expected_interval_seconds;policy\r\nSite;Third;{SECOND.lower()};1;Fridge\r\n".encode()

    answer = httpx.post(f"{live.url}/api/v1/imports?organization={live.organization}", headers=live.headers, content=content, timeout=60)
    begins = parse_instant(answer.json()["effective_at"])
    query = (
        "SELECT s.id FROM sensors s JOIN devices d ON d.id = s.device_id JOIN readings r ON r.sensor_id = s.id WHERE d.dev_eui = %s LIMIT 1"
    )
    (sensor,) = until(lambda: live.row(query, SECOND))
    unit = live.get(f"sensors/{sensor}/registration")["assignments"][0]["unit"]
    archived = live.post(f"units/{unit}/archive")
    ends = parse_instant(archived["effective_at"])
    behind = "SELECT 1 FROM dead_letters WHERE kind = 'unassigned' AND dev_eui = %s AND received_at > to_timestamp(%s) LIMIT 1"
    until(lambda: live.row(behind, SECOND, ends / 1_000 + 1))

    live.sender.check(SECOND, live.stored(sensor, "unit_id = %s", unit), begins, ends)
    assert live.stored(sensor, "unit_id <> %s", unit) == []


def narrow() -> dict[str, Any]:
    return {"bands": [{"name": "warm", "side": "high", "limit_celsius": 6}]}
