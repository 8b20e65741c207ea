"""How often sensors report, as learned from their uplinks: the proposal with its evidence, and taking it over."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.callers import Caller
from api.commands.intervals import accept_interval, set_acceptance
from api.errors import not_found
from api.interval_shapes import AcceptInterval, ExpectedIntervalAnswer, IntervalSetting, IntervalSettingAnswer
from api.managers import Manager
from api.parameters import PathId, now
from api.queries.intervals import DAYS, MOST_DAYS, answer_of, interval_setting, learned
from api.queries.registration import sensor_registration
from api.registry_shapes import Changed, SensorRegistrationAnswer
from api.routes.changing import Changer
from api.routes.context import Context

Days = Annotated[int, Query(ge=1, le=MOST_DAYS)]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["registry: intervals"])
    caller_of, manager_of = context.caller(), context.manager()
    changer = Changer(context)

    @routes.get("/sensors/{sensor}/expected-interval")
    async def proposal(sensor: PathId, days: Days = DAYS, caller: Caller = Depends(caller_of)) -> ExpectedIntervalAnswer:
        await context.require(caller, sensor=sensor)
        return answer_of(await learned(context.database, caller.scope, sensor, now(), days))

    @routes.post("/sensors/{sensor}/expected-interval/accept")
    async def accept(
        sensor: PathId, order: AcceptInterval, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[SensorRegistrationAnswer]:
        return await changer.answer(
            manager, order, response, lambda transaction: accept_interval(transaction, sensor, order), sensor_registration
        )

    @routes.get("/organizations/{organization}/expected-intervals")
    async def setting(organization: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> IntervalSettingAnswer:
        found = await interval_setting(context.database, caller.scope, organization)
        if found is None:
            raise not_found("organization")
        return found

    @routes.post("/organizations/{organization}/expected-intervals")
    async def change(
        organization: PathId, order: IntervalSetting, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[IntervalSettingAnswer]:
        return await changer.answer(
            manager, order, response, lambda transaction: set_acceptance(transaction, organization, order), interval_setting
        )

    return routes
