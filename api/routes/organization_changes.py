"""Changes of organizations and their webhook secrets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.callers import Caller
from api.commands.archiving import restore
from api.commands.organizations import archive_organization, create_organization, organization_row, rename_organization
from api.commands.secrets import create_secret, revoke_secret
from api.commands.transaction import Outcome, Transaction
from api.database import Database
from api.managers import Manager
from api.parameters import Id, PathId
from api.queries.registration import organization as query_organization
from api.queries.registry_log import secrets as query_secrets
from api.registry_requests import NOTHING_SAID, NewOrganization, NewSecret, Order, OrganizationChange
from api.registry_shapes import Changed, NewSecretAnswer, SecretAnswer
from api.routes.changing import Changer
from api.routes.context import Context
from api.shapes import OrganizationAnswer, Page


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["registry: organizations"])
    _add_organizations(routes, context)
    _add_secrets(routes, context)
    return routes


def _add_organizations(routes: APIRouter, context: Context) -> None:
    manager_of = context.manager()
    changer = Changer(context)

    async def answered(outcome: Outcome, response: Response) -> Changed[OrganizationAnswer]:
        context.callers.forget_organizations()
        return await changer.shown(outcome, response, query_organization)

    @routes.post("/organizations", status_code=201)
    async def create(
        order: NewOrganization, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[OrganizationAnswer]:
        outcome = await changer.run(manager, order, lambda transaction: create_organization(transaction, manager, order))
        return await answered(outcome, response)

    @routes.patch("/organizations/{organization}")
    async def change(
        organization: PathId, order: OrganizationChange, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[OrganizationAnswer]:
        outcome = await changer.run(manager, order, lambda transaction: rename_organization(transaction, organization, order))
        return await answered(outcome, response)

    @routes.post("/organizations/{organization}/archive")
    async def archive(
        organization: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)
    ) -> Changed[OrganizationAnswer]:
        outcome = await changer.run(manager, order, lambda transaction: archive_organization(transaction, organization))
        return await answered(outcome, response)

    @routes.post("/organizations/{organization}/restore")
    async def take_out(
        organization: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)
    ) -> Changed[OrganizationAnswer]:
        async def command(transaction: Transaction) -> Outcome:
            return await restore(transaction, "organization", await organization_row(transaction, organization))

        return await answered(await changer.run(manager, order, command), response)


def _add_secrets(routes: APIRouter, context: Context) -> None:
    caller_of, manager_of = context.caller(), context.manager()
    changer = Changer(context)

    async def one_secret(database: Database, scope: list[int], number: int) -> SecretAnswer | None:
        return next(iter(await query_secrets(database, scope, number)), None)

    @routes.get("/secrets")
    async def secrets(organization: Id | None = None, caller: Caller = Depends(caller_of)) -> Page[SecretAnswer]:
        return Page(items=await query_secrets(context.database, caller.narrowed(organization)), next=None)

    @routes.post("/secrets", status_code=201)
    async def create(order: NewSecret, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Changed[NewSecretAnswer]:
        made: list[NewSecretAnswer] = []

        async def command(transaction: Transaction) -> Outcome:
            outcome, told = await create_secret(transaction, order)
            made.append(told)
            return outcome

        outcome = await changer.run(manager, order, command)
        response.status_code = outcome.status
        return Changed[NewSecretAnswer](outcome="created", effective_at=None, item=made[0])

    @routes.post("/secrets/{secret}/revoke")
    async def revoke(
        secret: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)
    ) -> Changed[SecretAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: revoke_secret(transaction, secret), one_secret)
