"""Creates topics and checks their settings through kafka-python's admin client, independent of the data path's client."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from schemas.topics import TOPICS, Topic

REPLICATION = 1
"""One copy on a single broker; a cluster sets its own default with -1."""


@dataclass(frozen=True, slots=True)
class TopicProblem:
    """How a topic differs from what schemas.topics says."""

    topic: str
    text: str


@contextmanager
def admin_client(bootstrap_servers: str) -> Iterator[KafkaAdminClient]:
    """Connect, and let go at the end."""
    client = KafkaAdminClient(bootstrap_servers=bootstrap_servers, client_id="coldstream-topics")
    try:
        yield client
    finally:
        client.close()


def create_missing(bootstrap_servers: str) -> list[str]:
    """Create what is missing and correct settings that differ; return a line for each thing done."""
    done = []
    with admin_client(bootstrap_servers) as client:
        present = set(client.list_topics())
        missing = [topic for topic in TOPICS if topic.name not in present]
        if missing:
            client.create_topics({topic.name: wanted_topic(topic) for topic in missing}, wait_for_metadata=True)
            done += [f"created {topic.name}" for topic in missing]
        for topic in TOPICS:
            if topic.name in present and _differing(client, topic):
                client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, topic.broker_settings())])
                done.append(f"corrected the settings of {topic.name}")
    return done


def find_problems(bootstrap_servers: str) -> list[TopicProblem]:
    """Return how the broker's topics differ from schemas.topics."""
    problems = []
    with admin_client(bootstrap_servers) as client:
        described = {
            entry["name"]: entry for entry in client.describe_topics([topic.name for topic in TOPICS]) if not entry.get("error_code")
        }
        for topic in TOPICS:
            entry = described.get(topic.name)
            if entry is None:
                problems.append(TopicProblem(topic.name, "missing"))
                continue
            partitions = len(entry["partitions"])
            if partitions != topic.partitions:
                text = f"has {partitions} partitions, must have {topic.partitions}, for life: state and offsets hang on it"
                problems.append(TopicProblem(topic.name, text))
            problems += [TopicProblem(topic.name, text) for text in _differing(client, topic)]
    return problems


def wanted_topic(topic: Topic) -> dict[str, object]:
    """Return what to ask the broker for."""
    return {"num_partitions": topic.partitions, "replication_factor": REPLICATION, "configs": topic.broker_settings()}


def _differing(client: KafkaAdminClient, topic: Topic) -> list[str]:
    found = settings_of(client, topic.name)
    return [
        f"{name} is {found.get(name)}, must be {wanted}" for name, wanted in topic.broker_settings().items() if found.get(name) != wanted
    ]


def settings_of(client: KafkaAdminClient, topic: str) -> dict[str, str]:
    """Return a topic's settings on the broker."""
    answers = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    return {name: str(entry["value"]) for name, entry in answers["topic"][topic].items()}
