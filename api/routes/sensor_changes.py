"""Changes of sensors: registered, described, configured, assigned, archived."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.callers import Caller
from api.commands.archiving import require_standing
from api.commands.assignments import assign, end_assignment, sensor_row
from api.commands.sensors import archive_sensor, change_sensor, configure, create_sensor, restore_sensor
from api.commands.transaction import Outcome, Transaction
from api.errors import not_found
from api.managers import Manager
from api.parameters import PathId, optional_instant
from api.queries.registration import sensor_registration
from api.registry_requests import NO_INSTANT, NOTHING_SAID, AssignmentOrder, NewSensor, Order, SensorChange, TermsGiven, TimedOrder
from api.registry_shapes import Changed, SensorRegistrationAnswer
from api.routes.changing import Changer
from api.routes.context import Context

Answer = Changed[SensorRegistrationAnswer]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["registry: sensors"])
    _add_sensors(routes, context)
    _add_timelines(routes, context)
    return routes


def _add_sensors(routes: APIRouter, context: Context) -> None:
    caller_of, manager_of = context.caller(), context.manager()
    changer = Changer(context)

    @routes.get("/sensors/{sensor}/registration")
    async def registration(sensor: PathId, caller: Annotated[Caller, Depends(caller_of)]) -> SensorRegistrationAnswer:
        found = await sensor_registration(context.database, caller.scope, sensor)
        if found is None:
            raise not_found("sensor")
        return found

    @routes.post("/sensors", status_code=201)
    async def create(order: NewSensor, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Answer:
        return await changer.answer(manager, order, response, lambda transaction: create_sensor(transaction, order), sensor_registration)

    @routes.patch("/sensors/{sensor}")
    async def change(sensor: PathId, order: SensorChange, response: Response, manager: Annotated[Manager, Depends(manager_of)]) -> Answer:
        return await changer.answer(
            manager, order, response, lambda transaction: change_sensor(transaction, sensor, order), sensor_registration
        )

    @routes.post("/sensors/{sensor}/archive")
    async def archive(sensor: PathId, response: Response, order: TimedOrder = NO_INSTANT, manager: Manager = Depends(manager_of)) -> Answer:
        return await changer.answer(
            manager, order, response, lambda transaction: archive_sensor(transaction, sensor, order), sensor_registration
        )

    @routes.post("/sensors/{sensor}/restore")
    async def take_out(sensor: PathId, response: Response, order: Order = NOTHING_SAID, manager: Manager = Depends(manager_of)) -> Answer:
        return await changer.answer(manager, order, response, lambda transaction: restore_sensor(transaction, sensor), sensor_registration)


def _add_timelines(routes: APIRouter, context: Context) -> None:
    manager_of = context.manager()
    changer = Changer(context)

    @routes.post("/sensors/{sensor}/configurations")
    async def add_configuration(
        sensor: PathId, order: TermsGiven, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Answer:
        return await changer.answer(
            manager, order, response, lambda transaction: configure(transaction, sensor, order), sensor_registration
        )

    @routes.post("/sensors/{sensor}/assignment")
    async def assign_to(
        sensor: PathId, order: AssignmentOrder, response: Response, manager: Annotated[Manager, Depends(manager_of)]
    ) -> Answer:
        async def command(transaction: Transaction) -> Outcome:
            row = await sensor_row(transaction, sensor)
            return await assign(transaction, row, order.unit, optional_instant(order.effective_at, "effective_at"))

        return await changer.answer(manager, order, response, command, sensor_registration)

    @routes.post("/sensors/{sensor}/assignment/end")
    async def end(sensor: PathId, response: Response, order: TimedOrder = NO_INSTANT, manager: Manager = Depends(manager_of)) -> Answer:
        async def command(transaction: Transaction) -> Outcome:
            row = await sensor_row(transaction, sensor)
            require_standing("sensor", row)
            return await end_assignment(transaction, row, optional_instant(order.effective_at, "effective_at"))

        return await changer.answer(manager, order, response, command, sensor_registration)
