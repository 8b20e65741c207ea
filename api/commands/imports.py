"""An import: a file's lines become sites, units and sensors in one transaction, all of them or none. A dry run only plans.

The file is read and planned in a thread, so that a large one holds up no webhook and no tick of its process.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.commands.import_known import read_known
from api.commands.import_writes import write_plan
from api.commands.organizations import standing_organization
from api.commands.transaction import Changes, milliseconds
from api.managers import Manager
from api.parameters import aware
from pipelines.connectors.metrics import REGISTRY_IMPORT_LINES
from pipelines.domain.registration.effective import ALLOWANCE_MS, LINE_ALLOWANCE_MS
from pipelines.domain.registration.import_file import read_file
from pipelines.domain.registration.import_lines import WantedLine, wanted_line
from pipelines.domain.registration.import_plan import LineResult, Plan, When, plan_import


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """An import as it was asked for."""

    organization: int
    content: bytes
    is_dry_run: bool
    assigned_from: datetime | None = None
    """From when on first assignments hold; None is as early as every decoder knows them."""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    plan: Plan
    is_dry_run: bool

    @property
    def is_written(self) -> bool:
        """Whether it is in the registry now."""
        return not (self.is_dry_run or self.plan.has_errors)

    @property
    def effective_at(self) -> datetime | None:
        """When all of it has taken effect; None: at once."""
        return aware(max(self.plan.promised)) if self.plan.promised else None


async def run_import(changes: Changes, manager: Manager, order: ImportOrder) -> Imported:
    """Import a file; raises Refused for one that cannot be read, ApiError as any change does."""
    lines = await asyncio.to_thread(_wanted_lines, order.content)
    allowance = ALLOWANCE_MS + LINE_ALLOWANCE_MS * len(lines)
    async with changes.transaction(manager, order.comment, allowance, is_dry=order.is_dry_run) as transaction:
        await standing_organization(transaction, order.organization)
        known = await read_known(transaction, order.organization, lines)
        when = When(transaction.now, allowance, milliseconds(order.assigned_from))
        plan = await asyncio.to_thread(plan_import, lines, known, when)
        if not (order.is_dry_run or plan.has_errors):
            await write_plan(transaction, order.organization, plan, known)
            transaction.promised.extend(plan.promised)
    if not order.is_dry_run:
        for outcome, lines_so in plan.counts().items():
            REGISTRY_IMPORT_LINES.labels(outcome).inc(lines_so)
    return Imported(plan, order.is_dry_run)


def _wanted_lines(content: bytes) -> list[WantedLine]:
    return [wanted_line(line) for line in read_file(content)]


def report(imported: Imported) -> dict[str, Any]:
    """Return the report of an import as its answer has it; instants are datetimes."""
    plan = imported.plan
    return {
        "dry_run": imported.is_dry_run,
        "written": imported.is_written,
        "effective_at": imported.effective_at,
        "lines": len(plan.results),
        "counts": plan.counts(),
        "totals": plan.totals(),
        "items": [_item(result) for result in plan.results],
    }


def _item(result: LineResult) -> dict[str, Any]:
    line = result.line
    return {
        "line": line.number,
        "outcome": result.outcome,
        "site": line.site,
        "unit": line.unit,
        "dev_eui": line.dev_eui,
        "probe": line.probe,
        "changes": result.changes,
        "errors": result.errors,
    }
