"""Pinned for life: partitions, ids, codes and the bytes of schema version 1. A change here orphans state or unreads the log."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from schemas.dead_letters import DeadLetter, decode_dead_letter, encode_dead_letter
from schemas.events import SEVERITY_ORDER, AlertData, Event, EventName, UnitState, worst
from schemas.ids import condition_id, dead_letter_id, excursion_id
from schemas.partitions import DEVICE_PARTITIONS, device_partition, organization_partition
from schemas.readings import PACKED_ROW, ROW, RowKind, UnreadableRecord, blank_rows, decode_rows, encode_rows
from schemas.reason_texts import TEXTS
from schemas.reasons import CODES, RejectReason
from schemas.revisions import RevisionRequest, decode_revision, encode_revision

PARTITIONS = {
    "70B3D50000000001": 14,
    "A84041FFFF181C0D": 53,
    "0000000000000000": 41,
    "FFFFFFFFFFFFFFFF": 28,
    "70B3D5E75E000AAA": 58,
}
ROW_BYTES = (
    "4352010007000000000000000068e5cf8b010000000000000000000003000000000000000000000000000000"
    "000000000000000000000000c6f800800080808000000000"
)

LETTER_BYTES = (
    "8da474797065ad646561645f6c65747465722f31ac6f7267616e697a6174696f6e01ab6170706c69636174696f6ea161a46b696e64a872656a6563746564"
    "a6726561736f6ea86e6f745f6a736f6ea664657461696ca164a76465765f657569a0ab72656365697665645f617400a5746f706963a775706c696e6b73"
    "a9706172746974696f6e01a66f666673657402a47061727400a3726177c40178"
)
REVISION_BYTES = (
    "88a474797065b27265766973696f6e5f726571756573742f31a673656e736f7201a664657669636502ac6f7267616e697a6174696f6e03"
    "ad6d656173757265645f66726f6d04a9706172746974696f6e05a66f666673657406a6726561736f6ea46c617465"
)
EVENT_BYTES = (
    b'{"event":"alert:triggered","cursor":"e7","organization":1,"site":2,"unit":3,"data":{"id":"f5d3de48-fc8b-5a31-9b51-1cc966d912a8",'
    b'"version":1,"category":"temperature","severity":"critical","sensor":3,"device":4,"started_at":"2026-01-01T00:00:00.000Z",'
    b'"opened_at":"2026-01-01T00:10:00.000Z","caused_by_received_at":null,"band":"warm","side":"high","limit_celsius":8.0}}'
)
CODES_FILE = Path(__file__).parents[1] / "golden" / "codes.json"
"""Written by hand: a code may be added, never changed."""


@pytest.mark.parametrize(("dev_eui", "partition"), PARTITIONS.items())
def test_a_device_has_its_partition_for_life_in_either_case(dev_eui: str, partition: int) -> None:
    assert device_partition(dev_eui) == device_partition(dev_eui.lower()) == partition


def test_consecutive_devices_spread_over_all_partitions() -> None:
    spread = Counter(device_partition(f"{0x70B3D50000000000 + place:016X}") for place in range(64_000))

    assert len(spread) == DEVICE_PARTITIONS
    assert max(spread.values()) < 1.5 * min(spread.values())


def test_an_organization_has_its_partition_for_life() -> None:
    assert [organization_partition(number) for number in (0, 1, 2, 1_000)] == [9, 15, 5, 0]


def test_ids_are_derived_and_stay() -> None:
    assert str(excursion_id(1, "warm", 1_700_000_000_000)) == "f5d3de48-fc8b-5a31-9b51-1cc966d912a8"
    assert str(excursion_id(1, "warm", 1_700_000_000_000, 1)) == "d7d17937-c8d4-5249-8b67-c2e3496b3c03"
    assert str(condition_id(3, "offline", 5)) == "2d942bc5-30e8-5ced-ad6d-f68eefa71c1b"
    assert str(dead_letter_id("uplinks", 1, 2, 0)) == "07a89c77-5bc5-5435-8bf3-2d40a84b08c0"


def test_a_row_has_64_bytes_and_these() -> None:
    row = blank_rows(1)
    row["offset"], row["measured_at"], row["temperature"], row["sensor"] = 7, 1_700_000_000_000, -1_850, 3

    assert ROW.itemsize == 64
    assert encode_rows(row).hex() == ROW_BYTES
    assert decode_rows([bytes.fromhex(ROW_BYTES)])["temperature"].tolist() == [-1_850]
    assert PACKED_ROW.pack(*row[0].item()) == row.tobytes()


def test_several_records_read_back_as_one_array_in_order() -> None:
    one, two = blank_rows(2), blank_rows(1)
    one["offset"], two["offset"] = [1, 2], 3

    assert decode_rows([encode_rows(one), encode_rows(two)])["offset"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("value", [b"", b"CR\x02\x00" + bytes(64), b"XX\x01\x00" + bytes(64), b"CR\x01\x00" + bytes(63)])
def test_another_version_or_half_a_row_is_refused(value: bytes) -> None:
    with pytest.raises(UnreadableRecord, match="record of `readings`"):
        decode_rows([value])


def test_dead_letters_and_revisions_read_back_what_version_1_wrote() -> None:
    letter = DeadLetter(1, "a", "rejected", "not_json", "d", "", 0, "uplinks", 1, 2, 0, b"x")
    request = RevisionRequest(1, 2, 3, 4, 5, 6, "late")

    assert encode_dead_letter(letter).hex() == LETTER_BYTES
    assert decode_dead_letter(bytes.fromhex(LETTER_BYTES)) == letter
    assert encode_revision(request).hex() == REVISION_BYTES
    assert decode_revision(bytes.fromhex(REVISION_BYTES)) == request


def test_a_letter_that_came_of_a_replay_names_the_first_and_all_others_keep_their_bytes() -> None:
    again = DeadLetter(1, "a", "rejected", "not_json", "d", "", 0, "uplinks", 1, 2, 0, b"", replay_of="07a89c77")

    assert decode_dead_letter(encode_dead_letter(again)) == again
    assert b"replay_of" not in bytes.fromhex(LETTER_BYTES)


def test_every_reason_says_what_it_means_and_what_to_do_in_a_sentence_each() -> None:
    assert set(TEXTS) == set(RejectReason)
    for reason, text in TEXTS.items():
        for sentence in (text.meaning, text.what_to_do):
            assert sentence[0].isupper(), reason
            assert sentence.endswith("."), reason
            assert sentence.count(". ") == 0, reason


def test_a_letter_or_revision_of_another_version_is_refused() -> None:
    for pinned, decode in ((LETTER_BYTES, decode_dead_letter), (REVISION_BYTES, decode_revision)):
        newer = bytes.fromhex(pinned).replace(b"/1", b"/2", 1)

        with pytest.raises(msgspec.ValidationError, match="Invalid value"):
            decode(newer)


def test_an_event_reads_to_its_subscribers_as_it_always_has() -> None:
    alert = AlertData(
        "f5d3de48-fc8b-5a31-9b51-1cc966d912a8",
        1,
        "temperature",
        "critical",
        3,
        4,
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:10:00.000Z",
        None,
        band="warm",
        side="high",
        limit_celsius=8.0,
    )
    event = Event(EventName.ALERT_TRIGGERED, "e7", 1, 2, 3, msgspec.Raw(msgspec.json.encode(alert)))

    assert msgspec.json.encode(event) == EVENT_BYTES
    assert msgspec.json.decode(msgspec.json.decode(EVENT_BYTES, type=Event).data, type=AlertData) == alert


def test_codes_that_are_stored_or_shown_never_change_their_meaning() -> None:
    pinned = json.loads(CODES_FILE.read_text())

    assert {kind.name: kind.value for kind in RowKind} == pinned["row_kinds"]
    assert {reason.value: code for reason, code in CODES.items()} == pinned["reasons"]
    assert [state.value for state in SEVERITY_ORDER] == pinned["unit_states"], "snapshots keep states by their place in this order"
    assert set(CODES) == set(RejectReason)


def test_the_worst_state_wins_and_nothing_known_is_unknown() -> None:
    assert worst([UnitState.IN_RANGE, UnitState.EXCURSION, UnitState.OFFLINE]) is UnitState.EXCURSION
    assert worst([]) is UnitState.UNKNOWN
    assert SEVERITY_ORDER[0] is UnitState.IN_RANGE
