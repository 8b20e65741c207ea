"""`POST /api/webhooks/ttn`: 202 once Kafka has acknowledged the raw body, and not before. A plain ASGI endpoint.

Never decodes more than the device's EUI, never asks the database, and neither stores nor logs any header.
"""

from typing import Final, Protocol

import structlog

from api.answers import CLOSE, Answer, Receive, Scope, Send, refusal
from api.ingest.body import NoBody, read_body
from api.ingest.credentials import read_claims
from api.ingest.device import Device, Unreadable, find_device
from api.ingest.senders import Sender, Senders
from pipelines.connectors.clock import monotonic
from pipelines.connectors.kafka_loop import Acknowledgement, QueueFull, acknowledged
from pipelines.connectors.metrics import INGEST_ACK_SECONDS, INGEST_ANSWERS, INGEST_BODY_BYTES, INGEST_DEAD_LETTERS
from schemas.dead_letters import DeadLetter, encode_dead_letter
from schemas.partitions import organization_partition
from schemas.topics import DEAD_LETTERS, UPLINKS
from schemas.uplinks import MAX_BODY_BYTES, Headers

PATH: Final = "/api/webhooks/ttn"

ACK_SECONDS: Final = 1.5
"""The sender gives up after 5 s; an acknowledgement that comes later only makes a duplicate, which the store drops."""

RETRY_AFTER: Final = (b"retry-after", b"5")

ACCEPTED: Final = Answer(202, "accepted", b'{"accepted":true}')
ONLY_POST: Final = refusal(405, "method_not_allowed", "Send webhooks with POST.", (b"allow", b"POST"), CLOSE)
SECRET_UNKNOWN: Final = refusal(
    401,
    "secret_unknown",
    "Send the application's secret in the header X-Coldstream-Secret, or as the password of HTTP Basic.",
    (b"www-authenticate", b'Basic realm="coldstream"'),
    CLOSE,
)
ENCODED: Final = refusal(415, "encoding_not_supported", "Send the body without Content-Encoding.", CLOSE)
TOO_LARGE: Final = refusal(413, "body_too_large", f"A body may have at most {MAX_BODY_BYTES} bytes.", CLOSE)
TOO_SLOW: Final = refusal(408, "body_too_slow", "The body did not arrive in time: send it again.", CLOSE)
SECRETS_UNAVAILABLE: Final = refusal(503, "secrets_unavailable", "Secrets are not loaded yet: send it again.", RETRY_AFTER)
LOG_FULL: Final = refusal(503, "log_full", "Too much is waiting for the log: send it again.", RETRY_AFTER)
LOG_UNAVAILABLE: Final = refusal(503, "log_unavailable", "The log did not acknowledge in time: send it again.", RETRY_AFTER)

REFUSED_BODIES: Final = {NoBody.TOO_LARGE: TOO_LARGE, NoBody.TOO_SLOW: TOO_SLOW}

ANSWERS: Final = (
    ACCEPTED,
    ONLY_POST,
    SECRET_UNKNOWN,
    ENCODED,
    TOO_LARGE,
    TOO_SLOW,
    SECRETS_UNAVAILABLE,
    LOG_FULL,
    LOG_UNAVAILABLE,
)
COUNTERS: Final = {answer.code: INGEST_ANSWERS.labels(answer.status, answer.code) for answer in ANSWERS}
HUNG_UP: Final = INGEST_ANSWERS.labels("none", "hung_up")
"""Looked up once; a lookup for each answer would cost more than the count."""

log = structlog.get_logger()


class UplinkLog(Protocol):
    """Where records go: LoopProducer, or a fake of it."""

    def send(self, topic: str, partition: int, value: bytes, key: bytes | None, headers: Headers) -> Acknowledgement:
        """Queue a record and return its acknowledgement to come; raises QueueFull."""
        ...


class Webhook:
    """The endpoint."""

    def __init__(self, uplinks: UplinkLog, senders: Senders, ack_seconds: float = ACK_SECONDS) -> None:
        """Write to this log what these senders send."""
        self._log = uplinks
        self._senders = senders
        self._ack_seconds = ack_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one webhook."""
        answer = await self._answer(scope, receive)
        if answer is None:
            HUNG_UP.inc()
            return
        COUNTERS[answer.code].inc()
        await answer.send(send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """Return the answer, or None for a sender that hung up."""
        if scope["method"] != "POST":
            return ONLY_POST
        claims = read_claims(scope["headers"])
        if claims.secret is None:
            return SECRET_UNKNOWN
        sender = self._senders.find(claims.secret) or await self._senders.find_after_reload(claims.secret)
        if sender is None:
            return SECRET_UNKNOWN if self._senders.loaded else SECRETS_UNAVAILABLE
        if claims.encoded:
            return ENCODED
        if claims.length > MAX_BODY_BYTES:
            return TOO_LARGE
        body = await read_body(receive)
        if isinstance(body, NoBody):
            return REFUSED_BODIES.get(body)
        return await self._keep(sender, body)

    async def _keep(self, sender: Sender, body: bytes) -> Answer:
        found = find_device(body)
        try:
            if isinstance(found, Device):
                acknowledgement = self._log.send(UPLINKS.name, found.partition, body, found.dev_eui.encode(), sender.headers)
            else:
                acknowledgement = self._send_dead_letter(sender, body, found)
        except QueueFull:
            return LOG_FULL
        started_at = monotonic()
        if not await acknowledged(acknowledgement, self._ack_seconds):
            return LOG_UNAVAILABLE
        INGEST_ACK_SECONDS.observe(monotonic() - started_at)
        INGEST_BODY_BYTES.inc(len(body))
        return ACCEPTED

    def _send_dead_letter(self, sender: Sender, body: bytes, unreadable: Unreadable) -> Acknowledgement:
        letter = DeadLetter(
            organization=sender.organization,
            application=sender.application,
            kind="rejected",
            reason=unreadable.reason.value,
            detail=unreadable.detail,
            dev_eui="",
            received_at=0,
            topic=DEAD_LETTERS.name,
            partition=0,
            offset=0,
            part=0,
            raw=body,
        )
        INGEST_DEAD_LETTERS.labels(letter.reason).inc()
        log.info("uplink rejected", organization=sender.organization, application=sender.application, reason=letter.reason)
        return self._log.send(
            DEAD_LETTERS.name,
            organization_partition(sender.organization) % DEAD_LETTERS.partitions,
            encode_dead_letter(letter),
            str(sender.organization).encode(),
            [],
        )
