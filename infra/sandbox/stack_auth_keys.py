"""The signing keys of the Stack Auth stand-in: two EC P-256 keys, of which the first signs, kept on disk."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

KEY_NAMES: Final = ("signing.pem", "next.pem")
"""The real one publishes two keys per audience; a client that takes the first one, not the named one, must fail."""
KID_LENGTH: Final = 12
COORDINATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key and the id by which tokens name it."""

    kid: str
    private: EllipticCurvePrivateKey

    @classmethod
    def of(cls, private: EllipticCurvePrivateKey) -> Self:
        """Name a key after its public point."""
        digest = hashlib.sha256("/".join(_coordinates(private)).encode()).digest()
        return cls(base64.b32encode(digest).decode().lower()[:KID_LENGTH], private)

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key."""
        x, y = _coordinates(self.private)
        return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": x, "y": y}


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys; the first one signs."""

    keys: tuple[SigningKey, ...]

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Load the keys of a folder, making those that are missing."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(tuple(SigningKey.of(_load_or_make(folder / name)) for name in KEY_NAMES))

    @property
    def signing(self) -> SigningKey:
        """The key that signs new tokens."""
        return self.keys[0]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the published set; the signing key is last, so that only a choice by kid finds it."""
        return {"keys": [key.public_jwk() for key in reversed(self.keys)]}


def _coordinates(private: EllipticCurvePrivateKey) -> tuple[str, str]:
    numbers = private.public_key().public_numbers()
    return _base64url(numbers.x), _base64url(numbers.y)


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(COORDINATE_BYTES, "big")).rstrip(b"=").decode()


def _load_or_make(path: Path) -> EllipticCurvePrivateKey:
    if path.exists():
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(loaded, EllipticCurvePrivateKey), f"{path} holds another kind of key"
        return loaded
    made = generate_private_key(SECP256R1())
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    draft.replace(path)
    return made
