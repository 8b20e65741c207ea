"""Shows how far in time each flow has read and told. Wall time is read for this alone; nothing is decided by it."""

from pipelines.connectors.clock import now_ms
from pipelines.connectors.metrics import FLOW_CLOCK, FLOW_CLOCK_AGE, FLOW_RECORD_AGE, LIVE_PUBLISH_SECONDS


def show_clock(flow: str, partition: int, clock: int) -> None:
    """Set a partition's clock (ms UTC) and its age in the metrics of a flow."""
    FLOW_CLOCK.labels(flow, partition).set(clock / 1000)
    FLOW_CLOCK_AGE.labels(flow, partition).set((now_ms() - clock) / 1000)


def show_record_age(flow: str, stamp: int) -> None:
    """Count how old a record was when it was read, by its stamp (ms UTC)."""
    FLOW_RECORD_AGE.labels(flow).observe(since(stamp))


def show_published(event: str, received_at: int) -> None:
    """Count how long after its uplink was received (ms UTC) something was published: `readings` or `alert`."""
    LIVE_PUBLISH_SECONDS.labels(event).observe(since(received_at))


def since(instant: int) -> float:
    """Return the seconds since an instant (ms UTC), 0 for one that is still to come by this machine's clock."""
    return max(0, now_ms() - instant) / 1000
