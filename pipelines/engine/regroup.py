"""Groups a flow's partitions anew: what some recovery folders keep is written into new ones, of other ranges of partitions.

Bytewax itself reads and writes the stores: small flows with the real one's step ids, whose input ends at once. So nothing here knows
the store's format. Offline: the cells must not run. The folders read stay as they are.
"""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import bytewax.operators as op
from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import KeyedStream, StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.recovery import RecoveryConfig

from pipelines.connectors.errors import Misconfigured
from pipelines.engine.cell import EPOCH, Cell, claim, has_store, prepare, require_own
from pipelines.engine.source import LogSource, decode_offsets, encode_offsets, part_name, partition_key

States = dict[tuple[str, str], bytes]
"""Snapshots by step and key."""

Item = tuple[str, tuple[str, bytes]]
"""A key with the step and the snapshot that it is of."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a flow keeps something."""

    flow: str
    read_step: str
    topic: str
    state_steps: tuple[str, ...]
    further: tuple[tuple[str, str], ...] = ()
    """Step and topic of each other log that is read."""


@dataclass(slots=True)
class Kept:
    """What recovery folders keep: the next offset of each partition, and each step's snapshots."""

    offsets: dict[int, int] = field(default_factory=dict)
    states: States = field(default_factory=dict)
    further: dict[str, dict[int, int]] = field(default_factory=dict)
    """Of each other log, by its topic, the next offset of each partition."""


def shape_of(flow: Dataflow) -> Shape:
    """Return where a flow keeps something; raises Misconfigured where that is not in logs and steps of its own."""
    inputs = [step for step in flow.substeps if type(step).__name__ == "input"]
    sources = [step.source for step in inputs if isinstance(step.source, LogSource)]  # type: ignore[attr-defined]
    if not inputs or len(sources) != len(inputs):
        message = f"{flow.flow_id} reads something that is no log: its cells cannot be grouped anew"
        raise Misconfigured(message)
    states = tuple(step.step_name for step in flow.substeps if type(step).__name__ == "stateful_batch")
    first, *further = ((step.step_name, source.topic) for step, source in zip(inputs, sources, strict=True))
    return Shape(flow.flow_id, *first, states, tuple(further))


def regroup(shape: Shape, sources: Iterable[Cell], targets: Iterable[Cell]) -> None:
    """Write what the sources keep into the targets' new folders.

    Raises Misconfigured, and leaves no target, where a source runs or has no store, a target's folder is not empty, or the
    partitions of both are not the same.
    """
    sources, targets = list(sources), list(targets)
    require_same_partitions(shape.flow, sources, targets)
    require_empty(targets)
    try:
        kept = Kept()
        for cell in sources:
            read_store(shape, cell, kept)
        for cell in targets:
            write_store(shape, cell, share_of(kept, cell))
    except BaseException:
        for cell in targets:
            shutil.rmtree(cell.folder, ignore_errors=True)
        raise


def require_same_partitions(flow: str, sources: list[Cell], targets: list[Cell]) -> None:
    """Raise Misconfigured unless every partition is once among the sources and once among the targets."""
    before = sorted(partition for cell in sources for partition in cell.partitions)
    after = sorted(partition for cell in targets for partition in cell.partitions)
    if before != after or len(set(before)) != len(before):
        ranges = [", ".join(cell.name.removeprefix(f"{flow}-") for cell in cells) for cells in (sources, targets)]
        message = f"the partitions of {flow} to read ({ranges[0]}) and to write ({ranges[1]}) must be the same, each of them once"
        raise Misconfigured(message)


def require_empty(cells: list[Cell]) -> None:
    """Raise Misconfigured where a cell's folder has anything in it."""
    for cell in cells:
        if cell.folder.exists() and any(cell.folder.iterdir()):
            message = f"{cell.folder} is not empty: name a new folder"
            raise Misconfigured(message)


def share_of(kept: Kept, cell: Cell) -> Kept:
    """Return what belongs to a cell's partitions."""
    keys = {partition_key(partition) for partition in cell.partitions}
    offsets = {partition: offset for partition, offset in kept.offsets.items() if partition in cell.partitions}
    further = {topic: {part: at for part, at in of_topic.items() if part in cell.partitions} for topic, of_topic in kept.further.items()}
    return Kept(offsets, {place: state for place, state in kept.states.items() if place[1] in keys}, further)


def read_store(shape: Shape, cell: Cell, kept: Kept) -> None:
    """Add what a recovery folder keeps; the folder is locked meanwhile, and a copy of it is read."""
    if not has_store(cell.folder):
        message = f"{cell.folder} has no recovery store"
        raise Misconfigured(message)
    require_own(cell)
    with claim(cell.folder), tempfile.TemporaryDirectory(prefix="coldstream-regroup-") as copy:
        shutil.copytree(cell.folder, copy, dirs_exist_ok=True)
        source, found = _Offsets(part_name(shape.topic, cell.partitions), None, []), list[Item]()
        further = {topic: _Offsets(part_name(topic, cell.partitions), None, []) for _, topic in shape.further}
        _run(shape, source, further, found, Path(copy))
    known = {partition_key(partition) for partition in cell.partitions}
    strange = {key for key, _ in found} - known
    if strange:
        message = f"{cell.name} keeps state under {sorted(strange)}, which are no partitions of it: it cannot be grouped anew"
        raise Misconfigured(message)
    kept.offsets |= decode_offsets(source.resumed)
    for topic, other in further.items():
        kept.further[topic] = kept.further.get(topic, {}) | decode_offsets(other.resumed)
    kept.states |= {(step, key): state for key, (step, state) in found}


def write_store(shape: Shape, cell: Cell, kept: Kept) -> None:
    """Make a new recovery folder that keeps this."""
    cell.folder.mkdir(parents=True, exist_ok=True)
    prepare(cell)
    items = [(key, (step, state)) for (step, key), state in kept.states.items()]
    source = _Offsets(part_name(shape.topic, cell.partitions), encode_offsets(kept.offsets), items)
    further = {
        topic: _Offsets(part_name(topic, cell.partitions), encode_offsets(kept.further.get(topic, {})), []) for _, topic in shape.further
    }
    _run(shape, source, further, [], cell.folder)


def _run(shape: Shape, source: "_Offsets", further: dict[str, "_Offsets"], found: list[Item], folder: Path) -> None:
    """Run a flow with the real one's step ids on a recovery folder, to the end of its input."""
    flow = Dataflow(shape.flow)
    items = op.input(shape.read_step, flow, source)
    kept = [_step(step, items) for step in shape.state_steps]
    others = [op.input(step, flow, further[topic]) for step, topic in shape.further]
    nothing = op.filter("none", op.merge("all", items, *others) if others else items, lambda _: False)
    shown = op.map("show", op.merge("merge", nothing, *kept), lambda item: (item[0], item))
    op.output("find", shown, _Found(found))
    cli_main(flow, epoch_interval=EPOCH, recovery_config=RecoveryConfig(str(folder)))  # type: ignore[no-untyped-call]


def _step(name: str, items: KeyedStream[tuple[str, bytes]]) -> KeyedStream[tuple[str, bytes]]:
    """Return what a step that keeps state shows at the end."""

    def is_own(item: Item) -> bool:
        return item[1][0] == name

    def build(state: bytes | None) -> _State:
        return _State(name, state)

    return op.stateful_batch(name, op.filter(f"of_{name}", items, is_own), build)


class _Offsets(FixedPartitionedSource[Item, bytes]):
    """The part of the real source: keeps offsets, hands out snapshots once, and ends."""

    def __init__(self, part: str, offsets: bytes | None, items: list[Item]) -> None:
        self._part = part
        self._offsets = offsets
        self._items = items
        self.resumed: bytes | None = None

    def list_parts(self) -> list[str]:
        return [self._part]

    def build_part(self, step_id: str, for_part: str, resume_state: bytes | None) -> "_OffsetsPart":  # noqa: ARG002
        self.resumed = resume_state
        return _OffsetsPart(resume_state if self._offsets is None else self._offsets, [self._items] if self._items else [])


class _OffsetsPart(StatefulSourcePartition[Item, bytes]):
    def __init__(self, offsets: bytes | None, batches: list[list[Item]]) -> None:
        self._offsets = offsets
        self._batches = batches

    def next_batch(self) -> list[Item]:
        if not self._batches:
            raise StopIteration
        return self._batches.pop()

    def snapshot(self) -> bytes:
        return encode_offsets({}) if self._offsets is None else self._offsets


class _State(StatefulBatchLogic[tuple[str, bytes], tuple[str, bytes], bytes]):
    """Keeps a snapshot as it is, and shows it at the end of the input."""

    def __init__(self, step: str, state: bytes | None) -> None:
        self._step = step
        self._state = state

    def on_batch(self, values: list[tuple[str, bytes]]) -> tuple[list[tuple[str, bytes]], bool]:
        self._state = values[-1][1]
        return [], False

    def on_eof(self) -> tuple[list[tuple[str, bytes]], bool]:
        assert self._state is not None, "a key is made by its snapshot"
        return [(self._step, self._state)], False

    def snapshot(self) -> bytes:
        assert self._state is not None, "a key is made by its snapshot"
        return self._state


class _Found(FixedPartitionedSink[Item, None]):
    def __init__(self, found: list[Item]) -> None:
        self._found = found

    def list_parts(self) -> list[str]:
        return ["all"]

    def part_fn(self, item_key: str) -> int:  # noqa: ARG002
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> "_FoundPart":  # noqa: ARG002
        return _FoundPart(self._found)


class _FoundPart(StatefulSinkPartition[Item, None]):
    def __init__(self, found: list[Item]) -> None:
        self._found = found

    def write_batch(self, values: list[Item]) -> None:
        self._found += values

    def snapshot(self) -> None:
        return None
