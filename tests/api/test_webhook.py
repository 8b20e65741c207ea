"""The webhook answers 202 only after the log has the uplink, and says no in the right way to everything else."""

import asyncio
import base64
import gzip
import hashlib
from collections.abc import Iterable, Sequence

import pytest
from confluent_kafka import KafkaError

from api.ingest.senders import Sender, Senders
from api.ingest.webhook import Webhook
from pipelines.connectors.errors import Retryable
from schemas.dead_letters import decode_dead_letter
from schemas.partitions import device_partition
from schemas.uplinks import MAX_BODY_BYTES, uplink_headers
from tests.api.asgi_calls import Answered, Message, call, whole
from tests.api.fake_log import FakeLog

SECRET = "a-secret-of-the-first-organization"
UPLINK = b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"uplink_message":{"f_port":2}}'
WITH_SECRET = (("X-Coldstream-Secret", SECRET),)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.ingest.senders.RELOAD_SPACING_SECONDS", 0.02)


class Table:
    """The table of secrets in the database."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = list(secrets)
        self.is_away = False
        self.loads = 0

    async def __call__(self) -> Sequence[Sender]:
        self.loads += 1
        if self.is_away:
            message = "away"
            raise Retryable(message)
        return [Sender.of(hashlib.sha256(one.encode()).digest(), 7, "cold-chain") for one in self.secrets]


def post(
    log: FakeLog,
    messages: Iterable[Message],
    *,
    headers: Iterable[tuple[str, str]] = WITH_SECRET,
    method: str = "POST",
    table: Table | None = None,
) -> Answered:
    async def run() -> Answered:
        senders = Senders(table or Table(SECRET))
        await senders.load()
        return await call(Webhook(log, senders, ack_seconds=0.05), messages, headers=headers, method=method)

    return asyncio.run(run())


def test_an_acknowledged_uplink_is_accepted_with_its_raw_body_on_its_devices_partition() -> None:
    log = FakeLog()

    answered = post(log, whole(UPLINK))

    assert (answered.status, answered.body) == (202, b'{"accepted":true}')
    (record,) = log.records
    assert record.topic == "uplinks"
    assert record.partition == device_partition("A84041000181C061")
    assert record.key == b"A84041000181C061"
    assert record.value == UPLINK
    assert record.headers == uplink_headers(7, "cold-chain", "ttn")


def test_a_body_in_pieces_is_put_together() -> None:
    log = FakeLog()
    pieces: list[Message] = [
        {"type": "http.request", "body": UPLINK[:10], "more_body": True},
        {"type": "http.request", "body": UPLINK[10:], "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
    ]

    answered = post(log, pieces)

    assert answered.status == 202
    assert log.records[0].value == UPLINK


def test_no_other_header_reaches_the_log() -> None:
    log = FakeLog()

    post(log, whole(UPLINK), headers=(*WITH_SECRET, ("X-Downlink-Apikey", "NNSXS.KEY"), ("X-Tts-Domain", "eu1")))

    assert b"NNSXS" not in repr(log.records).encode()
    assert SECRET not in repr(log.records)


def test_the_secret_may_be_the_password_of_http_basic() -> None:
    basic = base64.b64encode(f"any user:{SECRET}".encode()).decode()

    answered = post(FakeLog(), whole(UPLINK), headers=(("Authorization", f"Basic {basic}"),))

    assert answered.status == 202


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("X-Coldstream-Secret", ""),),
        (("X-Coldstream-Secret", SECRET + "x"),),
        (("X-Coldstream-Secret", SECRET.upper()),),
        (("X-Coldstream-Secret", SECRET), ("X-Coldstream-Secret", SECRET)),
        (("X-Coldstream-Secret", "é" * 600),),
        (("Authorization", "Bearer " + SECRET),),
        (("Authorization", "Basic not/base64!"),),
        (("Authorization", "Basic " + base64.b64encode(SECRET.encode()).decode()),),
        (("Authorization", ""),),
    ],
    ids=["none", "empty", "longer", "upper case", "twice", "huge", "bearer", "not base64", "no colon", "no scheme"],
)
def test_a_wrong_secret_is_refused_and_nothing_is_kept(headers: tuple[tuple[str, str], ...]) -> None:
    log = FakeLog()

    answered = post(log, whole(UPLINK), headers=headers)

    assert (answered.status, answered.code) == (401, "secret_unknown")
    assert answered.headers["www-authenticate"].startswith("Basic")
    assert log.records == []


def test_a_stranger_is_refused_before_the_body_is_read() -> None:
    answered = post(FakeLog(), [], headers=())

    assert answered.status == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_only_post_is_taken(method: str) -> None:
    answered = post(FakeLog(), [], method=method)

    assert (answered.status, answered.headers["allow"]) == (405, "POST")


def test_a_body_announced_too_large_is_refused_unread() -> None:
    answered = post(FakeLog(), [], headers=(*WITH_SECRET, ("Content-Length", str(MAX_BODY_BYTES + 1))))

    assert (answered.status, answered.code) == (413, "body_too_large")
    assert answered.headers["connection"] == "close"


def test_a_body_that_grows_too_large_is_not_read_to_its_end() -> None:
    chunk = b"x" * 65_536
    taken = 0

    def endless() -> Iterable[Message]:
        nonlocal taken
        while True:
            taken += 1
            yield {"type": "http.request", "body": chunk, "more_body": True}

    answered = post(FakeLog(), endless())

    assert answered.status == 413
    assert taken == MAX_BODY_BYTES // len(chunk) + 1


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    padding = b" " * (MAX_BODY_BYTES - len(UPLINK))

    answered = post(FakeLog(), whole(UPLINK + padding))

    assert answered.status == 202


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.ingest.body.BODY_SECONDS", 0.05)
    log = FakeLog()

    answered = post(log, [{"type": "http.request", "body": b"{", "more_body": True}])

    assert (answered.status, answered.code) == (408, "body_too_slow")
    assert log.records == []


def test_a_sender_that_hangs_up_gets_no_answer_and_leaves_nothing() -> None:
    log = FakeLog()

    answered = post(log, [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    assert answered.status == 0
    assert log.records == []


def test_a_compressed_body_is_refused() -> None:
    headers = (*WITH_SECRET, ("Content-Encoding", "gzip"))

    answered = post(FakeLog(), whole(gzip.compress(UPLINK)), headers=headers)

    assert (answered.status, answered.code) == (415, "encoding_not_supported")


def test_an_identity_encoding_is_no_compression() -> None:
    answered = post(FakeLog(), whole(UPLINK), headers=(*WITH_SECRET, ("Content-Encoding", "identity")))

    assert answered.status == 202


def test_without_an_acknowledgement_in_time_the_sender_is_told_to_come_back() -> None:
    log = FakeLog()
    log.acknowledges = False

    answered = post(log, whole(UPLINK))

    assert (answered.status, answered.code) == (503, "log_unavailable")
    assert int(answered.headers["retry-after"]) > 0


def test_a_failed_delivery_is_not_accepted() -> None:
    log = FakeLog()
    log.error = KafkaError(KafkaError._MSG_TIMED_OUT)

    answered = post(log, whole(UPLINK))

    assert (answered.status, answered.code) == (503, "log_unavailable")


def test_a_full_queue_is_said_at_once() -> None:
    log = FakeLog()
    log.is_full = True

    answered = post(log, whole(UPLINK))

    assert (answered.status, answered.code) == (503, "log_full")


NOT_READABLE = {
    b"": "not_json",
    b"hello": "not_json",
    b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"t":NaN}': "not_json",
    b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"t":-Infinity}': "not_json",
    b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"t":"\\ud800"}': "not_json",
    b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"t":"\x00"}': "not_json",
    b'{"end_device_ids":{"dev_eui":"A84041000181C061"}} {}': "not_json",
    b'\xef\xbb\xbf{"end_device_ids":{"dev_eui":"A84041000181C061"}}': "not_json",
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}": "not_json",
    b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"t":"\xff"}': "not_utf8",
    b"\x80\x02}q\x00.": "not_utf8",
    b"{}": "no_device",
    b'{"end_device_ids":null}': "no_device",
    b'{"end_device_ids":{"device_id":"x"}}': "no_device",
    b'{"end_device_ids":{"dev_eui":5}}': "no_device",
    b'{"end_device_ids":{"dev_eui":""}}': "no_device",
    b'{"end_device_ids":{"dev_eui":"A84041000181C0"}}': "no_device",
    b'{"end_device_ids":{"dev_eui":"A84041000181C0GG"}}': "no_device",
    b'{"end_device_ids":{"dev_eui":"A8 404100 0181C0"}}': "no_device",
    b'{"end_device_ids":{"dev_eui":"\xef\xbc\x9184041000181C061"}}': "no_device",
    b"[1,2]": "not_a_message",
    b"null": "not_a_message",
    b'"text"': "not_a_message",
}


@pytest.mark.parametrize(("body", "reason"), NOT_READABLE.items(), ids=[repr(body)[:40] for body in NOT_READABLE])
def test_what_cannot_be_read_is_accepted_and_kept_as_a_dead_letter_with_its_bytes(body: bytes, reason: str) -> None:
    log = FakeLog()

    answered = post(log, whole(body))

    assert answered.status == 202
    (record,) = log.records
    letter = decode_dead_letter(record.value)
    assert record.topic == "dead_letters"
    assert record.key == b"7"
    assert 0 <= record.partition < 4
    assert (letter.reason, letter.raw, letter.organization, letter.application) == (reason, body, 7, "cold-chain")
    assert (letter.kind, letter.topic, letter.received_at, letter.offset) == ("rejected", "dead_letters", 0, 0)


def test_a_dead_letter_too_is_accepted_only_after_its_acknowledgement() -> None:
    log = FakeLog()
    log.acknowledges = False

    answered = post(log, whole(b"garbage"))

    assert answered.status == 503


@pytest.mark.parametrize("number", [b"1e999", b"9" * 5_000, b"-0.0"])
def test_odd_but_legal_numbers_are_for_the_decoder_to_judge(number: bytes) -> None:
    log = FakeLog()

    post(log, whole(b'{"end_device_ids":{"dev_eui":"a84041000181c061"},"t":' + number + b"}"))

    assert log.records[0].topic == "uplinks"


def test_the_last_of_two_equal_keys_counts() -> None:
    log = FakeLog()
    body = b'{"end_device_ids":{"dev_eui":"A84041000181C061"},"end_device_ids":{"dev_eui":"A84041000181C0FF"}}'

    post(log, whole(body))

    assert log.records[0].key == b"A84041000181C0FF"


def test_a_device_has_one_partition_in_either_case() -> None:
    log = FakeLog()

    post(log, whole(b'{"end_device_ids":{"dev_eui":"a84041000181c061"}}'))

    assert log.records[0].partition == device_partition("A84041000181C061")


def test_before_the_first_load_nobody_is_called_a_stranger() -> None:
    table = Table(SECRET)
    table.is_away = True

    answered = post(FakeLog(), whole(UPLINK), table=table)

    assert (answered.status, answered.code) == (503, "secrets_unavailable")


def test_a_new_secret_works_at_once() -> None:
    table = Table("another")

    async def run() -> Answered:
        senders = Senders(table)
        await senders.load()
        table.secrets.append(SECRET)
        return await call(Webhook(FakeLog(), senders), whole(UPLINK), headers=WITH_SECRET)

    assert asyncio.run(run()).status == 202


def test_a_flood_of_unknown_secrets_loads_the_table_once() -> None:
    table = Table(SECRET)

    async def run() -> set[int]:
        senders = Senders(table)
        await senders.load()
        webhook = Webhook(FakeLog(), senders)
        forged = (("X-Coldstream-Secret", "forged"),)
        answers = await asyncio.gather(*(call(webhook, whole(UPLINK), headers=forged) for _ in range(500)))
        return {answered.status for answered in answers}

    assert asyncio.run(run()) == {401}
    assert table.loads == 2


def test_the_last_table_stays_while_the_database_is_away() -> None:
    table = Table(SECRET)

    async def run() -> Answered:
        senders = Senders(table)
        await senders.load()
        table.is_away = True
        await senders.load()
        return await call(Webhook(FakeLog(), senders), whole(UPLINK), headers=WITH_SECRET)

    assert asyncio.run(run()).status == 202


def test_a_revoked_secret_is_refused_after_the_next_load() -> None:
    table = Table(SECRET, "second")

    async def run() -> tuple[int, int]:
        senders = Senders(table)
        await senders.load()
        table.secrets.remove(SECRET)
        await senders.load()
        webhook = Webhook(FakeLog(), senders)
        second = (("X-Coldstream-Secret", "second"),)
        return (
            (await call(webhook, whole(UPLINK), headers=WITH_SECRET)).status,
            (await call(webhook, whole(UPLINK), headers=second)).status,
        )

    assert asyncio.run(run()) == (401, 202)
