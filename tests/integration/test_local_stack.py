"""The local stack as a whole: it keeps its data, mends itself, and gets in nobody's way."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local.environment import read_environment
from infra.local.errors import StackError
from infra.local.local_stack import LocalStack
from infra.local.parts import COLDSTREAM
from infra.local.ports import HOST, free_base, holder_of
from infra.local.progress import RecordedProgress

TOPIC = "kept"


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that was started, written to, stopped, and started again."""
    local = LocalStack(tmp_path_factory.mktemp("local-stack") / "data")
    with local:
        write_record(local.kafka_bootstrap_servers, b"before the stop")
        with psycopg.connect(local.database_url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('before the stop')")
    with local:
        yield local
    local.remove()


def write_record(bootstrap_servers: str, value: bytes) -> None:
    """Write one record, acknowledged, to a topic of one partition."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(10)
    producer = Producer({"bootstrap.servers": bootstrap_servers, "enable.idempotence": True})
    producer.produce(TOPIC, value)
    assert producer.flush(10) == 0


def first_record(bootstrap_servers: str) -> bytes | None:
    """Read the topic's first record."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    try:
        message = consumer.poll(15)
        return None if message is None else message.value()
    finally:
        consumer.close()


def up(data: Path, port_base: int, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `coldstream up --only infra` where it ends by itself."""
    command = [COLDSTREAM, "up", "--only", "infra", "--data", str(data), "--port-base", str(port_base)]
    environment = {**os.environ, **settings}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)


def test_second_start_finds_what_was_written_before_the_stop(restarted: LocalStack) -> None:
    with psycopg.connect(restarted.database_url) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()

    assert row == ("before the stop",)
    assert first_record(restarted.kafka_bootstrap_servers) == b"before the stop"


def test_killed_kafka_comes_back_with_its_log_and_says_so(restarted: LocalStack) -> None:
    killed = restarted.kill("kafka", signal.SIGKILL)

    restarted.wait_ready("kafka")

    assert restarted.pid("kafka") not in {None, killed}
    assert first_record(restarted.kafka_bootstrap_servers) == b"before the stop"
    assert isinstance(restarted.progress, RecordedProgress)
    assert any("SIGKILL; starting again" in text for name, text in restarted.progress.lines if name == "kafka")


def test_killed_database_comes_back_with_its_rows(restarted: LocalStack) -> None:
    restarted.kill("postgres", signal.SIGKILL)

    restarted.wait_ready("postgres")

    with psycopg.connect(restarted.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_second_up_on_the_same_folder_refuses_with_the_id_of_the_first(restarted: LocalStack) -> None:
    second = up(restarted.logs.parent, free_base())

    assert second.returncode == 1
    assert f"process {os.getpid()}" in second.stderr


def test_taken_port_is_told_with_its_holder(tmp_path: Path) -> None:
    base = free_base()
    with socket.create_server((HOST, base + 4)):
        stack = LocalStack(tmp_path / "data", base, {"redis"})

        with pytest.raises(StackError, match=rf"Port {base + 4}, meant for redis, is taken by .* \(pid {os.getpid()}\)"):
            stack.start()


def test_holder_of_a_free_port_is_nobody() -> None:
    assert holder_of(free_base()) is None


def test_existing_servers_are_used_and_not_started(restarted: LocalStack, tmp_path: Path) -> None:
    existing = {
        "KAFKA_BOOTSTRAP_SERVERS": restarted.kafka_bootstrap_servers,
        "DATABASE_URL": restarted.database_url,
        "REDIS_URL": restarted.redis_url,
    }

    with LocalStack(tmp_path / "data", given=existing) as second:
        settings = read_environment(tmp_path / "data")
        with pytest.raises(StackError, match="redis is not ours"):
            second.pid("redis")

    assert {name: settings[name] for name in existing} == existing
    with psycopg.connect(restarted.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_existing_server_that_does_not_answer_is_named_by_its_setting(tmp_path: Path) -> None:
    base = free_base()
    stack = LocalStack(tmp_path / "data", base, {"redis"}, given={"REDIS_URL": f"redis://{HOST}:{base}/0"}, patience=0.5)

    with pytest.raises(StackError, match="REDIS_URL names that server"):
        stack.start()


def test_ctrl_c_ends_up_and_all_that_it_started(tmp_path: Path) -> None:
    base = free_base()
    settings = {"KAFKA_BOOTSTRAP_SERVERS": "", "DATABASE_URL": "", "REDIS_URL": ""}
    command = [COLDSTREAM, "up", "--only", "infra", "--data", str(tmp_path / "data"), "--port-base", str(base)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **settings}) as process:
        assert process.stderr is not None
        told = ""
        for line in process.stderr:
            told += line
            if "redis" in line and "ready" in line:
                # In the middle of its start: Kafka and PostgreSQL are still on their way.
                process.send_signal(signal.SIGINT)
        code = process.wait(60)

    assert code == 0, told
    assert all(holder_of(port) is None for port in range(base, base + 6))
