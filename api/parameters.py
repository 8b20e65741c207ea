"""What callers may ask with: instants, ids, pages and their cursors. Anything else is a 400 that names the parameter."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import Path, Query

from api.errors import bad_request
from pipelines.connectors.clock import now_ms
from pipelines.domain.instants import UnreadableInstant, parse_instant

MAX_ID: Final = 2**31 - 1
MAX_CURSOR_LENGTH: Final = 256

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Instants outside are refused: nothing was or will be measured there."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
MAX_MICROSECONDS: Final = 2**52
"""Some 140 years."""

Id = Annotated[int, Query(ge=1, le=MAX_ID)]
PathId = Annotated[int, Path(ge=1, le=MAX_ID)]
InstantText = Annotated[str, Query(max_length=40, description="ISO 8601; without a zone it is UTC")]
Archived = Annotated[bool, Query(description="also what is archived")]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR_LENGTH, description="`next` of the page before")]


def aware(milliseconds: int) -> datetime:
    """Return ms UTC as an aware datetime."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def now() -> datetime:
    """Return wall time, to the millisecond."""
    return aware(now_ms())


def instant(text: str, name: str) -> datetime:
    """Return the instant a text names; a bad request otherwise."""
    try:
        found = aware(parse_instant(text))
    except (UnreadableInstant, OverflowError) as error:
        message = f"{name}: must be an ISO 8601 time such as 2026-11-25T04:22:00Z (a + must be sent as %2B)"
        raise bad_request(message) from error
    if not EARLIEST <= found <= LATEST:
        message = f"{name}: must be between {EARLIEST.year} and {LATEST.year}"
        raise bad_request(message)
    return found


def optional_instant(text: str | None, name: str) -> datetime | None:
    """Return the instant a text names, or None for none."""
    return None if text is None else instant(text, name)


def known_instant(text: str | None) -> datetime | None:
    """Return the instant whose knowledge is asked for, or None for what is known now; a bad request for one in the future."""
    found = optional_instant(text, "known_at")
    if found is not None and found > now():
        message = "known_at: lies in the future, and nobody knows yet what will be known then; leave it out for what is known now"
        raise bad_request(message)
    return found


def stretch(from_text: str, to_text: str) -> tuple[datetime, datetime]:
    """Return the stretch [from, to); a bad request unless from is before to."""
    start, end = instant(from_text, "from"), instant(to_text, "to")
    if start >= end:
        message = "from: must be before to"
        raise bad_request(message)
    return start, end


def encode_cursor(*position: int | str | datetime) -> str:
    """Return an opaque cursor for where a page ended; instants keep their microseconds."""
    plain = [(part - EPOCH) // MICROSECOND if isinstance(part, datetime) else part for part in position]
    return base64.urlsafe_b64encode(msgspec.json.encode(plain)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type[Any]) -> tuple[Any, ...] | None:
    """Return where the page before ended, or None at the start; a bad request for anything we did not hand out.

    `kinds` says what each part is: int (an id), datetime or UUID.
    """
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position = msgspec.json.decode(raw, type=list[int | str])
        return tuple(_part(part, kind) for part, kind in zip(position, kinds, strict=True))
    except (binascii.Error, msgspec.MsgspecError, ValueError) as error:
        message = "cursor: pass `next` of the page before, unchanged and with the same filters"
        raise bad_request(message) from error


def _part(part: int | str, kind: type[Any]) -> object:
    if kind is UUID:
        return UUID(str(part))
    if not isinstance(part, int):
        message = "a part that should be a number is none"
        raise ValueError(message)  # noqa: TRY004 - one kind of error for the caller
    if kind is datetime and abs(part) < MAX_MICROSECONDS:
        return EPOCH + part * MICROSECOND
    if kind is int and 0 <= part <= MAX_ID:
        return part
    message = "a part is out of range"
    raise ValueError(message)
