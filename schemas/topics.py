"""The map of the log: every topic with its key, value, writers and readers.

Broker set-up (`coldstream topics`), drawings and the topology test are checked against this table.
"""

from dataclasses import dataclass
from typing import Final

from schemas.partitions import ALERTING_PARTITIONS, DEVICE_PARTITIONS

DAY_MS: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: what is in it, who writes it, who reads it."""

    name: str
    partitions: int
    key: str
    value: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    retention_ms: int
    log_append_time: bool = False
    most_bytes: int = 1_048_576
    """Of a record: a webhook body is at most 256 KiB, a batch of readings at most 8,192 rows of 64 bytes."""

    def broker_settings(self) -> dict[str, str]:
        """Return the topic settings the broker must hold, in Kafka's words."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
            "max.message.bytes": str(self.most_bytes),
        }


UPLINKS: Final = Topic(
    name="uplinks",
    partitions=DEVICE_PARTITIONS,
    key="device EUI",
    value="the webhook's raw body; or a tick (schemas.uplinks)",
    writers=("api",),
    readers=("decode_uplinks", "api"),
    retention_ms=35 * DAY_MS,
    log_append_time=True,
)
READINGS: Final = Topic(
    name="readings",
    partitions=DEVICE_PARTITIONS,
    key="none; partition p holds what came from partition p of uplinks, in order",
    value="columns of readings, ticks and uplink ends (schemas.readings)",
    writers=("decode_uplinks",),
    readers=("store_readings", "detect_excursions"),
    retention_ms=7 * DAY_MS,
)
DEAD_LETTERS: Final = Topic(
    name="dead_letters",
    partitions=4,
    key="organization",
    value="a rejected uplink with its reason and raw bytes (schemas.dead_letters)",
    writers=("api", "decode_uplinks"),
    readers=("store_dead_letters",),
    retention_ms=35 * DAY_MS,
)
REVISIONS: Final = Topic(
    name="revisions",
    partitions=DEVICE_PARTITIONS,
    key="sensor",
    value="a request to judge a stretch of a sensor again (schemas.revisions)",
    writers=("detect_excursions",),
    readers=("revise_excursions",),
    retention_ms=35 * DAY_MS,
)
REVISED: Final = Topic(
    name="revised",
    partitions=DEVICE_PARTITIONS,
    key="sensor",
    value="the state of a sensor that was judged again (schemas.revisions)",
    writers=("revise_excursions",),
    readers=("detect_excursions",),
    retention_ms=7 * DAY_MS,
    most_bytes=16_777_216,  # what a window of 3 million readings holds
)
ALERTING: Final = Topic(
    name="alerting",
    partitions=ALERTING_PARTITIONS,
    key="organization",
    value="excursion and condition events (schemas.events)",
    writers=("detect_excursions", "revise_excursions"),
    readers=(),
    retention_ms=35 * DAY_MS,
)

TOPICS: Final = (UPLINKS, READINGS, DEAD_LETTERS, REVISIONS, REVISED, ALERTING)
