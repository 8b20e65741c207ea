"""How far each flow is behind the log, from outside: the broker's newest offsets less the records its processes say they have read."""

import re
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its stub does not export it

from infra.local.local_stack import LocalStack
from infra.local.parts import FLOWS
from schemas.topics import DEAD_LETTERS, READINGS, REVISED, REVISIONS, UPLINKS, Topic

READS: Final[Mapping[str, tuple[str, Topic]]] = {
    "decode_uplinks": ("decode_uplinks", UPLINKS),
    "store_readings": ("store_readings", READINGS),
    "detect_excursions": ("detect_excursions", READINGS),
    "detect_excursions, answers": ("detect_excursions", REVISED),
    "revise_excursions": ("revise_excursions", REVISIONS),
    "store_dead_letters": ("store_dead_letters", DEAD_LETTERS),
}
"""Each flow with each topic that it reads."""
RECORDS: Final = re.compile(r'^coldstream_flow_records_total\{flow="(\w+)",topic="(\w+)"\} (\S+)$', re.MULTILINE)
ANSWER_SECONDS: Final = 30.0
OFFSET_TRIES: Final = 20
TRY_AGAIN_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class LagLook:
    """What was seen at one time; records, by the names of READS."""

    at: float
    read: Mapping[str, int]
    written: Mapping[str, int]
    """Of the flow's topic."""

    def lag(self, flow: str) -> int:
        """Return how many records a flow has not read."""
        return max(0, self.written[flow] - self.read[flow])


def seconds_behind(earlier: LagLook, later: LagLook) -> dict[str, float]:
    """Return by how many seconds' worth of records each flow is behind, at the rate between two looks.

    A flow whose topic gets less than a record a second is left out.
    """
    seconds = later.at - earlier.at
    written = {flow: later.written[flow] - earlier.written[flow] for flow in READS}
    return {flow: later.lag(flow) * seconds / count for flow, count in written.items() if count >= seconds}


class LagWatch:
    """Looks at the flows of a stack whose log began empty and whose flows were not started again."""

    def __init__(self, stack: LocalStack) -> None:
        """Watch this stack."""
        self._stack = stack
        self._admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap_servers, "log_level": 4})

    def look(self) -> LagLook:
        """Return how it stands; raises RuntimeError when a flow was started again, for its counter began anew."""
        again = [part.value for part in FLOWS if self._stack.restarts(part)]
        if again:
            raise RuntimeError(f"started again in the middle: {', '.join(again)}; see {self._stack.logs}")
        done: Counter[tuple[str, str]] = Counter()
        for place in range(len(FLOWS)):
            done.update(counters(f"http://127.0.0.1:{self._stack.ports.metrics(place)}/metrics"))
        heads = {topic.name: head_of(self._admin, topic) for _, topic in READS.values()}
        read = {name: done[flow, topic.name] for name, (flow, topic) in READS.items()}
        return LagLook(time.perf_counter(), read, {name: heads[topic.name] for name, (_, topic) in READS.items()})


def counters(address: str) -> dict[tuple[str, str], int]:
    """Return how many records the flow at a metrics address has read, by its name and topic; raises OSError when it does not answer."""
    with urllib.request.urlopen(address, timeout=ANSWER_SECONDS) as answer:
        text = answer.read().decode()
    return {(flow, topic): int(float(count)) for flow, topic, count in RECORDS.findall(text)}


def head_of(admin: AdminClient, topic: Topic) -> int:
    """Return how many records a topic has ever been given."""
    newest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    for left in reversed(range(OFFSET_TRIES)):
        try:
            return heads_of(admin, topic, newest)
        except KafkaException:
            if not left:
                raise
            time.sleep(TRY_AGAIN_SECONDS)
    raise AssertionError("a last try returns or raises")


def heads_of(admin: AdminClient, topic: Topic, newest: OffsetSpec) -> int:
    """Ask once; raises KafkaException, also where a partition has no leader for a moment."""
    wanted = {TopicPartition(topic.name, partition): newest for partition in range(topic.partitions)}
    return sum(future.result(ANSWER_SECONDS).offset for future in admin.list_offsets(wanted).values())


def rise_per_second(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the straight line that fits (time, value) points best."""
    mean_at = sum(at for at, _ in points) / len(points)
    mean_value = sum(value for _, value in points) / len(points)
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    return 0.0 if not spread else sum((at - mean_at) * (value - mean_value) for at, value in points) / spread
