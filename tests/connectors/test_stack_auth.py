"""Only tokens of signed-in, unrestricted users of our project are taken, and Stack Auth is asked no more than needed."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest

from pipelines.connectors import stack_auth
from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.stack_auth import (
    Memberships,
    RefusalReason,
    SigningKeys,
    StackAuthConfig,
    TokenRefused,
    TokenVerifier,
    User,
)
from tests.connectors.signing import API, CONFIG, ISSUER, PROJECT, Service, Signer

SIGNER = Signer()


def verify(token: str, service: Service | None = None) -> User:
    async def run() -> User:
        async with (service or Service(SIGNER)).client() as client:
            return await TokenVerifier(CONFIG, SigningKeys(CONFIG, client)).verify(token)

    return asyncio.run(run())


def refusal(token: str) -> RefusalReason:
    with pytest.raises(TokenRefused) as caught:
        verify(token)
    return caught.value.reason


def hand_made(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
    return f"{signed}.{encode(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def test_a_good_token_names_its_user_and_its_end() -> None:
    expires = int(time.time()) + 600

    user = verify(SIGNER.token(exp=expires))

    assert user == User("user-1", "Ada", "ada@example.com", expires * 1_000)


def test_an_expired_token_is_refused_as_such() -> None:
    assert refusal(SIGNER.token(exp=int(time.time()) - 60)) is RefusalReason.EXPIRED


def test_clocks_may_differ_by_a_few_seconds() -> None:
    now = int(time.time())

    assert verify(SIGNER.token(iat=now + 5, exp=now + 600)).id == "user-1"
    assert verify(SIGNER.token(exp=now - 5)).id == "user-1"


CLAIMS = {"iss": ISSUER, "aud": PROJECT, "sub": "user-1", "iat": 0, "exp": 9_999_999_999}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not a token",
        "a.b.c",
        "x" * 100_000,
        SIGNER.token(aud="another-project"),
        SIGNER.token(aud=f"{PROJECT}:anon"),
        SIGNER.token(aud=[PROJECT, "another"]),
        SIGNER.token(iss="https://evil.example/api/v1/projects/project-1"),
        SIGNER.token(iss=f"{API}/api/v1/projects-anonymous-users/{PROJECT}", aud=f"{PROJECT}:anon", is_anonymous=True),
        SIGNER.token(is_anonymous=True),
        SIGNER.token(is_restricted=True),
        SIGNER.token(role="anon"),
        SIGNER.token(sub=None),
        SIGNER.token(exp=None),
        SIGNER.token(iat=None),
        SIGNER.token(iat=int(time.time()) + 3_600),
        SIGNER.token(nbf=int(time.time()) + 3_600),
        SIGNER.token(headers={"kid": "unknown"}),
        jwt.encode(CLAIMS, SIGNER.private, algorithm="ES256"),
        SIGNER.token(headers={"crit": ["b64"], "b64": True}),
        Signer("key-1").token(),
        SIGNER.token()[:-4] + "AAAA",
        jwt.encode(CLAIMS, "", algorithm="none", headers={"kid": "key-1"}),
        hand_made({"alg": "HS256", "kid": "key-1"}, CLAIMS, json.dumps(SIGNER.jwk()).encode()),
    ],
    ids=lambda token: token[:12] + "…" + str(len(token)),
)
def test_any_other_token_is_refused(token: str) -> None:
    assert refusal(token) is RefusalReason.INVALID


def test_a_rotated_key_is_found_by_its_id() -> None:
    second = Signer("key-2")

    assert verify(second.token(), Service(SIGNER, second)).id == "user-1"


def test_the_refusal_does_not_repeat_the_token() -> None:
    token = SIGNER.token(aud="another")

    with pytest.raises(TokenRefused) as caught:
        verify(token)

    assert not set(token.split(".")) & set(str(caught.value).split())


def test_a_flood_of_unknown_keys_causes_one_fetch() -> None:
    service = Service(SIGNER)
    forger = Signer("forged")

    async def run() -> None:
        async with service.client() as client:
            verifier = TokenVerifier(CONFIG, SigningKeys(CONFIG, client))
            await verifier.verify(SIGNER.token())
            for _ in range(50):
                with pytest.raises(TokenRefused):
                    await verifier.verify(forger.token())

    asyncio.run(run())

    assert len(service.asked) == 1


def test_the_last_good_keys_stay_while_stack_auth_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_auth, "KEYS_FRESH_SECONDS", 0.0)
    monkeypatch.setattr(stack_auth, "KEYS_COOLDOWN_SECONDS", 0.0)
    service = Service(SIGNER)

    async def run() -> User:
        async with service.client() as client:
            verifier = TokenVerifier(CONFIG, SigningKeys(CONFIG, client))
            await verifier.verify(SIGNER.token())
            service.is_away = True
            return await verifier.verify(SIGNER.token())

    assert asyncio.run(run()).id == "user-1"


def test_without_any_key_nobody_is_refused_for_good() -> None:
    service = Service(SIGNER)
    service.is_away = True

    with pytest.raises(Retryable):
        verify(SIGNER.token(), service)


def test_teams_are_asked_with_the_server_key_and_believed_for_a_while() -> None:
    service = Service()
    service.teams["user-1"] = ["team-a", "team-b"]

    async def run() -> list[frozenset[str]]:
        async with service.client() as client:
            memberships = Memberships(CONFIG, client)
            return [await memberships.teams("user-1") for _ in range(3)]

    found = asyncio.run(run())

    assert found == [frozenset({"team-a", "team-b"})] * 3
    (request,) = service.asked
    assert request.headers["x-stack-access-type"] == "server"
    assert request.headers["x-stack-secret-server-key"] == "server-key"
    assert request.headers["x-stack-project-id"] == PROJECT


def test_many_requests_of_one_user_ask_once() -> None:
    service = Service()
    service.teams["user-1"] = ["team-a"]

    async def run() -> None:
        async with service.client() as client:
            memberships = Memberships(CONFIG, client)
            await asyncio.gather(*(memberships.teams("user-1") for _ in range(100)))

    asyncio.run(run())

    assert len(service.asked) == 1


def test_a_removed_member_is_out_once_the_answer_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_auth, "TEAMS_FRESH_SECONDS", 0.0)
    service = Service()
    service.teams["user-1"] = ["team-a"]

    async def run() -> frozenset[str]:
        async with service.client() as client:
            memberships = Memberships(CONFIG, client)
            await memberships.teams("user-1")
            service.teams["user-1"] = []
            return await memberships.teams("user-1")

    assert asyncio.run(run()) == frozenset()


def test_known_teams_outlast_a_short_absence_of_stack_auth_but_not_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_auth, "TEAMS_FRESH_SECONDS", 0.0)
    service = Service()
    service.teams["user-1"] = ["team-a"]

    async def run() -> frozenset[str]:
        async with service.client() as client:
            memberships = Memberships(CONFIG, client)
            await memberships.teams("user-1")
            service.is_away = True
            kept = await memberships.teams("user-1")
            monkeypatch.setattr(stack_auth, "TEAMS_STALE_SECONDS", 0.0)
            with pytest.raises(Retryable):
                await memberships.teams("user-1")
            return kept

    assert asyncio.run(run()) == {"team-a"}


def test_issuers_follow_the_address_and_know_both_names_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_AUTH_PROJECT_ID", "p")
    monkeypatch.setenv("STACK_AUTH_SECRET_SERVER_KEY", "k")

    hosted = StackAuthConfig.from_environment()
    monkeypatch.setenv("STACK_AUTH_API_URL", "http://127.0.0.1:9/api/v1/")
    local = StackAuthConfig.from_environment()
    monkeypatch.setenv("STACK_AUTH_ISSUERS", "https://a.example/x, https://b.example/x")
    given = StackAuthConfig.from_environment()

    assert hosted.issuers == (
        "https://api.stack-auth.com/api/v1/projects/p",
        "https://api.hexclave.com/api/v1/projects/p",
    )
    assert (local.api_url, local.issuers) == ("http://127.0.0.1:9", ("http://127.0.0.1:9/api/v1/projects/p",))
    assert given.issuers == ("https://a.example/x", "https://b.example/x")


def test_a_missing_project_is_said_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACK_AUTH_PROJECT_ID", raising=False)

    with pytest.raises(Misconfigured, match="STACK_AUTH_PROJECT_ID"):
        StackAuthConfig.from_environment()
