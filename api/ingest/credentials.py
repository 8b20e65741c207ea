"""Finds the secret among a webhook's headers. Says nothing about whether it is a good one, and keeps no other header."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SECRET_HEADER: Final = b"x-coldstream-secret"

MAX_SECRET_BYTES: Final = 1_024
"""Ours have 43 characters; anything longer is not hashed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the headers claim that matters at the door."""

    secret: bytes | None
    """None where there is none, or more than one."""
    length: int
    """Content-Length, or 0 where none is given."""
    encoded: bool
    """The body is compressed."""


def read_claims(headers: Iterable[tuple[bytes, bytes]]) -> Claims:
    """Return what the headers claim; names are lower case, as ASGI has them."""
    secrets: list[bytes] = []
    basic: bytes | None = None
    length = 0
    encoded = False
    for name, value in headers:
        if name == SECRET_HEADER:
            secrets.append(value)
        elif name == b"authorization":
            basic = value
        elif name == b"content-length":
            length = int(value) if value.isdigit() else 0
        elif name == b"content-encoding":
            encoded = encoded or value.strip().lower() not in {b"", b"identity"}
    if not secrets and basic is not None:
        secrets = basic_password(basic)
    secret = secrets[0] if len(secrets) == 1 and 0 < len(secrets[0]) <= MAX_SECRET_BYTES else None
    return Claims(secret=secret, length=length, encoded=encoded)


def basic_password(value: bytes) -> list[bytes]:
    """Return the password of an HTTP Basic header as a list of one, or none where it is not such a header."""
    scheme, _, encoded = value.partition(b" ")
    if scheme.lower() != b"basic":
        return []
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return []
    return [password] if colon else []
