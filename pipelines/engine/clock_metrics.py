"""Shows how far in time each flow has read each partition, and how old that is. Wall time is read for this alone; nothing is decided by it."""

from pipelines.connectors.clock import now_ms
from pipelines.connectors.metrics import FLOW_CLOCK, FLOW_CLOCK_AGE


def show_clock(flow: str, partition: int, clock: int) -> None:
    """Set a partition's clock (ms UTC) and its age in the metrics of a flow."""
    FLOW_CLOCK.labels(flow, partition).set(clock / 1000)
    FLOW_CLOCK_AGE.labels(flow, partition).set((now_ms() - clock) / 1000)
