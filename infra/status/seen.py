"""What is known of each cell at one moment. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """What a cell's own metrics say; None where they do not."""

    clock_at: float | None
    """The oldest of its partitions' clocks, in seconds UTC."""
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class CellSeen:
    """A cell as its lease shows it, and its process where that could be asked."""

    flow: str
    cell: str
    partitions: tuple[int, ...]
    host: str
    pid: int
    metrics_port: int | None
    renewed_seconds: float
    """Since state and offsets were made safe and the lease renewed: at most an epoch and a little while all is well."""
    is_held: bool
    """Whether the lease has not run out."""
    is_let_go: bool
    """Whether the holder ended well and let go of it."""
    lag: int | None
    """Records of the log not yet read, as of the last renewal, or now where nobody holds the partitions."""
    lag_before: int | None
    """At the renewal before."""
    per_second: float | None
    """Records read between the two."""
    process: ProcessSeen | None = None

    @property
    def range(self) -> str:
        """Return the partitions as they are named everywhere."""
        return ranges(self.partitions)


def ranges(partitions: tuple[int, ...]) -> str:
    """Return partitions as ranges, such as 00-31, 40-40."""
    found: list[list[int]] = []
    for partition in sorted(partitions):
        if found and partition == found[-1][1] + 1:
            found[-1][1] = partition
        else:
            found.append([partition, partition])
    return ", ".join(f"{first:02d}-{last:02d}" for first, last in found)
