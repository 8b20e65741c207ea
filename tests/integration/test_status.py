"""`coldstream status` on a real database and log: who holds what, how far, and the exit code."""

import json
import os
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from infra.commands.status import command
from infra.local.local_stack import LocalStack
from infra.local.parts import FLOWS
from infra.status.looking import topics_by_flow
from pipelines.connectors.host import this_process
from pipelines.connectors.kafka import AckedProducer, KafkaConfig
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.lease import CellLease, Claimant
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.stop import StopFlag
from schemas.topics import DEAD_LETTERS
from tests.integration.engine_database import new_database

TOPIC_OF = topics_by_flow(tuple(part.value for part in FLOWS))


@pytest.fixture
def database(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """A migrated database."""
    with new_database(stack.database_url) as config:
        yield config


def held(database: DatabaseConfig, flow: str) -> CellLease:
    """Have this process hold a whole flow."""
    partitions = tuple(range(TOPIC_OF[flow].partitions))
    database_of_lease = Reconnecting(database, "test", StopFlag())
    lease = CellLease(database_of_lease, flow, f"{flow}-00-{partitions[-1]:02d}", partitions, Claimant(this_process(), flow, None))
    lease.acquire()
    lease.renew(dict.fromkeys(partitions, 0), dict.fromkeys(partitions, 2))
    return lease


def status(stack: LocalStack, database: DatabaseConfig, *arguments: str) -> Result:
    """Run the command."""
    environment = {"DATABASE_URL": database.url, "KAFKA_BOOTSTRAP_SERVERS": stack.kafka_bootstrap_servers}
    return CliRunner().invoke(command, arguments, env=environment)


def test_held_flows_are_shown_and_one_that_was_let_go_is_wrong_with_its_backlog(stack: LocalStack, database: DatabaseConfig) -> None:
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap_servers})
    if DEAD_LETTERS.name not in admin.list_topics(timeout=10).topics:
        admin.create_topics([NewTopic(DEAD_LETTERS.name, DEAD_LETTERS.partitions, 1)])[DEAD_LETTERS.name].result(10)
    producer = AckedProducer(KafkaConfig(stack.kafka_bootstrap_servers).flow_producer("test"))
    producer.send(DEAD_LETTERS.name, 1, b"one")
    producer.settle()
    leases = {flow: held(database, flow) for flow in TOPIC_OF}

    well = status(stack, database)
    leases["store_dead_letters"].release()
    for flow in TOPIC_OF.keys() - {"store_dead_letters"}:
        leases[flow].renew({}, {})
    told = status(stack, database, "--json")

    assert well.exit_code == 0, well.output
    assert [line.split()[:4] for line in well.stdout.splitlines()[1:]] == [
        [flow, f"00-{topic.partitions - 1:02d}", f"{os.getpid()}@{this_process().host}", str(2 * topic.partitions)]
        for flow, topic in sorted(TOPIC_OF.items())
    ]
    assert told.exit_code == 1
    document = json.loads(told.stdout)
    assert [problem["reason"] for problem in document["problems"]] == ["no_holder"]
    (dead_letters,) = (cell for cell in document["cells"] if cell["flow"] == "store_dead_letters")
    assert dead_letters["holder"] is None
    assert dead_letters["lag_records"] >= 1


def test_a_database_that_does_not_answer_is_told(stack: LocalStack) -> None:
    told = status(stack, DatabaseConfig("postgresql://nobody@127.0.0.1:9/none"))

    assert told.exit_code == 1
    assert "the database cannot be asked" in told.output
