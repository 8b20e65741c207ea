"""The truth of the Stack Auth stand-in: users, teams, who is a member of what and with which permissions.

Kept in one JSON file that is replaced whole at every change.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from pipelines.connectors.clock import now_ms
from pipelines.connectors.stack_auth_permissions import MANAGE_PERMISSION

DEFAULT_USER: Final = "demo"
DEFAULT_TEAM: Final = "demo-team"

VERSION: Final = 2
"""Of the file: before 2 the user `demo` was no administrator yet, and is made one."""

ROLES: Final = {
    "team_member": ("$read_members", "$invite_members"),
    "team_admin": (
        "$update_team",
        "$delete_team",
        "$read_members",
        "$remove_members",
        "$invite_members",
        "$manage_api_keys",
        MANAGE_PERMISSION,
    ),
}
"""The default roles and the permissions each one brings: the system's, and the one our project adds to its administrators."""


@dataclass(slots=True)
class User:
    """One person."""

    id: str
    display_name: str
    primary_email: str
    signed_up_at_millis: int


@dataclass(slots=True)
class Team:
    """One team, and each member's roles and permissions by user id."""

    id: str
    display_name: str
    created_at_millis: int
    members: dict[str, list[str]] = field(default_factory=dict)


class Directory:
    """All users and teams of the one project."""

    def __init__(self, path: Path, users: dict[str, User], teams: dict[str, Team]) -> None:
        """Take the state as it is; `path` is where it is kept."""
        self._path = path
        self.users = users
        self.teams = teams

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load the state, or start with the user `demo` as an administrator of the team `demo-team`."""
        if path.exists():
            kept = json.loads(path.read_text())
            users = {one["id"]: User(**one) for one in kept["users"]}
            teams = {one["id"]: Team(**one) for one in kept["teams"]}
            directory = cls(path, users, teams)
            if kept.get("version") != VERSION and DEFAULT_USER in directory.teams.get(DEFAULT_TEAM, Team("", "", 0)).members:
                directory.grant(directory.teams[DEFAULT_TEAM], DEFAULT_USER, "team_admin")
            return directory
        directory = cls(path, {}, {})
        directory.put_team(DEFAULT_TEAM, "Demo team", [DEFAULT_USER], [DEFAULT_USER])
        return directory

    def put_user(self, user_id: str) -> User:
        """Return a user, made when unknown."""
        if user_id not in self.users:
            name = user_id.replace("-", " ").replace("_", " ").title()
            self.users[user_id] = User(user_id, name, f"{user_id}@example.invalid", now_ms())
            self._keep()
        return self.users[user_id]

    def put_team(self, team_id: str, display_name: str, members: list[str], admins: Collection[str] = ()) -> Team:
        """Make a team, or give a known one this name and exactly these members; unknown users are made.

        Members named in `admins` become team_admin; others keep the roles they had.
        """
        known = self.teams.get(team_id)
        kept = known.members if known else {}
        created_at = known.created_at_millis if known else now_ms()
        roles = {self.put_user(member).id: ["team_admin"] if member in admins else kept.get(member, ["team_member"]) for member in members}
        self.teams[team_id] = Team(team_id, display_name, created_at, roles)
        self._keep()
        return self.teams[team_id]

    def join(self, team: Team, user_id: str) -> None:
        """Make a user a member."""
        team.members.setdefault(user_id, ["team_member"])
        self._keep()

    def leave(self, team: Team, user_id: str) -> None:
        """End a membership; what is not there is fine."""
        team.members.pop(user_id, None)
        self._keep()

    def grant(self, team: Team, user_id: str, permission: str) -> None:
        """Give a member a permission or role directly."""
        held = team.members[user_id]
        team.members[user_id] = [*held, permission] if permission not in held else held
        self._keep()

    def withdraw(self, team: Team, user_id: str, permission: str) -> None:
        """Take a permission or role that a member holds directly."""
        team.members[user_id] = [one for one in team.members[user_id] if one != permission]
        self._keep()

    def teams_of(self, user_id: str) -> list[Team]:
        """Return the teams a user is a member of, by id."""
        return [team for _, team in sorted(self.teams.items()) if user_id in team.members]

    def permissions(self, team: Team, user_id: str, *, recursive: bool) -> list[str]:
        """Return a member's permissions; with `recursive` also those their roles bring."""
        direct = team.members.get(user_id, [])
        inherited = [name for role in direct for name in ROLES.get(role, ())] if recursive else []
        return sorted({*direct, *inherited})

    def _keep(self) -> None:
        draft = self._path.with_suffix(".draft")
        state = {
            "version": VERSION,
            "users": [asdict(user) for user in self.users.values()],
            "teams": [asdict(team) for team in self.teams.values()],
        }
        draft.write_text(json.dumps(state, indent=1))
        draft.replace(self._path)
