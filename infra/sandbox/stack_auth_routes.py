"""The documented routes of Stack Auth that Coldstream calls: JWKS, users, teams, memberships, permissions, profiles."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from infra.sandbox.known_errors import KnownError
from infra.sandbox.settings import SandboxSettings
from infra.sandbox.stack_auth_access import ME, Access, Caller
from infra.sandbox.stack_auth_state import Directory, Team, User
from infra.sandbox.stack_auth_tokens import Issuer

JWKS_CACHE: Final = "public, max-age=3600"

From = Annotated[Caller, Depends(Caller)]


def router(directory: Directory, issuer: Issuer, settings: SandboxSettings) -> APIRouter:
    """Return the routes below /api/v1."""
    routes = APIRouter(prefix="/api/v1")
    access = Access(issuer, settings)

    @routes.get("/projects/{project}/.well-known/jwks.json")
    async def jwks(project: str, response: Response) -> dict[str, list[dict[str, str]]]:
        if project != settings.project:
            raise KnownError(404, "PROJECT_NOT_FOUND", "Project not found.", project_id=project)
        response.headers["Cache-Control"] = JWKS_CACHE
        return issuer.keys.jwks()

    @routes.get("/users/{user_id}")
    async def get_user(user_id: str, caller: From) -> dict[str, Any]:
        if user_id == ME:
            access.check(caller)
        else:
            access.require_server(caller)
        return _user_body(_known_user(directory, access.whom(user_id, caller)), directory)

    _add_team_routes(routes, directory, access)
    _add_member_routes(routes, directory, access)
    return routes


def _add_team_routes(routes: APIRouter, directory: Directory, access: Access) -> None:
    @routes.get("/teams")
    async def list_teams(caller: From, user_id: str | None = None) -> dict[str, Any]:
        access.require_server(caller)
        member = access.whom(user_id, caller)
        if member is None:
            return _listed([_team_body(team) for _, team in sorted(directory.teams.items())])
        return _listed([_team_body(team) for team in directory.teams_of(_known_user(directory, member).id)])

    @routes.get("/teams/{team_id}")
    async def get_team(team_id: str, caller: From) -> dict[str, Any]:
        access.require_server(caller)
        return _team_body(_known_team(directory, team_id))

    @routes.post("/team-memberships/{team_id}/{user_id}", status_code=201)
    async def join(team_id: str, user_id: str, caller: From) -> dict[str, str]:
        access.require_server(caller)
        directory.join(_known_team(directory, team_id), _known_user(directory, user_id).id)
        return {"team_id": team_id, "user_id": user_id}

    @routes.delete("/team-memberships/{team_id}/{user_id}")
    async def leave(team_id: str, user_id: str, caller: From) -> dict[str, bool]:
        access.require_server(caller)
        directory.leave(_known_team(directory, team_id), user_id)
        return {"success": True}


def _add_member_routes(routes: APIRouter, directory: Directory, access: Access) -> None:
    @routes.get("/team-permissions")
    async def list_permissions(
        caller: From,
        team_id: str | None = None,
        user_id: str | None = None,
        permission_id: str | None = None,
        recursive: bool = True,  # noqa: FBT002 - a query parameter
    ) -> dict[str, Any]:
        access.require_server(caller)
        return _listed(
            [
                {"id": permission, "user_id": member, "team_id": team.id}
                for team, member in _memberships(directory, team_id, access.whom(user_id, caller))
                for permission in directory.permissions(team, member, recursive=recursive)
                if permission_id in {None, permission}
            ],
        )

    @routes.post("/team-permissions/{team_id}/{user_id}/{permission_id}", status_code=201)
    async def grant(team_id: str, user_id: str, permission_id: str, caller: From) -> dict[str, str]:
        access.require_server(caller)
        directory.grant(_team_with(directory, team_id, user_id), user_id, permission_id)
        return {"id": permission_id, "user_id": user_id, "team_id": team_id}

    @routes.delete("/team-permissions/{team_id}/{user_id}/{permission_id}")
    async def withdraw(team_id: str, user_id: str, permission_id: str, caller: From) -> dict[str, bool]:
        access.require_server(caller)
        directory.withdraw(_team_with(directory, team_id, user_id), user_id, permission_id)
        return {"success": True}

    @routes.get("/team-member-profiles")
    async def list_profiles(caller: From, team_id: str | None = None, user_id: str | None = None) -> dict[str, Any]:
        access.require_server(caller)
        return _listed(
            [
                {
                    "team_id": team.id,
                    "user_id": member,
                    "display_name": directory.users[member].display_name,
                    "profile_image_url": None,
                    "user": _user_body(directory.users[member], directory),
                }
                for team, member in _memberships(directory, team_id, access.whom(user_id, caller))
            ],
        )


def _memberships(directory: Directory, team_id: str | None, user_id: str | None) -> list[tuple[Team, str]]:
    """Return each membership that both filters let through; None lets all through."""
    return [
        (team, member)
        for _, team in sorted(directory.teams.items())
        if team_id in {None, team.id}
        for member in sorted(team.members)
        if user_id in {None, member}
    ]


def _known_user(directory: Directory, user_id: str | None) -> User:
    found = directory.users.get(user_id or "")
    if found is None:
        raise KnownError(404, "USER_NOT_FOUND", "User not found.")
    return found


def _known_team(directory: Directory, team_id: str) -> Team:
    found = directory.teams.get(team_id)
    if found is None:
        raise KnownError(404, "TEAM_NOT_FOUND", f"Team {team_id} not found.", team_id=team_id)
    return found


def _team_with(directory: Directory, team_id: str, user_id: str) -> Team:
    """Return a team that a user is a member of."""
    team = _known_team(directory, team_id)
    if user_id not in team.members:
        raise KnownError(404, "TEAM_MEMBERSHIP_NOT_FOUND", f"User {user_id} is not found in team {team_id}.")
    return team


def _listed(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"items": items, "is_paginated": False}


def _team_body(team: Team) -> dict[str, Any]:
    return {
        "id": team.id,
        "display_name": team.display_name,
        "created_at_millis": team.created_at_millis,
        "profile_image_url": None,
        "client_metadata": None,
        "client_read_only_metadata": None,
        "server_metadata": None,
    }


def _user_body(user: User, directory: Directory) -> dict[str, Any]:
    teams = directory.teams_of(user.id)
    return {
        **asdict(user),
        "primary_email_verified": True,
        "selected_team": _team_body(teams[0]) if teams else None,
        "selected_team_id": teams[0].id if teams else None,
        "profile_image_url": None,
        "last_active_at_millis": user.signed_up_at_millis,
        "client_metadata": None,
        "client_read_only_metadata": None,
        "server_metadata": None,
        "is_anonymous": False,
        "is_restricted": False,
        "restricted_reason": None,
    }
