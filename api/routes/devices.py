"""Why is my sensor not showing? The story of a device EUI, registered or not."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api.callers import Caller
from api.errors import bad_request
from api.parameters import Id
from api.routes.context import Context
from api.stories import story
from api.story_shapes import StoryAnswer

PathEui = Annotated[str, Path(pattern="^[0-9A-Fa-f]{16}$")]


def router(context: Context) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["devices"])
    caller_of = context.caller()

    @routes.get("/devices/{dev_eui}/story")
    async def device_story(dev_eui: PathEui, organization: Id | None = None, caller: Caller = Depends(caller_of)) -> StoryAnswer:
        scope = caller.narrowed(organization)
        if len(scope) != 1:
            message = "organization: name the one you ask about, as you are a member of none or of several"
            raise bad_request(message)
        return await story(context.database, caller.scope, scope[0], dev_eui.upper())

    return routes
