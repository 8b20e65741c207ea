"""Stack Auth: whose access token is this, and which teams is that person in.

Tokens carry no team list and no permissions, so membership is always asked of the server API. Decides nothing about
organizations. A revoked session's token stays good until it expires (10 min), and that is Stack Auth's own contract.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import httpx
import jwt

from pipelines.connectors.clock import monotonic
from pipelines.connectors.errors import Rejected, Retryable
from pipelines.connectors.metrics import AUTH_KEY_FETCHES, AUTH_TEAM_FETCHES
from pipelines.connectors.settings import setting

DEFAULT_API_URL: Final = "https://api.stack-auth.com"

SAME_SERVICE: Final = ("https://api.stack-auth.com", "https://api.hexclave.com")
"""Two names of one service: tokens may name either as issuer, whichever the sign-in page used."""

ANSWER_SECONDS: Final = 5.0
"""For any answer of Stack Auth: a person is waiting."""

KEYS_FRESH_SECONDS: Final = 300.0
"""Signing keys are fetched again after this; until a fetch succeeds the last good ones stay in use."""

KEYS_COOLDOWN_SECONDS: Final = 30.0
"""Between two fetches for unknown key ids: a flood of forged tokens must not become a flood of fetches."""

TEAMS_FRESH_SECONDS: Final = 60.0
"""How long a list of teams is believed: a removed member is out after at most this."""

TEAMS_STALE_SECONDS: Final = 600.0
"""How much longer it may be used while Stack Auth is away: no longer than a token lives anyway."""

TEAMS_COOLDOWN_SECONDS: Final = 5.0
"""After a question about teams failed, what is known is used without asking again for this long: nobody should wait twice."""

MAX_USERS: Final = 50_000
"""Lists of teams kept in memory."""

MAX_TOKEN_BYTES: Final = 8_192
"""A real token has about 1 kB."""

LEEWAY_SECONDS: Final = 10
"""Our clock and theirs may differ by this much."""

ALGORITHM: Final = "ES256"


class RefusalReason(StrEnum):
    """Why a token is refused."""

    EXPIRED = "token_expired"
    INVALID = "token_invalid"


class TokenRefused(Rejected):
    """The token is not one of a signed-in, unrestricted user of this project."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        """Say why; the detail never holds any of the token."""
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StackAuthConfig:
    """Which project's users may come in, and how to ask about them."""

    api_url: str
    project: str
    server_key: str
    issuers: tuple[str, ...]

    def server_headers(self) -> dict[str, str]:
        """Return the headers by which the server itself asks."""
        return {
            "x-stack-access-type": "server",
            "x-stack-project-id": self.project,
            "x-stack-secret-server-key": self.server_key,
        }

    @classmethod
    def from_environment(cls) -> "StackAuthConfig":
        """Return the configuration that the STACK_AUTH_ settings name; issuers are derived unless given (comma-separated)."""
        api_url = setting("STACK_AUTH_API_URL", DEFAULT_API_URL).rstrip("/").removesuffix("/api/v1")
        project = setting("STACK_AUTH_PROJECT_ID")
        hosts = SAME_SERVICE if api_url in SAME_SERVICE else (api_url,)
        given = [part.strip() for part in setting("STACK_AUTH_ISSUERS", "").split(",") if part.strip()]
        return cls(
            api_url=api_url,
            project=project,
            server_key=setting("STACK_AUTH_SECRET_SERVER_KEY"),
            issuers=tuple(given) or tuple(f"{host}/api/v1/projects/{project}" for host in hosts),
        )


@dataclass(frozen=True, slots=True)
class User:
    """Who a good token belongs to."""

    id: str
    name: str
    email: str
    expires_at: int
    """ms UTC: when the token ends."""


def stack_auth_client() -> httpx.AsyncClient:
    """Return the HTTP client both classes below share; redirects are not followed."""
    return httpx.AsyncClient(timeout=ANSWER_SECONDS, follow_redirects=False, trust_env=False)


class SigningKeys:
    """The project's public keys by key id, fetched when needed and kept when Stack Auth is away."""

    def __init__(self, config: StackAuthConfig, client: httpx.AsyncClient) -> None:
        """Fetch nothing yet."""
        self._url = f"{config.api_url}/api/v1/projects/{config.project}/.well-known/jwks.json"
        self._client = client
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """Return the key of that id, or None; raises Retryable while there are no keys at all."""
        known = self._keys.get(kid)
        age = monotonic() - self._fetched_at
        if known is not None and age < KEYS_FRESH_SECONDS:
            return known
        await self._refresh()
        return self._keys.get(kid)

    async def check(self) -> None:
        """Return when there are keys to check tokens by; raises Retryable when there are none and none can be had."""
        if not self._keys:
            await self._refresh()

    async def _refresh(self) -> None:
        async with self._lock:
            wait = KEYS_COOLDOWN_SECONDS if self._keys else 1.0
            if monotonic() - self._tried_at < wait:
                if not self._keys:
                    message = "the signing keys could not be fetched a moment ago"
                    raise Retryable(message)
                return
            self._tried_at = monotonic()
            try:
                self._keys = await self._fetch()
            except Retryable:
                AUTH_KEY_FETCHES.labels("failed").inc()
                if not self._keys:
                    raise
            else:
                AUTH_KEY_FETCHES.labels("fetched").inc()
                self._fetched_at = monotonic()

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        body = await get_json(self._client, self._url, {})
        keys = {}
        listed = body.get("keys")
        for entry in listed if isinstance(listed, list) else []:
            try:
                keys[str(entry["kid"])] = jwt.PyJWK(entry, algorithm=ALGORITHM)
            except (KeyError, TypeError, jwt.PyJWTError):
                continue  # a key of a kind we do not take
        if not keys:
            message = f"{self._url} lists no {ALGORITHM} key"
            raise Retryable(message)
        return keys


class TokenVerifier:
    """Says whose a token is. The algorithm, issuers and audience are ours; nothing in the token chooses them."""

    def __init__(self, config: StackAuthConfig, keys: SigningKeys) -> None:
        """Verify by these keys."""
        self._config = config
        self._keys = keys

    async def verify(self, token: str) -> User:
        """Return the token's user; raises TokenRefused, or Retryable while there are no keys."""
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenRefused(RefusalReason.INVALID, "the access token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise TokenRefused(RefusalReason.INVALID, "the access token is not a JWT") from error
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(kid, str):
            raise TokenRefused(RefusalReason.INVALID, f"the access token is not signed by {ALGORITHM} with a key id")
        key = await self._keys.key(kid)
        if key is None:
            raise TokenRefused(RefusalReason.INVALID, "the access token is signed by an unknown key")
        return user_of(self._decode(token, key))

    def _decode(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._config.project,
                issuer=list(self._config.issuers),
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"], "strict_aud": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRefused(RefusalReason.EXPIRED, "the access token has expired: sign in again") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused(RefusalReason.INVALID, f"the access token is not valid: {type(error).__name__}") from error


def user_of(claims: dict[str, Any]) -> User:
    """Return the user of verified claims; raises TokenRefused for one that is anonymous or restricted."""
    if claims.get("is_anonymous") or claims.get("is_restricted") or claims.get("role", "authenticated") != "authenticated":
        raise TokenRefused(RefusalReason.INVALID, "anonymous and restricted users are not let in")
    return User(
        id=str(claims["sub"]),
        name=str(claims.get("name") or ""),
        email=str(claims.get("email") or ""),
        expires_at=int(claims["exp"]) * 1_000,
    )


class Memberships:
    """Which teams a user is in, asked of the server API and believed for TEAMS_FRESH_SECONDS."""

    def __init__(self, config: StackAuthConfig, client: httpx.AsyncClient) -> None:
        """Ask nothing yet."""
        self._url = f"{config.api_url}/api/v1/teams"
        self._headers = config.server_headers()
        self._client = client
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        self._asking: dict[str, asyncio.Task[frozenset[str]]] = {}
        self._failed_at = float("-inf")

    async def teams(self, user: str) -> frozenset[str]:
        """Return the ids of the user's teams; raises Retryable when they are not known and cannot be had."""
        asked_at, teams = self._known.get(user, (float("-inf"), frozenset()))
        age = monotonic() - asked_at
        if age < TEAMS_FRESH_SECONDS:
            return teams
        is_usable = age < TEAMS_FRESH_SECONDS + TEAMS_STALE_SECONDS
        if is_usable and monotonic() - self._failed_at < TEAMS_COOLDOWN_SECONDS:
            return teams
        try:
            return await asyncio.shield(self._task(user))
        except Retryable:
            self._failed_at = monotonic()
            if is_usable:
                return teams
            raise

    def _task(self, user: str) -> "asyncio.Task[frozenset[str]]":
        """Return the one question about this user that is on its way: a thousand tabs must not ask a thousand times."""
        task = self._asking.get(user)
        if task is None:
            task = asyncio.create_task(self._ask(user))
            self._asking[user] = task
            task.add_done_callback(lambda done: self._asked(user, done))
        return task

    def _asked(self, user: str, done: "asyncio.Task[frozenset[str]]") -> None:
        self._asking.pop(user, None)
        if not done.cancelled():  # the failure is looked at, also where nobody waits for it any longer
            AUTH_TEAM_FETCHES.labels("fetched" if done.exception() is None else "failed").inc()

    async def _ask(self, user: str) -> frozenset[str]:
        body = await get_json(self._client, self._url, self._headers, {"user_id": user})
        items = body.get("items")
        if not isinstance(items, list):
            message = f"{self._url} answered without a list of teams"
            raise Retryable(message)
        teams = frozenset(str(item["id"]) for item in items if isinstance(item, dict) and "id" in item)
        while len(self._known) >= MAX_USERS:
            self._known.pop(next(iter(self._known)))
        self._known.pop(user, None)
        self._known[user] = (monotonic(), teams)
        return teams


async def get_json(
    client: httpx.AsyncClient,
    url: str,
    headers: dict[str, str],
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return the JSON object at an address; raises Retryable for any other answer, and for none."""
    try:
        answer = await client.get(url, headers=headers, params=parameters)
        status = int(answer.headers.get("x-stack-actual-status", answer.status_code))
        body = answer.json() if status == httpx.codes.OK else None
    except (httpx.HTTPError, ValueError) as error:
        message = f"{url} does not answer as expected: {type(error).__name__}"
        raise Retryable(message) from error
    if not isinstance(body, dict):
        message = f"{url} answered {status}"
        raise Retryable(message)
    return body
