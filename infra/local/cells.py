"""How many cells each flow of a local stack has, which partitions each cell owns, and where its recovery folder is.

A flow with one cell keeps it in `<flow>/recovery`, one with several in `<flow>/<first>-<last>/recovery`. What is on the disk
must be what is wanted: a cell that started on a new folder would read its whole log again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.children import ChildSpec
from infra.local.errors import StackError
from infra.local.folders import Folders
from infra.local.parts import COLDSTREAM, FLOWS, Part, http_probe
from infra.local.ports import HOST, Ports
from schemas.partitions import DEVICE_PARTITIONS
from schemas.topics import TOPICS

RECOVERY: Final = "recovery"
STORE: Final = "part-0.sqlite3"
"""A file that every recovery store has."""

UNFINISHED: Final = "regrouping"
"""Folder of a flow while `coldstream regroup` is at work on it."""

RANGE: Final = re.compile(r"(\d\d)-(\d\d)")
PARTITIONS: Final = {Part(reader): topic.partitions for topic in TOPICS for reader in topic.readers if reader in FLOWS}
"""How many partitions the topic of each flow has."""

Counts = Mapping[Part, int]
"""Cells by flow; one where a flow is not named."""


@dataclass(frozen=True, slots=True, order=True)
class CellPlace:
    """One cell of a flow: its partitions and the folder it works in."""

    first: int
    last: int
    folder: Path

    @property
    def range(self) -> str:
        """Return the partitions as they are named everywhere, such as 00-31."""
        return f"{self.first:02d}-{self.last:02d}"

    @property
    def recovery(self) -> Path:
        """Return the recovery folder."""
        return self.folder / RECOVERY


def parse_counts(text: str) -> dict[Part, int]:
    """Return the cells of each flow from `4` (every flow keyed by device) or `detect_excursions=4,decode_uplinks=2`.

    Raises StackError on a flow that does not exist and on more cells than the flow has partitions.
    """
    counts: dict[Part, int] = {}
    for piece in filter(None, text.replace(" ", "").split(",")):
        name, separator, number = piece.rpartition("=")
        named = [part for part in FLOWS if part == name] if separator else [p for p in FLOWS if PARTITIONS[p] == DEVICE_PARTITIONS]
        if not named:
            raise StackError(f"There is no flow {name}.", f"The flows are {', '.join(FLOWS)}.")
        for part in named:
            if not (number.isdigit() and 1 <= int(number) <= PARTITIONS[part]):
                raise StackError(
                    f"{part} can have 1 to {PARTITIONS[part]} cells, not {number!r}.", "Write --cells 4 or --cells FLOW=4,FLOW=2."
                )
            counts[part] = int(number)
    return counts


def groups(partitions: int, cells: int) -> list[tuple[int, int]]:
    """Return first and last partition of each cell: as equal as can be, the larger ones first."""
    size, larger = divmod(partitions, cells)
    ends = [size * (cell + 1) + min(cell + 1, larger) for cell in range(cells)]
    return [(first, end - 1) for first, end in zip([0, *ends], ends, strict=False)]


def wanted_places(folders: Folders, part: Part, counts: Counts) -> list[CellPlace]:
    """Return the cells that a flow is to have."""
    home = folders.data / part
    cells = counts.get(part, 1)
    if cells == 1:
        return [CellPlace(0, PARTITIONS[part] - 1, home)]
    return [CellPlace(first, last, home / f"{first:02d}-{last:02d}") for first, last in groups(PARTITIONS[part], cells)]


def found_places(folders: Folders, part: Part) -> list[CellPlace]:
    """Return the cells of a flow that have a recovery store on the disk."""
    home = folders.data / part
    found = [CellPlace(0, PARTITIONS[part] - 1, home)] if (home / RECOVERY / STORE).exists() else []
    for store in home.glob(f"*/{RECOVERY}/{STORE}"):
        folder = store.parents[1]
        match = RANGE.fullmatch(folder.name)
        if match is not None:
            found.append(CellPlace(int(match[1]), int(match[2]), folder))
    return sorted(found)


def require_same(folders: Folders, part: Part, counts: Counts) -> None:
    """Raise StackError where a flow ran with other cells before: it would start anew without its state."""
    found, wanted = found_places(folders, part), wanted_places(folders, part, counts)
    if (folders.data / part / UNFINISHED).exists():
        raise StackError(f"{part}: grouping its cells anew was interrupted.", f"Run again: {regroup_command(folders, part, counts)}")
    if not set(found) <= set(wanted):
        ranges = ", ".join(place.range for place in found)
        raise StackError(
            f"{part} ran as {len(found)} cell{'s' * (len(found) > 1)} ({ranges}) before, and is to have {len(wanted)} now.",
            f"Group its state anew with: {regroup_command(folders, part, counts)}   (or start it as before: --cells {part}={len(found)})",
        )


def flow_specs(part: Part, folders: Folders, ports: Ports, counts: Counts, environment: Mapping[str, str]) -> list[ChildSpec]:
    """Describe the cells of a flow as children; raises StackError where other cells have left their state."""
    require_same(folders, part, counts)
    places = wanted_places(folders, part, counts)
    return [_cell_spec(part, place, number, ports, environment, alone=len(places) == 1) for number, place in enumerate(places)]


def _cell_spec(part: Part, place: CellPlace, number: int, ports: Ports, environment: Mapping[str, str], *, alone: bool) -> ChildSpec:
    port = ports.metrics(FLOWS.index(part), number)
    place.folder.mkdir(parents=True, exist_ok=True)
    own = {"METRICS_ENABLED": "true", "METRICS_PORT": str(port), "RECOVERY_DIR": str(place.recovery)}
    command = (COLDSTREAM, "flow", part)
    return ChildSpec(
        name=part if alone else f"{part}-{place.range}",
        command=command if alone else (*command, "--partitions", place.range),
        ports=(port,),
        environment={**environment, **own},
        folder=place.folder,
        probe=http_probe(f"http://{HOST}:{port}/metrics"),
        grace_seconds=20.0,
    )


def regroup_command(folders: Folders, part: Part, counts: Counts) -> str:
    """Return the command that brings the folders of a flow to what is wanted."""
    return f"coldstream regroup --data {folders.data} --cells {part}={counts.get(part, 1)}"
