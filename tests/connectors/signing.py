"""A project's signing keys and tokens, made as Stack Auth makes them. For tests only."""

import json
import time
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from pipelines.connectors.stack_auth import StackAuthConfig

PROJECT = "project-1"
API = "https://auth.example"
ISSUER = f"{API}/api/v1/projects/{PROJECT}"
CONFIG = StackAuthConfig(api_url=API, project=PROJECT, server_key="server-key", issuers=(ISSUER,))


class Signer:
    """One EC key pair."""

    def __init__(self, kid: str = "key-1") -> None:
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key()))
        return {**key, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def token(self, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        all_claims = {
            "iss": ISSUER,
            "aud": PROJECT,
            "sub": "user-1",
            "iat": now,
            "exp": now + 600,
            "role": "authenticated",
            "name": "Ada",
            "email": "ada@example.com",
            "is_anonymous": False,
            "is_restricted": False,
        } | claims
        kept = {name: value for name, value in all_claims.items() if value is not None}
        return jwt.encode(kept, self.private, algorithm="ES256", headers={"kid": self.kid} | (headers or {}))


class Service:
    """Stack Auth as far as our two questions go."""

    def __init__(self, *signers: Signer) -> None:
        self.signers = list(signers)
        self.teams: dict[str, list[str]] = {}
        self.is_away = False
        self.asked: list[httpx.Request] = []

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_away:
            return httpx.Response(502)
        if request.url.path.endswith("/jwks.json"):
            return httpx.Response(200, json={"keys": [signer.jwk() for signer in self.signers]})
        teams = self.teams.get(request.url.params["user_id"], [])
        return httpx.Response(200, json={"items": [{"id": team} for team in teams], "is_paginated": False})
