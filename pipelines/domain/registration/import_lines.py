"""From a line of an import's file to what it wants, every wrong cell told with what to write instead. Knows nothing of the registry."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final

from pipelines.domain.registration.import_file import FileLine
from pipelines.domain.registration.naming import device_eui, display_name, model_name, probe_name, time_zone, unit_kind
from pipelines.domain.registration.refusals import Refused
from pipelines.domain.registration.sensor_terms import FIELDS, Number

HINTED_LINES: Final = 100
"""Lines of a file whose misspelt cells are told what may have been meant: looking for it in every line would take minutes."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,12}(?:[.,][0-9]{1,12})?")


@dataclass(frozen=True, slots=True)
class WantedLine:
    """What a line wants; None where its cell is empty or its column absent: then what is there stays as it is."""

    number: int
    site: str
    unit: str
    dev_eui: str
    probe: str
    time_zone: str | None
    kind: str | None
    policy: str | None
    device_name: str | None
    brand_id: str | None
    model_id: str | None
    terms: dict[str, Number | None] = field(hash=False)
    errors: tuple[str, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """Everything but the number of the line: two lines that want the same are equal in it."""
        return (
            *(self.site, self.unit, self.dev_eui, self.probe, self.time_zone, self.kind, self.policy),
            *(self.device_name, self.brand_id, self.model_id, *(self.terms.get(name) for name in FIELDS)),
        )


class _Cells:
    """Reads one line's cells, and collects what is wrong with them."""

    def __init__(self, line: FileLine) -> None:
        self._cells = line.cells
        self.errors = [line.error] if line.error else []

    def required(self, column: str, read: Callable[[str, str], str]) -> str:
        try:
            return read(self._cells.get(column, ""), column)
        except Refused as error:
            self.errors.append(str(error))
            return self._cells.get(column, "")

    def optional(self, column: str, read: Callable[[str, str], str]) -> str | None:
        return self.required(column, read) if self._cells.get(column) else None

    def number(self, column: str) -> Decimal | None:
        text = self._cells.get(column, "")
        if not text:
            return None
        if _NUMBER.fullmatch(text) is None:
            self.errors.append(f"{column}: must be a number such as 900 or 0.5")
            return None
        return Decimal(text.replace(",", "."))


def wanted_line(line: FileLine) -> WantedLine:
    """Return what a line wants, with what is wrong with it."""
    cells = _Cells(line)
    hint = line.number <= HINTED_LINES
    terms: dict[str, Number | None] = {name: cells.number(name) for name in FIELDS}
    found = WantedLine(
        number=line.number,
        site=cells.required("site", display_name),
        unit=cells.required("unit", display_name),
        dev_eui=cells.required("dev_eui", device_eui),
        probe=cells.required("probe", probe_name),
        time_zone=cells.optional("time_zone", partial(time_zone, hint=hint)),
        kind=cells.optional("kind", partial(unit_kind, hint=hint)),
        policy=cells.optional("policy", display_name),
        device_name=cells.optional("device_name", display_name),
        brand_id=cells.optional("brand_id", model_name),
        model_id=cells.optional("model_id", model_name),
        terms=terms,
    )
    return replace(found, errors=tuple(cells.errors)) if cells.errors else found
