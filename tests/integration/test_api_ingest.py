"""Webhooks into a real Kafka, read back by the independent second client."""

import hashlib
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from kafka import KafkaConsumer, TopicPartition

from infra.local.local_stack import LocalStack
from schemas.dead_letters import decode_dead_letter
from schemas.partitions import DEVICE_PARTITIONS, device_partition
from tests.integration.api_rig import DAY, Api, organization, running_api, wait_until_ready

NOW = int(time.time()) * 1_000
EUI = "A84041000181C061"
UPLINK = b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"uplink_message":{"decoded_payload":{"t":4.0}}}'


@pytest.fixture(scope="module")
def api(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(stack, tmp_path_factory.mktemp("api"), "api_ingest_test", TICKS_ENABLED="true") as running:
        with running.connect() as connection:
            organization(connection, 1, NOW - DAY)
        yield running


class Log:
    """What comes after this moment in some partitions."""

    def __init__(self, api: Api, topic: str, *partitions: int) -> None:
        self.consumer = KafkaConsumer(bootstrap_servers=api.kafka, enable_auto_commit=False)
        self.parts = [TopicPartition(topic, partition) for partition in partitions]
        self.consumer.assign(self.parts)
        self.consumer.seek_to_end(*self.parts)
        for part in self.parts:
            self.consumer.position(part)

    def read(self, seconds: float = 3.0, *, ticks: bool = False, least: int = 1) -> list:  # type: ignore[type-arg]
        found: list = []  # type: ignore[type-arg]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and len(found) < least:
            for records in self.consumer.poll(timeout_ms=100).values():
                found.extend(record for record in records if ticks == any(name == "tick" for name, _ in record.headers))
        self.consumer.close()
        return found


def test_an_accepted_uplink_is_in_the_log_as_it_was_sent(api: Api) -> None:
    log = Log(api, "uplinks", device_partition(EUI))

    before = time.time() * 1_000
    answer = api.post(UPLINK, "secret-1", **{"x-downlink-apikey": "NNSXS.PRIVATE"})

    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    (record,) = log.read()
    assert (record.value, record.key) == (UPLINK, EUI.encode())
    assert dict(record.headers) == {"organization": b"1", "application": b"application-1", "source": b"ttn"}
    assert record.timestamp_type == 1, "the broker's own stamp"
    assert before - 1 <= record.timestamp <= time.time() * 1_000 + 1
    assert "NNSXS" not in api.log.read_text()


def test_garbage_is_in_the_dead_letters_with_its_bytes(api: Api) -> None:
    log = Log(api, "dead_letters", 0, 1, 2, 3)

    answer = api.post(b'{"t":NaN}\xff', "secret-1")

    assert answer.status_code == 202
    (record,) = log.read()
    letter = decode_dead_letter(record.value)
    assert (letter.reason, letter.raw) == ("not_utf8", b'{"t":NaN}\xff')
    assert (letter.organization, letter.application) == (1, "application-1")


def test_every_partition_gets_a_tick_a_second(api: Api) -> None:
    log = Log(api, "uplinks", *range(DEVICE_PARTITIONS))

    ticks = log.read(20.0, ticks=True, least=DEVICE_PARTITIONS * 4)

    assert {record.partition for record in ticks} == set(range(DEVICE_PARTITIONS))
    assert {record.value for record in ticks} == {b""}
    stamps = sorted(record.timestamp for record in ticks if record.partition == 0)
    assert all(800 <= later - earlier <= 1_500 for earlier, later in pairwise(stamps))


def test_a_new_secret_works_at_once_and_a_revoked_one_no_longer_after_five_seconds(api: Api) -> None:
    with api.connect() as connection:
        digest = hashlib.sha256(b"rotated").digest()
        connection.execute(
            "INSERT INTO application_secrets (organization_id, application_id, secret_sha256) VALUES (1, 'application-1', %s)",
            (digest,),
        )
        new = api.post(UPLINK, "rotated")
        old = api.post(UPLINK, "secret-1")
        connection.execute("UPDATE application_secrets SET revoked_at = now() WHERE secret_sha256 = %s", (digest,))
    deadline = time.monotonic() + 5.5
    while (revoked := api.post(UPLINK, "rotated").status_code) == 202 and time.monotonic() < deadline:
        time.sleep(0.2)

    assert (new.status_code, old.status_code, revoked) == (202, 202, 401)


def test_a_huge_body_is_refused_early_and_costs_no_memory(api: Api) -> None:
    def resident_kilobytes() -> int:
        status = Path(f"/proc/{api.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    before = resident_kilobytes()
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1 << 20
            yield b"x" * (1 << 20)

    try:
        status = httpx.post(
            f"{api.url}/api/webhooks/ttn",
            content=chunks(),
            headers={"x-coldstream-secret": "secret-1"},
            timeout=20,
        ).status_code
    except httpx.WriteError:
        status = 413  # the connection was closed while we wrote
    announced = httpx.post(f"{api.url}/api/webhooks/ttn", content=b"x" * 300_000, headers={"x-coldstream-secret": "secret-1"}, timeout=20)

    assert status == announced.status_code == 413
    assert sent < 32 << 20
    assert resident_kilobytes() - before < 20_000


def closed_after(api: Api, first: bytes, drip: bytes) -> tuple[float, bytes]:
    """Send a beginning and then a byte a second; return when the other side ended it and what it said."""
    host, _, port = api.url.removeprefix("http://").partition(":")
    started_at = time.monotonic()
    said = b""
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(first)
        connection.settimeout(0.5)
        while time.monotonic() - started_at < 20:
            try:
                piece = connection.recv(4_096)
                if not piece:
                    break
                said += piece
            except TimeoutError:
                connection.sendall(drip)
            except ConnectionError:
                break
    return time.monotonic() - started_at, said


def test_slow_senders_are_let_go_and_disturb_nobody(api: Api) -> None:
    head = b"POST /api/webhooks/ttn HTTP/1.1\r\nhost: x\r\nx-coldstream-secret: secret-1\r\ncontent-length: 1000\r\n"
    with ThreadPoolExecutor(64) as pool:
        crowd = [pool.submit(closed_after, api, head[:20], b"a") for _ in range(40)]
        slow_head = pool.submit(closed_after, api, head, b"x")
        slow_body = pool.submit(closed_after, api, head + b"\r\n{", b" ")
        silent = pool.submit(closed_after, api, b"", b"")
        slowest = 0.0
        for _ in range(50):
            started_at = time.monotonic()
            assert api.post(UPLINK, "secret-1").status_code == 202
            slowest = max(slowest, time.monotonic() - started_at)
            time.sleep(0.05)

        for waiting in (slow_head, silent, *crowd):
            assert waiting.result()[0] < 12
        seconds, said = slow_body.result()

    assert seconds < 12
    assert said.startswith(b"HTTP/1.1 408")
    assert slowest < 1.0


def test_while_kafka_is_stopped_senders_are_told_to_come_back_and_ticks_wait(stack: LocalStack, api: Api) -> None:
    assert api.post(UPLINK, "secret-1").status_code == 202

    stack.stop_child("kafka")
    try:
        started_at = time.monotonic()
        refused = api.post(UPLINK, "secret-1")
        seconds = time.monotonic() - started_at
        ready = httpx.get(f"{api.url}/health/ready?parts=kafka", timeout=10)
    finally:
        stack.start_child("kafka")

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "log_unavailable")
    assert "retry-after" in refused.headers
    assert seconds < 2.0
    assert ready.status_code == 503
    deadline = time.monotonic() + 20
    while api.post(UPLINK, "secret-1").status_code != 202 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert api.post(UPLINK, "secret-1").status_code == 202
    assert Log(api, "uplinks", 0).read(12.0, ticks=True), "ticks come back by themselves"


def test_uplinks_are_accepted_while_the_database_is_away(stack: LocalStack, api: Api) -> None:
    stack.kill("postgres", signal.SIGSTOP)
    try:
        time.sleep(0.5)
        answers = {api.post(UPLINK, "secret-1").status_code for _ in range(20)}
    finally:
        stack.kill("postgres", signal.SIGCONT)

    assert answers == {202}
    wait_until_ready(api)


def test_a_stopping_process_answers_what_it_has_begun(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_api(stack, tmp_path_factory.mktemp("api"), "api_stop_test") as running:
        with running.connect() as connection:
            organization(connection, 1, NOW - DAY)
        running.post(UPLINK, "secret-1")
        with ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(running.post, UPLINK, "secret-1") for _ in range(8)]
            time.sleep(0.02)
            running.process.terminate()
            outcomes = []
            for one in waiting:
                try:
                    outcomes.append(one.result().status_code)
                except httpx.HTTPError:
                    outcomes.append(0)  # it came too late to be taken

        assert running.process.wait(10) in {0, -signal.SIGTERM}
        assert set(outcomes) <= {202, 0}
