"""Groups the cells of a local stack's flow anew, so that an interruption at any moment loses nothing.

New folders are written aside, then a list of the moves to make is left beside them: from then on the work is finished by whoever
starts it again. The old folders are kept in `<flow>/replaced` until the next time.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.local.cells import UNFINISHED, CellPlace, Counts, found_places, wanted_places
from infra.local.folders import Folders
from infra.local.parts import Part
from pipelines.engine.cell import Cell
from pipelines.engine.regroup import Shape, regroup

MOVES: Final = "moves.json"
REPLACED: Final = "replaced"


def regroup_flow(folders: Folders, part: Part, counts: Counts, shape: Shape) -> str:
    """Bring the folders of a flow that does not run to the wanted cells; return what was done in a few words.

    Raises Misconfigured where a cell runs or the folders do not hold every partition once.
    """
    aside = folders.data / part / UNFINISHED
    finished = _finish(aside)
    shutil.rmtree(aside, ignore_errors=True)
    found, wanted = found_places(folders, part), wanted_places(folders, part, counts)
    if not found:
        return "has not run yet: nothing to do"
    if found == wanted:
        return "finished what was interrupted" if finished else "is as wanted: nothing to do"
    new = [place for place in wanted if place not in found]
    old = [place for place in found if place not in wanted]
    drafts = [_cell(part, place, aside / place.range) for place in new]
    regroup(shape, [_cell(part, place, place.recovery) for place in old], drafts)
    moves = [[str(place.recovery), str(folders.data / part / REPLACED / place.range)] for place in old]
    moves += [[str(draft.folder), str(place.recovery)] for draft, place in zip(drafts, new, strict=True)]
    shutil.rmtree(folders.data / part / REPLACED, ignore_errors=True)
    (aside / "draft").write_text(json.dumps(moves), encoding="utf-8")
    (aside / "draft").replace(aside / MOVES)
    _finish(aside)
    shutil.rmtree(aside)
    return f"{_ranges(found)} -> {_ranges(wanted)}"


def _finish(aside: Path) -> bool:
    """Make the moves that are still to be made; return whether there was such a list."""
    listed = aside / MOVES
    if not listed.exists():
        return False
    for origin, target in json.loads(listed.read_text(encoding="utf-8")):
        if Path(origin).exists():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(origin).rename(target)
    return True


def _cell(part: Part, place: CellPlace, folder: Path) -> Cell:
    return Cell(part, tuple(range(place.first, place.last + 1)), folder)


def _ranges(places: Sequence[CellPlace]) -> str:
    return ", ".join(place.range for place in places)
