"""CPU time of processes with all their children, read from /proc."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tests.bench.flow_process import TICKS_PER_SECOND


def cpu_seconds_of_trees(roots: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds used so far by each named process and its descendants, those that ended included."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    used: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        pid = int(path.parent.name)
        children[int(fields[1])].append(pid)
        used[pid] = (int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14]))
    return {name: tree_ticks(root, children, used) / TICKS_PER_SECOND for name, root in roots.items()}


def tree_ticks(root: int, children: Mapping[int, list[int]], used: Mapping[int, tuple[int, int]]) -> int:
    """Return the clock ticks of a tree: of each its own, and of each what its ended and waited-for children used."""
    own, ended = used.get(root, (0, 0))
    return own + ended + sum(tree_ticks(child, children, used) for child in children.get(root, ()))
