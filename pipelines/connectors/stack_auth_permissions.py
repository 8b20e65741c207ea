"""Stack Auth: in which teams may a person change things, and what are their teams called. Asked anew each time.

A permission may be held directly or through a role, so it is asked for recursively. Decides nothing about organizations.
"""

from typing import Any, Final

import httpx

from pipelines.connectors.errors import Retryable
from pipelines.connectors.stack_auth import StackAuthConfig, get_json

MANAGE_PERMISSION: Final = "coldstream:manage"
"""The team permission that lets a member change the registry; add it to the project, and to a role such as team_admin."""


class Permissions:
    """Asks the server API about one user's teams and permissions."""

    def __init__(self, config: StackAuthConfig, client: httpx.AsyncClient) -> None:
        """Ask nothing yet."""
        self._base = f"{config.api_url}/api/v1"
        self._headers = config.server_headers()
        self._client = client

    async def managed_teams(self, user: str) -> frozenset[str]:
        """Return the ids of the teams in which a user may change things; raises Retryable."""
        query = {"user_id": user, "permission_id": MANAGE_PERMISSION, "recursive": "true"}
        items = await self._items("team-permissions", query)
        return frozenset(str(item["team_id"]) for item in items if item.get("id") == MANAGE_PERMISSION and item.get("user_id") == user)

    async def named_teams(self, user: str) -> dict[str, str]:
        """Return the names of a user's teams by id; raises Retryable."""
        return {str(item["id"]): str(item.get("display_name") or item["id"]) for item in await self._items("teams", {"user_id": user})}

    async def _items(self, route: str, query: dict[str, str]) -> list[dict[str, Any]]:
        url = f"{self._base}/{route}"
        items = (await get_json(self._client, url, self._headers, query)).get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            message = f"{url} answered without a list"
            raise Retryable(message)
        return items
