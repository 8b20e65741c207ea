"""The import of a CSV file of sites, units and sensors, and its report line by line."""

import asyncio
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from api.commands.imports import Imported, ImportOrder, report, run_import
from api.managers import Manager
from api.parameters import Id, InstantText, optional_instant
from api.registry_shapes import ImportAnswer
from api.routes.context import Context
from api.shapes import iso
from pipelines.domain.registration.naming import comment as checked_comment

JSON: Final = "application/json"


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["registry: import"])
    manager_of = context.manager()

    @routes.post(
        "/imports",
        response_model=ImportAnswer,
        openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def imports(
        request: Request,
        organization: Id,
        dry_run: Annotated[bool, Query(description="the same report, and nothing is written")] = False,
        assigned_from: InstantText | None = None,
        comment: Annotated[str, Query(max_length=1_000)] = "",
        manager: Manager = Depends(manager_of),
    ) -> Response:
        order = ImportOrder(
            organization,
            await request.body(),
            dry_run,
            optional_instant(assigned_from, "assigned_from"),
            checked_comment(comment),
        )
        imported = await run_import(context.changes, manager, order)
        body = await asyncio.to_thread(_body, imported)
        return Response(body, _status(imported), media_type=JSON)

    return routes


def _status(imported: Imported) -> int:
    return 409 if imported.plan.has_errors and not imported.is_dry_run else 200


def _body(imported: Imported) -> bytes:
    said = report(imported)
    at = said["effective_at"]
    said["effective_at"] = None if at is None else iso(at)
    if _status(imported) == 409:  # noqa: PLR2004 - what is there stands against it
        wrong = imported.plan.counts()["error"]
        message = f"{wrong} of {said['lines']} lines cannot be taken, so nothing was written: mend them and send the file again."
        said["error"] = {"code": "import_refused", "message": message}
    return msgspec.json.encode(said)
