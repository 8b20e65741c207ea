"""What goes over the WebSocket beside events: requests of a client, and our answers. Events are sent as they were published."""

from typing import Final

import msgspec

from pipelines.connectors.metrics import LIVE_REFUSALS
from pipelines.domain.instants import format_instant

MAX_FRAME_BYTES: Final = 16_384
"""A client's largest message is an access token, about 1 kB."""


class Authenticate(msgspec.Struct, frozen=True, tag_field="type", tag="authenticate", forbid_unknown_fields=True):
    """The first message, and again with a newer token."""

    token: str


class SubscribeSite(msgspec.Struct, frozen=True, tag_field="type", tag="subscribe:site", forbid_unknown_fields=True):
    """Wants a site's events."""

    site: int


class SubscribeUnit(msgspec.Struct, frozen=True, tag_field="type", tag="subscribe:unit", forbid_unknown_fields=True):
    """Wants a unit's events."""

    unit: int


class UnsubscribeSite(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribe:site", forbid_unknown_fields=True):
    """No longer wants them."""

    site: int


class UnsubscribeUnit(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribe:unit", forbid_unknown_fields=True):
    """No longer wants them."""

    unit: int


Request = Authenticate | SubscribeSite | SubscribeUnit | UnsubscribeSite | UnsubscribeUnit

_DECODER: Final = msgspec.json.Decoder(Request)


class UnreadableRequest(ValueError):
    """A message that is none of the above; the text says why."""


def decode_request(text: str) -> Request:
    """Return a client's request; raises UnreadableRequest."""
    if len(text) > MAX_FRAME_BYTES:
        message = "the message is too long"
        raise UnreadableRequest(message)
    try:
        request: Request = _DECODER.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
        raise UnreadableRequest(str(error)) from error
    return request


def authenticated(user: str, expires_at: int) -> str:
    """Return the answer to a good token; `expires_at` is ms UTC."""
    return _text({"type": "authenticated", "user": user, "expires_at": format_instant(expires_at)})


def subscribed(kind: str, place: int) -> str:
    """Return the answer to a subscription; `kind` is `site` or `unit`."""
    return _text({"type": "subscribed", kind: place})


def unsubscribed(kind: str, place: int, reason: str | None = None) -> str:
    """Return the answer to an unsubscription, or with a reason the news that we ended it."""
    return _text({"type": "unsubscribed", kind: place} | ({} if reason is None else {"reason": reason}))


def failed(code: str, message: str, **place: int) -> str:
    """Return the answer to a request that cannot be met."""
    LIVE_REFUSALS.labels(code).inc()
    return _text({"type": "error", "code": code, "message": message, **place})


def _text(frame: dict[str, object]) -> str:
    return msgspec.json.encode(frame).decode()


RESYNC_REDIS: Final = '{"type":"resync","reason":"redis"}'
"""Events may have been missed: fetch by REST again."""

RESYNC_DROPPED: Final = '{"type":"resync","reason":"dropped"}'
"""Readings were dropped because the client was too slow: fetch by REST again."""
