"""What defrosts look like to sensors, as learned from their readings: the proposal with its evidence, and taking it over."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.callers import Caller
from api.commands.defrosts import accept_defrost
from api.defrost_shapes import AcceptDefrost, DefrostProposalAnswer
from api.managers import Manager
from api.parameters import PathId, now
from api.queries.defrosts import DAYS, MOST_DAYS, learned_defrosts, proposal_answer
from api.queries.registration import sensor_registration
from api.registry_shapes import Changed, SensorRegistrationAnswer
from api.routes.changing import Changer
from api.routes.context import Context

Days = Annotated[int, Query(ge=1, le=MOST_DAYS)]
Band = Annotated[str | None, Query(max_length=200, description="above whose limit to look; default: the one that defrosts suppress")]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["registry: defrosts"])
    caller_of, manager_of = context.caller(), context.manager()
    changer = Changer(context)

    @routes.get("/sensors/{sensor}/defrosts")
    async def proposal(sensor: PathId, days: Days = DAYS, band: Band = None, caller: Caller = Depends(caller_of)) -> DefrostProposalAnswer:
        await context.require(caller, sensor=sensor)
        return proposal_answer(await learned_defrosts(context.database, caller.scope, sensor, now(), days, band))

    @routes.post("/sensors/{sensor}/defrosts/accept")
    async def accept(
        sensor: PathId, order: AcceptDefrost, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Changed[SensorRegistrationAnswer]:
        return await changer.answer(
            manager, order, response, lambda transaction: accept_defrost(transaction, sensor, order), sensor_registration
        )

    return routes
