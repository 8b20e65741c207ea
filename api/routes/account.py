"""Who the caller is and which organizations they are a member of; and where to sign in."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.callers import Caller
from api.parameters import Archived, aware
from api.queries.organizations import organizations_by_team
from api.registry_shapes import TeamAnswer
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
    async def organizations(archived: Archived = False, caller: Caller = Depends(caller_of)) -> Page[OrganizationAnswer]:
        return Page(items=listed(caller, archived=archived), next=None)

    @routes.get("/teams")
    async def teams(caller: Annotated[Caller, Depends(caller_of)]) -> Page[TeamAnswer]:
        found = await context.managers.teams_of(caller.user)
        of_teams = await organizations_by_team(context.database, [team for team, _, _ in found])
        items = [TeamAnswer(id=team, name=name, organization=of_teams.get(team), may_manage=may) for team, name, may in found]
        return Page(items=items, next=None)

    return routes


def listed(caller: Caller, *, archived: bool = False) -> list[OrganizationAnswer]:
    """Return the caller's organizations; archived ones only when asked for."""
    return [
        OrganizationAnswer(id=organization.id, name=organization.name, archived_at=organization.archived_at)
        for organization in caller.organizations
        if archived or organization.archived_at is None
    ]
