"""Access tokens of the Stack Auth stand-in: ES256, issuer and audience by type of user, no team list in them."""

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, assert_never

import jwt

from infra.sandbox.known_errors import KnownError
from infra.sandbox.stack_auth_keys import KeyRing
from infra.sandbox.stack_auth_state import User
from pipelines.connectors.clock import now_ms

LIFETIME_SECONDS: Final = 600
"""The real one's default."""


class UserType(StrEnum):
    """Which audience a token is for; our API takes only `normal`."""

    NORMAL = "normal"
    RESTRICTED = "restricted"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs and checks access tokens of one project."""

    keys: KeyRing
    base_url: str
    project: str

    def issuer_and_audience(self, user_type: UserType) -> tuple[str, str]:
        """Return the claims `iss` and `aud` for a type of user."""
        root = f"{self.base_url}/api/v1"
        match user_type:
            case UserType.NORMAL:
                return f"{root}/projects/{self.project}", self.project
            case UserType.RESTRICTED:
                return f"{root}/projects-restricted-users/{self.project}", f"{self.project}:restricted"
            case UserType.ANONYMOUS:
                return f"{root}/projects-anonymous-users/{self.project}", f"{self.project}:anon"
            case _:
                assert_never(user_type)

    def mint(
        self,
        user: User,
        *,
        expires_in: int = LIFETIME_SECONDS,
        user_type: UserType = UserType.NORMAL,
        selected_team: str | None = None,
    ) -> str:
        """Return a signed token that ends `expires_in` seconds from now (below 0: it has ended already)."""
        issued_at = now_ms() // 1000
        issuer, audience = self.issuer_and_audience(user_type)
        claims = {
            "iss": issuer,
            "aud": audience,
            "iat": issued_at + min(0, expires_in),
            "exp": issued_at + expires_in,
            "sub": user.id,
            "project_id": self.project,
            "branch_id": "main",
            "refresh_token_id": str(uuid.uuid4()),
            "role": "authenticated",
            "name": user.display_name,
            "email": user.primary_email,
            "email_verified": user_type is UserType.NORMAL,
            "selected_team_id": selected_team,
            "signed_up_at": user.signed_up_at_millis // 1000,
            "is_anonymous": user_type is UserType.ANONYMOUS,
            "is_restricted": user_type is not UserType.NORMAL,
            "restricted_reason": _restricted_reason(user_type),
            "requires_totp_mfa": False,
        }
        key = self.keys.signing
        return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid})

    def subject(self, token: str) -> str:
        """Return the user id of a token of any type; raises KnownError as the real one does."""
        audiences = [self.issuer_and_audience(one)[1] for one in UserType]
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = next((key for key in self.keys.keys if key.kid == kid), self.keys.signing)
            claims: dict[str, Any] = jwt.decode(token, key.private.public_key(), algorithms=["ES256"], audience=audiences)
        except jwt.ExpiredSignatureError as error:
            raise KnownError(401, "ACCESS_TOKEN_EXPIRED", "Access token has expired.") from error
        except jwt.InvalidAudienceError as error:
            text = "Access token is not valid for this project."
            raise KnownError(401, "INVALID_PROJECT_FOR_ACCESS_TOKEN", text) from error
        except jwt.InvalidTokenError as error:
            raise KnownError(401, "UNPARSABLE_ACCESS_TOKEN", "Access token is not parsable.") from error
        return str(claims["sub"])


def _restricted_reason(user_type: UserType) -> dict[str, str] | None:
    match user_type:
        case UserType.NORMAL:
            return None
        case UserType.RESTRICTED:
            return {"type": "email_not_verified"}
        case UserType.ANONYMOUS:
            return {"type": "anonymous"}
        case _:
            assert_never(user_type)
