"""What is done about the letters of one uplink: when it is written again, under which headers, and when it is left alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.replays.letters import Letter
from api.replays.plan import Source, Status, held_to_stored, planned, refused
from pipelines.domain.registered import Device, Sensor, Stamp
from schemas.partitions import device_partition
from schemas.uplinks import replay_headers

EUI = "A84041000181C061"
AT = 1_795_600_000_000
FIRST, SECOND = UUID(int=1), UUID(int=2)


def body(application: str = "app", eui: str = EUI, **payload: object) -> bytes:
    return json.dumps(
        {
            "end_device_ids": {"dev_eui": eui.lower(), "application_ids": {"application_id": application}},
            "uplink_message": {
                "f_port": 2,
                "received_at": "2026-11-25T09:46:40Z",
                "decoded_payload": payload or {"TempC_DS": 4.31},
                "version_ids": {"brand_id": "dragino", "model_id": "lht65"},
            },
        }
    ).encode()


LETTER = Letter(
    id=FIRST,
    received_at=datetime(2026, 11, 25, tzinfo=UTC),
    received_ms=AT,
    organization=1,
    application="app",
    kind="unassigned",
    reason="unassigned",
    dev_eui=EUI,
    topic="uplinks",
    partition=device_partition(EUI),
    offset=7,
    part=0,
    raw=body(),
    replay_of=None,
    attempts=0,
    under_way=False,
)
SOURCE = Source(LETTER.raw, "app", AT)
REGISTERED = {(1, EUI): Device(4, 1, {"main": Sensor(5, "main", (0,), (Stamp(3, 1, 1, 1, 0),))})}
MEASURED = 1_795_600_000_000


def test_a_mended_uplink_is_written_to_its_devices_partition_as_ingest_does_with_when_it_first_came() -> None:
    plan = planned([LETTER], SOURCE, REGISTERED, set())

    assert (plan.status, plan.message) == (Status.WOULD_REPLAY, "Would store 1 reading.")
    assert plan.record is not None
    assert (plan.record.partition, plan.record.value) == (device_partition(EUI), LETTER.raw)
    assert plan.record.headers == replay_headers(1, "app", replay_of=str(FIRST), received_at=AT)


def test_several_letters_of_one_uplink_are_one_replay_that_names_the_first() -> None:
    plan = planned([replace(LETTER, id=SECOND, part=1), LETTER], SOURCE, REGISTERED, set())

    assert plan.record is not None
    assert (b"00000000-0000-0000-0000-000000000001") in dict(plan.record.headers).values()
    assert len(plan.letters) == 2


def test_what_would_end_the_same_way_is_left_alone_and_says_what_to_do() -> None:
    plan = planned([LETTER], SOURCE, {}, set())

    assert (plan.status, plan.record) == (Status.NOT_MENDED, None)
    assert f"device {EUI} is not registered" in plan.message
    assert "Register the device" in plan.message


def test_a_foreign_application_is_replayed_under_its_own_name_once_it_has_a_secret_here() -> None:
    source = replace(SOURCE, raw=body("other"))

    before = planned([LETTER], source, REGISTERED, {(2, "other")})
    after = planned([LETTER], source, REGISTERED, {(1, "other")})

    assert (before.status, after.status) == (Status.NOT_MENDED, Status.WOULD_REPLAY)
    assert after.record is not None
    assert dict(after.record.headers)["application"] == b"other"


def test_a_body_that_ingest_put_aside_and_still_cannot_read_has_no_partition_to_go_to() -> None:
    aside = replace(LETTER, topic="dead_letters", dev_eui="", raw=b"{not json")

    plan = planned([aside], Source(aside.raw, "app", AT), {}, set())

    assert plan.status is Status.NOT_MENDED
    assert "not_json" in plan.message


def test_bytes_that_are_nowhere_any_longer_are_said_to_be_gone() -> None:
    assert planned([LETTER], None, REGISTERED, set()).status is Status.BYTES_GONE


@pytest.mark.parametrize(
    ("letter", "again", "status"),
    [
        (LETTER, False, None),
        (replace(LETTER, attempts=1), False, Status.ALREADY_REPLAYED),
        (replace(LETTER, attempts=1), True, None),
        (replace(LETTER, under_way=True), True, Status.UNDER_WAY),
        (replace(LETTER, replay_of=SECOND), True, Status.CAME_OF_A_REPLAY),
    ],
)
def test_some_letters_are_refused_whatever_their_bytes_say(letter: Letter, again: bool, status: Status | None) -> None:
    found = refused([letter], again=again)

    assert (None if found is None else found.status) is status


@pytest.mark.parametrize(
    ("stored", "status", "said"),
    [
        ({}, Status.WOULD_REPLAY, "Would store"),
        ({(5, MEASURED): None}, Status.WOULD_REPLAY, "Would store"),
        ({(5, MEASURED): 431}, Status.NOT_MENDED, "stored already."),
        ({(5, MEASURED): 900}, Status.NOT_MENDED, "Another value"),
    ],
)
def test_a_reading_may_take_a_fault_marks_place_and_no_other(stored: dict[tuple[int, int], int | None], status: Status, said: str) -> None:
    plan = held_to_stored(planned([LETTER], SOURCE, REGISTERED, set()), stored)

    assert plan.status is status
    assert said in plan.message
    assert (plan.record is None) == (status is Status.NOT_MENDED)
