"""Pinned for life: partitions, ids, codes and the bytes of schema version 1. A change here orphans state or unreads the log."""

from collections import Counter

import numpy as np
import pytest

from schemas.dead_letters import DeadLetter, decode_dead_letter, encode_dead_letter
from schemas.events import SEVERITY_ORDER, UnitState, worst
from schemas.ids import condition_id, dead_letter_id, excursion_id
from schemas.partitions import DEVICE_PARTITIONS, device_partition, organization_partition
from schemas.readings import ROW, RowKind, UnreadableRecord, blank_rows, decode_rows, encode_rows
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

    assert encode_dead_letter(letter).hex().startswith("8da474797065ad646561645f6c65747465722f31")
    assert decode_dead_letter(encode_dead_letter(letter)) == letter
    assert encode_revision(request).hex().startswith("88a474797065b27265766973696f6e5f726571756573742f31")
    assert decode_revision(encode_revision(request)) == request


def test_codes_that_are_stored_never_change_their_meaning() -> None:
    assert [kind.value for kind in RowKind] == list(range(8))
    assert RowKind.TICK == 6
    assert CODES[RejectReason.SENTINEL] == 33
    assert CODES[RejectReason.CONFLICTING_DUPLICATE] == 12
    assert len(set(CODES.values())) == len(RejectReason)
    assert max(CODES.values()) < np.iinfo(np.uint8).max


def test_the_worst_state_wins_and_nothing_known_is_unknown() -> None:
    assert worst([UnitState.IN_RANGE, UnitState.EXCURSION, UnitState.OFFLINE]) is UnitState.EXCURSION
    assert worst([]) is UnitState.UNKNOWN
    assert SEVERITY_ORDER[0] is UnitState.IN_RANGE
