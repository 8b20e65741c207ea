"""A real Kafka broker for one machine: KRaft, one node that is broker and controller, its log below the data folder."""

import asyncio
import base64
import os
import socket
import subprocess
import uuid
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local import programs
from infra.local.children import ChildSpec
from infra.local.errors import NotReadyError, StackError
from infra.local.folders import Folders
from infra.local.ports import HOST, Ports

NAME: Final = "kafka"
HEAP_MEGABYTES: Final = 512
PROBE_TOPIC: Final = "local_stack_probe"
ANSWER_SECONDS: Final = 3.0
RECOVERY_SECONDS: Final = 600.0
"""After an unclean end the broker reads all its logs anew: killed while it does, it would have to begin again each time."""

SERVER_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller}
listeners=CLIENTS://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENTS://{host}:{port},CONTROLLER://{host}:{controller}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
log.dirs={log_folder}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""

LOG4J_PROPERTIES: Final = """\
name=kafka
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.alwaysWriteExceptions=false
appender.out.layout.pattern={"timestamp":"%d{yyyy-MM-dd'T'HH:mm:ss.SSS}{UTC}Z","level":"%p","logger":"%c{1}",\
"event":"%enc{%m%notEmpty{ %throwable{12}}}{JSON}"}%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
"""


def spec(folders: Folders, ports: Ports) -> ChildSpec:
    """Describe the broker as a child; raises StackError when Java or the jars are missing."""
    folder = folders.part(NAME)
    settings = folder / "server.properties"
    java = _java_command(folder)
    bootstrap = f"{HOST}:{ports.kafka}"

    def prepare() -> None:
        _write_settings(folder, ports, folder / "log")
        if not (folder / "log" / "meta.properties").exists():
            _format(folder, ports, java)

    return ChildSpec(
        name=NAME,
        command=(
            *java,
            f"-Xms{HEAP_MEGABYTES}m",
            f"-Xmx{HEAP_MEGABYTES}m",
            "kafka.Kafka",
            str(settings),
        ),
        ports=(ports.kafka, ports.kafka_controller),
        folder=folder,
        prepare=prepare,
        probe=lambda: produces(bootstrap),
        grace_seconds=20.0,
        ready_seconds=RECOVERY_SECONDS,
    )


async def answers(bootstrap_servers: str) -> None:
    """Return once a broker answers with its metadata; nothing is created there. Raises NotReadyError."""
    await asyncio.to_thread(_ask_metadata, bootstrap_servers)


async def produces(bootstrap_servers: str) -> None:
    """Return once an idempotent record sent to our own broker is acknowledged. Raises NotReadyError."""
    await asyncio.to_thread(_produce_one, bootstrap_servers)


def _java_command(folder: Path) -> tuple[str, ...]:
    """Return the start of each Java command: logging set up, jars on the class path."""
    return (
        str(programs.java()),
        f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
        "-XX:+UseG1GC",
        "-Djava.awt.headless=true",
        "-cp",
        f"{programs.kafka_jars()}/*",
    )


def _write_settings(folder: Path, ports: Ports, log_folder: Path) -> None:
    """Write the broker's and its logging's settings anew; ports may differ from the last start."""
    settings = SERVER_PROPERTIES.format(
        host=HOST,
        port=ports.kafka,
        controller=ports.kafka_controller,
        log_folder=log_folder,
    )
    (folder / "server.properties").write_text(settings)
    (folder / "log4j2.properties").write_text(LOG4J_PROPERTIES)


def _format(folder: Path, ports: Ports, java: tuple[str, ...]) -> None:
    """Make the log folder of a new broker: beside its place first, so that a broken try is never taken for one."""
    final, draft = folder / "log", folder / f"log.draft-{os.getpid()}"
    if final.exists() and any(final.iterdir()):
        problem = f"{final} holds files but no meta.properties; it is left as it is."
        raise StackError(problem, "Move it away if its records are not needed.")
    _write_settings(folder, ports, draft)
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = (
        "format",
        f"--cluster-id={cluster_id}",  # apart from its option, one that begins with a dash would be taken for another
        "-c",
        str(folder / "server.properties"),
        "--standalone",
    )
    result = subprocess.run(
        [*java, "-Xmx128m", "kafka.tools.StorageTool", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        raise StackError(
            "Kafka could not format its log folder.",
            (result.stdout + result.stderr)[-2000:],
        )
    if final.exists():
        final.rmdir()
    draft.rename(final)
    _write_settings(folder, ports, final)


def _ask_metadata(bootstrap_servers: str) -> None:
    _require_listener(bootstrap_servers)
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    try:
        brokers = client.list_topics(timeout=ANSWER_SECONDS).brokers
    except KafkaException as error:
        raise NotReadyError(f"Kafka at {bootstrap_servers} gives no metadata") from error
    if not brokers:
        raise NotReadyError(f"Kafka at {bootstrap_servers} names no broker")


def _produce_one(bootstrap_servers: str) -> None:
    _ask_metadata(bootstrap_servers)
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    topic = NewTopic(
        PROBE_TOPIC,
        num_partitions=1,
        replication_factor=1,
        config={"retention.ms": "60000"},
    )
    try:
        admin.create_topics([topic], operation_timeout=ANSWER_SECONDS)[PROBE_TOPIC].result(ANSWER_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise NotReadyError("Kafka creates no topic yet") from error
    except TimeoutError as error:
        raise NotReadyError(f"Kafka took longer than {ANSWER_SECONDS:.0f} s over a topic") from error
    outcomes: list[KafkaError | None] = []
    settings = {
        "bootstrap.servers": bootstrap_servers,
        "enable.idempotence": True,
        "log_level": 0,
    }
    producer = Producer(settings)
    producer.produce(
        PROBE_TOPIC,
        b"ready?",
        on_delivery=lambda error, _message: outcomes.append(error),
    )
    producer.flush(ANSWER_SECONDS)
    if outcomes != [None]:
        raise NotReadyError("Kafka acknowledges no record yet")


def _require_listener(bootstrap_servers: str) -> None:
    """Fail fast, and without the client library's noise, while nothing listens."""
    host, _, port = bootstrap_servers.split(",", maxsplit=1)[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise NotReadyError(f"nothing listens at {bootstrap_servers}") from error
