"""The Stack Auth stand-in behaves as the documented contract says."""

import json
from pathlib import Path

import jwt
import pytest

from infra.sandbox.application import create_app
from infra.sandbox.settings import SandboxSettings
from tests.infra.app_client import AppClient

BASE = "http://127.0.0.1:9999"
SERVER = {
    "x-stack-access-type": "server",
    "x-stack-project-id": "coldstream-local",
    "x-stack-secret-server-key": "sandbox-server-key",
}
JWKS = "/api/v1/projects/coldstream-local/.well-known/jwks.json"


def client_of(data: Path) -> AppClient:
    return AppClient(create_app(SandboxSettings(data, BASE)))


@pytest.fixture
def client(tmp_path: Path) -> AppClient:
    return client_of(tmp_path)


def minted(client: AppClient, **order: object) -> str:
    return str(client.post("/sandbox/stack-auth/token", json=order).json()["access_token"])


def verified(client: AppClient, token: str) -> dict[str, object]:
    keys = jwt.PyJWKSet.from_dict(client.get(JWKS).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    issuer = f"{BASE}/api/v1/projects/coldstream-local"
    claims: dict[str, object] = jwt.decode(token, key, algorithms=["ES256"], audience="coldstream-local", issuer=issuer)
    return claims


def test_two_keys_are_published_and_the_token_names_the_one_that_signed(client: AppClient) -> None:
    token = minted(client, user="demo")

    keys = client.get(JWKS).json()["keys"]

    assert len({key["kid"] for key in keys}) == 2
    assert all(len(key["kid"]) == 12 for key in keys)
    assert verified(client, token)["sub"] == "demo"
    assert "teams" not in verified(client, token)


def test_a_token_stays_valid_when_the_sandbox_starts_again(tmp_path: Path) -> None:
    token = minted(client_of(tmp_path), user="demo")

    again = client_of(tmp_path)

    assert verified(again, token)["sub"] == "demo"


@pytest.mark.parametrize("user_type", ["restricted", "anonymous"])
def test_tokens_of_other_user_types_are_for_another_audience_and_issuer(client: AppClient, user_type: str) -> None:
    token = minted(client, user="demo", user_type=user_type)

    with pytest.raises(jwt.InvalidTokenError):
        verified(client, token)


def test_an_expired_token_is_told_by_its_known_error(client: AppClient) -> None:
    token = minted(client, user="demo", expires_in=-5)

    answer = client.get("/api/v1/users/me", headers={**SERVER, "x-stack-access-token": token})

    assert answer.status_code == 401
    assert answer.headers["x-stack-known-error"] == "ACCESS_TOKEN_EXPIRED"
    assert answer.json()["code"] == "ACCESS_TOKEN_EXPIRED"


def test_a_token_of_another_issuer_is_refused(client: AppClient, tmp_path: Path) -> None:
    foreign = minted(client_of(tmp_path / "other"), user="demo")

    answer = client.get("/api/v1/users/me", headers={**SERVER, "x-stack-access-token": foreign})

    assert answer.headers["x-stack-known-error"] == "UNPARSABLE_ACCESS_TOKEN"


def test_users_me_is_the_token_s_user_with_the_team_it_is_in(client: AppClient) -> None:
    token = minted(client, user="demo")

    answer = client.get("/api/v1/users/me", headers={**SERVER, "x-stack-access-token": token}).json()

    assert answer["id"] == "demo"
    assert answer["selected_team_id"] == "demo-team"


def test_team_routes_need_the_server_key(client: AppClient) -> None:
    headers = {**SERVER, "x-stack-secret-server-key": "guess"}

    answers = [client.get(f"/api/v1/{route}?user_id=demo", headers=headers) for route in ("teams", "team-permissions")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].headers["x-stack-known-error"] == "INVALID_SECRET_SERVER_KEY"


def test_membership_is_what_the_sandbox_was_told(client: AppClient) -> None:
    client.post("/sandbox/stack-auth/teams", json={"id": "other", "display_name": "Other", "members": ["demo", "ada"]})

    teams = client.get("/api/v1/teams?user_id=demo", headers=SERVER).json()["items"]
    client.post("/sandbox/stack-auth/teams", json={"id": "other", "display_name": "Other", "members": ["ada"]})
    fewer = client.get("/api/v1/teams?user_id=demo", headers=SERVER).json()["items"]
    members = client.get("/api/v1/team-member-profiles?team_id=other", headers=SERVER).json()["items"]

    assert [team["id"] for team in teams] == ["demo-team", "other"]
    assert [team["id"] for team in fewer] == ["demo-team"]
    assert [member["user_id"] for member in members] == ["ada"]


def test_membership_survives_a_restart(tmp_path: Path) -> None:
    client_of(tmp_path).post("/sandbox/stack-auth/teams", json={"id": "kept", "members": ["demo"]})

    teams = client_of(tmp_path).get("/api/v1/teams?user_id=demo", headers=SERVER).json()["items"]

    assert "kept" in [team["id"] for team in teams]


def test_the_demo_user_of_an_older_sandbox_becomes_an_administrator_once(tmp_path: Path) -> None:
    client_of(tmp_path).post("/sandbox/stack-auth/teams", json={"id": "kept", "members": ["demo"]})
    state = tmp_path / "stack-auth.json"
    kept = json.loads(state.read_text())
    del kept["version"]
    kept["teams"][0]["members"] = {"demo": ["team_member"]}
    state.write_text(json.dumps(kept))
    route = "/api/v1/team-permissions/demo-team/demo/team_admin"
    listed = "/api/v1/team-permissions?team_id=demo-team&user_id=demo&recursive=false"

    upgraded = client_of(tmp_path).get(listed, headers=SERVER).json()["items"]
    client_of(tmp_path).delete(route, headers=SERVER)
    later = client_of(tmp_path).get(listed, headers=SERVER).json()["items"]

    assert [one["id"] for one in upgraded] == ["team_admin", "team_member"]
    assert [one["id"] for one in later] == ["team_member"]


def test_inherited_permissions_are_listed_only_when_asked_for(client: AppClient) -> None:
    route = "/api/v1/team-permissions?team_id=demo-team&user_id=demo"

    direct = client.get(f"{route}&recursive=false", headers=SERVER).json()["items"]
    inherited = client.get(f"{route}&recursive=true", headers=SERVER).json()["items"]

    assert [one["id"] for one in direct] == ["team_admin"]
    assert {"$read_members", "coldstream:manage"} <= {one["id"] for one in inherited}


def test_a_permission_is_granted_and_withdrawn(client: AppClient) -> None:
    client.post("/sandbox/stack-auth/teams", json={"id": "other", "members": ["ada"]})
    route = "/api/v1/team-permissions/other/ada/coldstream:manage"
    listed = "/api/v1/team-permissions?user_id=ada&permission_id=coldstream:manage&recursive=true"

    before = client.get(listed, headers=SERVER).json()["items"]
    client.post(route, json={}, headers=SERVER)
    granted = client.get(listed, headers=SERVER).json()["items"]
    client.delete(route, headers=SERVER)
    withdrawn = client.get(listed, headers=SERVER).json()["items"]
    stranger = client.post("/api/v1/team-permissions/other/demo/coldstream:manage", json={}, headers=SERVER)

    assert (before, withdrawn) == ([], [])
    assert granted == [{"id": "coldstream:manage", "user_id": "ada", "team_id": "other"}]
    assert stranger.headers["x-stack-known-error"] == "TEAM_MEMBERSHIP_NOT_FOUND"


def test_teams_of_an_unknown_user_are_not_found(client: AppClient) -> None:
    answer = client.get("/api/v1/teams?user_id=nobody", headers=SERVER)

    assert answer.status_code == 404
    assert answer.headers["x-stack-known-error"] == "USER_NOT_FOUND"


def test_a_route_fails_as_often_as_it_was_told_to(client: AppClient) -> None:
    client.post("/sandbox/fail", json={"route": "/api/v1/teams", "times": 2, "status": 500})

    statuses = [client.get("/api/v1/teams?user_id=demo", headers=SERVER).status_code for _ in range(3)]

    assert statuses == [500, 500, 200]
    assert client.get("/health").json() == {"status": "ok"}
