"""What a test or a demo asks of the Stack Auth stand-in and no real client can: mint a token, set up teams, see all."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from infra.sandbox.stack_auth_state import DEFAULT_USER, Directory
from infra.sandbox.stack_auth_tokens import LIFETIME_SECONDS, Issuer, UserType


class TokenOrder(BaseModel):
    """Whose token, for how long and of which type; an unknown user is made."""

    user: str = Field(default=DEFAULT_USER, min_length=1, max_length=100)
    expires_in: int = Field(default=LIFETIME_SECONDS, ge=-86_400, le=31_536_000)
    user_type: UserType = UserType.NORMAL
    selected_team: str | None = None


class TeamOrder(BaseModel):
    """A team as it shall be from now on: exactly these members, some of them administrators."""

    id: str = Field(min_length=1, max_length=100)
    display_name: str = ""
    members: list[str] = []
    admins: list[str] = []


def router(directory: Directory, issuer: Issuer) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix="/sandbox/stack-auth")

    @routes.post("/token")
    async def mint(order: TokenOrder) -> dict[str, str]:
        token = issuer.mint(
            directory.put_user(order.user),
            expires_in=order.expires_in,
            user_type=order.user_type,
            selected_team=order.selected_team,
        )
        return {"access_token": token}

    @routes.post("/teams")
    async def put_team(order: TeamOrder) -> dict[str, Any]:
        return asdict(directory.put_team(order.id, order.display_name or order.id, order.members, order.admins))

    @routes.get("/state")
    async def state() -> dict[str, Any]:
        return {
            "users": [asdict(user) for user in directory.users.values()],
            "teams": [asdict(team) for team in directory.teams.values()],
        }

    return routes
