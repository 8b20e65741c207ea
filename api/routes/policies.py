"""Policies, their versions, and the presets to start from; and the log of all changes of the registry."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from api.callers import Caller
from api.commands.policies import add_version, archive_policy, create_policy, rename_policy, restore_policy
from api.errors import not_found
from api.managers import Manager
from api.parameters import Archived, Cursor, Id, PathId, decode_cursor, encode_cursor
from api.queries.policies import policies as query_policies
from api.queries.policies import policy_detail
from api.queries.registry_log import registry_changes as query_changes
from api.registry_requests import NOTHING_SAID, NewPolicy, NewVersion, Order, PolicyChange
from api.registry_shapes import ChangeAnswer, Changed, PolicyDetailAnswer, PolicySummaryAnswer, PresetAnswer
from api.routes.changing import Changer
from api.routes.context import Context
from api.shapes import Page
from pipelines.domain.registration.presets import PRESETS

Answer = Changed[PolicyDetailAnswer]
Kind = Literal["organization", "site", "unit", "sensor", "policy", "secret", "correction", "maintenance"]
Limit = Annotated[int, Query(ge=1, le=1_000)]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["registry: policies"])
    _add_reads(routes, context)
    _add_changes(routes, context)
    _add_log(routes, context)
    return routes


def _add_reads(routes: APIRouter, context: Context) -> None:
    caller_of = context.caller()

    @routes.get("/policies")
    async def policies(
        organization: Id | None = None, archived: Archived = False, caller: Caller = Depends(caller_of)
    ) -> Page[PolicySummaryAnswer]:
        items = await query_policies(context.database, caller.narrowed(organization), archived=archived)
        return Page(items=items, next=None)

    @routes.get("/policies/{policy}")
    async def one_policy(policy: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> PolicyDetailAnswer:
        found = await policy_detail(context.database, caller.scope, policy)
        if found is None:
            raise not_found("policy")
        return found

    @routes.get("/policy-presets", dependencies=[Depends(caller_of)])
    async def presets() -> Page[PresetAnswer]:
        items = [
            PresetAnswer(
                id=preset.id,
                name=preset.name,
                summary=preset.summary,
                sources=list(preset.sources),
                document=preset.document,
            )
            for preset in PRESETS
        ]
        return Page(items=items, next=None)


def _add_changes(routes: APIRouter, context: Context) -> None:
    manager_of = context.manager()
    changer = Changer(context)

    @routes.post("/policies", status_code=201)
    async def create(order: NewPolicy, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Answer:
        return await changer.answer(manager, order, response, lambda transaction: create_policy(transaction, order), policy_detail)

    @routes.patch("/policies/{policy}")
    async def change(policy: PathId, order: PolicyChange, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Answer:
        return await changer.answer(manager, order, response, lambda transaction: rename_policy(transaction, policy, order), policy_detail)

    @routes.post("/policies/{policy}/versions", status_code=201)
    async def version(policy: PathId, order: NewVersion, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Answer:
        return await changer.answer(manager, order, response, lambda transaction: add_version(transaction, policy, order), policy_detail)

    @routes.post("/policies/{policy}/archive")
    async def archive(policy: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)) -> Answer:
        return await changer.answer(manager, order, response, lambda transaction: archive_policy(transaction, policy), policy_detail)

    @routes.post("/policies/{policy}/restore")
    async def take_out(policy: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)) -> Answer:
        return await changer.answer(manager, order, response, lambda transaction: restore_policy(transaction, policy), policy_detail)


def _add_log(routes: APIRouter, context: Context) -> None:
    caller_of = context.caller()

    @routes.get("/registry-changes")
    async def changes(
        organization: Id | None = None,
        kind: Kind | None = None,
        thing: Id | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
        caller: Caller = Depends(caller_of),
    ) -> Page[ChangeAnswer]:
        scope = caller.narrowed(organization)
        (before,) = decode_cursor(cursor, int) or (None,)
        items = await query_changes(context.database, scope, kind=kind, thing=thing, before=before, limit=limit)
        return Page(items=items, next=encode_cursor(items[-1].id) if len(items) == limit else None)
