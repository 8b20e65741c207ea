"""Changes of sites and units, and what a unit is judged by."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.callers import Caller
from api.commands.sites import archive_site, change_site, create_site, restore_site
from api.commands.units import archive_unit, change_unit, create_unit, put_in_force, restore_unit
from api.database import Database
from api.errors import not_found
from api.managers import Manager
from api.parameters import PathId
from api.queries.places import sites as query_sites
from api.queries.registration import unit_registration
from api.registry_requests import (
    NO_INSTANT,
    NOTHING_SAID,
    NewSite,
    NewUnit,
    Order,
    SiteChange,
    TimedOrder,
    UnitChange,
    UnitPolicyOrder,
)
from api.registry_shapes import Changed, UnitRegistrationAnswer
from api.routes.changing import Changer
from api.routes.context import Context
from api.shapes import SiteAnswer


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["registry: places"])
    _add_sites(routes, context)
    _add_units(routes, context)
    return routes


async def one_site(database: Database, scope: list[int], number: int) -> SiteAnswer | None:
    """Return a site, archived or not."""
    return next(iter(await query_sites(database, scope, number, archived=True)), None)


def _add_sites(routes: APIRouter, context: Context) -> None:
    manager_of = context.manager()
    changer = Changer(context)

    @routes.post("/sites", status_code=201)
    async def create(order: NewSite, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Changed[SiteAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: create_site(transaction, order), one_site)

    @routes.patch("/sites/{site}")
    async def change(
        site: PathId, order: SiteChange, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[SiteAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: change_site(transaction, site, order), one_site)

    @routes.post("/sites/{site}/archive")
    async def archive(
        site: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)
    ) -> Changed[SiteAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: archive_site(transaction, site), one_site)

    @routes.post("/sites/{site}/restore")
    async def take_out(
        site: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)
    ) -> Changed[SiteAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: restore_site(transaction, site), one_site)


def _add_units(routes: APIRouter, context: Context) -> None:
    caller_of, manager_of = context.caller(), context.manager()
    changer = Changer(context)

    @routes.get("/units/{unit}/registration")
    async def registration(unit: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> UnitRegistrationAnswer:
        found = await unit_registration(context.database, caller.scope, unit)
        if found is None:
            raise not_found("unit")
        return found

    @routes.post("/units", status_code=201)
    async def create(
        order: NewUnit, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[UnitRegistrationAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: create_unit(transaction, order), unit_registration)

    @routes.patch("/units/{unit}")
    async def change(
        unit: PathId, order: UnitChange, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[UnitRegistrationAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: change_unit(transaction, unit, order), unit_registration)

    @routes.post("/units/{unit}/policy")
    async def judge(
        unit: PathId, order: UnitPolicyOrder, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[UnitRegistrationAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: put_in_force(transaction, unit, order), unit_registration)

    @routes.post("/units/{unit}/archive")
    async def archive(
        unit: PathId, response: Response, order: TimedOrder = NO_INSTANT, manager: Manager = Depends(manager_of)
    ) -> Changed[UnitRegistrationAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: archive_unit(transaction, unit, order), unit_registration)

    @routes.post("/units/{unit}/restore")
    async def take_out(
        unit: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)
    ) -> Changed[UnitRegistrationAnswer]:
        return await changer.answer(manager, order, response, lambda transaction: restore_unit(transaction, unit), unit_registration)
