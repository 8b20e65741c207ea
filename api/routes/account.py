"""Who the caller is and which organizations they are a member of; and where to sign in."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.callers import Caller
from api.parameters import aware
from api.routes.context import Context
from api.shapes import MeAnswer, OrganizationAnswer, Page, SignInAnswer, UserAnswer


def router(context: Context, sandbox_sign_in_url: str | None) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["account"])
    caller_of = context.caller()

    @routes.get("/sign-in")
    async def sign_in() -> SignInAnswer:
        return SignInAnswer(sandbox_sign_in_url=sandbox_sign_in_url)

    @routes.get("/me")
    async def me(caller: Annotated[Caller, Depends(caller_of)]) -> MeAnswer:
        return MeAnswer(
            user=UserAnswer(id=caller.user.id, name=caller.user.name, email=caller.user.email),
            token_expires_at=aware(caller.user.expires_at),
            organizations=listed(caller),
        )

    @routes.get("/organizations")
    async def organizations(caller: Annotated[Caller, Depends(caller_of)]) -> Page[OrganizationAnswer]:
        return Page(items=listed(caller), next=None)

    return routes


def listed(caller: Caller) -> list[OrganizationAnswer]:
    """Return the caller's organizations."""
    return [OrganizationAnswer(id=organization.id, name=organization.name) for organization in caller.organizations]
