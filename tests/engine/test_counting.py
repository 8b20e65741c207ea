"""What flows count of a batch: each uplink once by its end, each reading by its kind, each dead letter by its reason."""

import numpy as np
from prometheus_client import REGISTRY

from pipelines.engine.clock_metrics import since
from pipelines.engine.decoding import DecodedBatch, count
from schemas.dead_letters import DeadLetter
from schemas.readings import RowKind, Rows, blank_rows
from schemas.reasons import RejectReason, code_of_reason, name_of_code


def value(name: str, **labels: str) -> float:
    """Return what a counter stands at."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def rows_of(*kinds: tuple[int, RowKind, RejectReason | None]) -> Rows:
    """Return rows of (offset, kind, reason)."""
    rows = blank_rows(len(kinds))
    rows["offset"] = [offset for offset, _, _ in kinds]
    rows["kind"] = [kind for _, kind, _ in kinds]
    rows["reason"] = [code_of_reason(reason) for _, _, reason in kinds]
    return rows


def letter(reason: RejectReason) -> DeadLetter:
    """Return a dead letter of this reason."""
    return DeadLetter(1, "app", "rejected", reason.value, "", "", 0, "uplinks", 0, 0, 0, b"")


def test_each_uplink_of_a_batch_is_counted_once_by_its_end() -> None:
    rows = rows_of(
        (1, RowKind.READING, None),
        (1, RowKind.FAULT, RejectReason.SENTINEL),
        (2, RowKind.TICK, None),
        (3, RowKind.REJECTED, RejectReason.CLOCK_WRONG),
        (4, RowKind.HEARD, None),
    )
    ends = [("readings", "none"), ("rejected", "clock_wrong"), ("heard", "none"), ("unassigned", "unassigned")]
    before = [value("coldstream_decode_uplinks_total", ended_as=end, reason=reason) for end, reason in ends]

    count(DecodedBatch(0, rows, []), uplinks=3)

    after = [value("coldstream_decode_uplinks_total", ended_as=end, reason=reason) for end, reason in ends]
    assert np.subtract(after, before).tolist() == [1, 1, 1, 0]


def test_readings_are_counted_by_kind_and_dead_letters_by_reason() -> None:
    rows = rows_of((1, RowKind.READING, None), (1, RowKind.READING, None), (1, RowKind.FAULT, RejectReason.SENTINEL))
    kinds = ("reading", "fault", "ancillary")
    before = [value("coldstream_decode_readings_total", kind=kind) for kind in kinds]
    letters = value("coldstream_decode_dead_letters_total", reason="sentinel")

    count(DecodedBatch(0, rows, [letter(RejectReason.SENTINEL)] * 2), uplinks=1)

    assert [value("coldstream_decode_readings_total", kind=kind) - was for kind, was in zip(kinds, before, strict=True)] == [2, 1, 0]
    assert value("coldstream_decode_dead_letters_total", reason="sentinel") - letters == 2


def test_a_code_of_a_newer_version_is_counted_as_unknown() -> None:
    assert [name_of_code(code) for code in (0, code_of_reason(RejectReason.SENTINEL), 255)] == ["none", "sentinel", "unknown"]


def test_an_instant_still_to_come_has_no_age() -> None:
    assert since(1 << 62) == 0
