"""Requests of a sensor are merged, wait for a pause and for the store, and are kept over a restart."""

import msgspec
import pytest

from pipelines.connectors.errors import Misconfigured
from pipelines.engine.revision_logic import RevisionLogic, StoredOffsets, read_snapshot
from pipelines.engine.revision_queue import LONGEST_SECONDS, PAUSE_SECONDS, RevisionQueue
from pipelines.engine.source import Batch, Record
from schemas.revisions import RevisionRequest, encode_revision


def request(sensor: int, measured_from: int, offset: int, clock: int = 0) -> RevisionRequest:
    """Return a request of partition 3."""
    return RevisionRequest(sensor, 10 * sensor, 1, measured_from, 3, offset, "late", clock)


def test_requests_of_one_sensor_become_one_revision_from_the_earliest_reading_as_of_the_newest_offset() -> None:
    queue = RevisionQueue({}, 0.0)

    for one in (request(7, 500, 20, 900), request(7, 300, 25, 950), request(8, 100, 21), request(7, 400, 30, 940)):
        queue.add(one, 0.0)

    due = {one.sensor: one for one in queue.due(100, PAUSE_SECONDS, 10)}
    assert (due[7].measured_from, due[7].offset, due[7].clock) == (300, 30, 950)
    assert set(due) == {7, 8}
    assert not len(queue)


def test_a_revision_waits_until_its_newest_reading_is_stored() -> None:
    queue = RevisionQueue({}, 0.0)
    queue.add(request(7, 500, 20), 0.0)

    assert queue.due(19, 100.0, 10) == []
    assert [one.sensor for one in queue.due(20, 100.0, 10)] == [7]


def test_a_revision_waits_for_a_pause_and_no_longer_than_its_bound() -> None:
    queue, now = RevisionQueue({}, 0.0), 0.0
    queue.add(request(7, 500, 20), now)

    while now + PAUSE_SECONDS / 2 < LONGEST_SECONDS:
        now += PAUSE_SECONDS / 2
        queue.add(request(7, 500, 20), now)
        assert queue.due(20, now, 10) == []

    assert [one.sensor for one in queue.due(20, LONGEST_SECONDS, 10)] == [7]


def test_no_more_are_handed_on_than_asked_for_and_those_that_wait_longest_come_first() -> None:
    queue = RevisionQueue({}, 0.0)
    for place, sensor in enumerate((5, 3, 4)):
        queue.add(request(sensor, 0, 1), float(place))

    assert [one.sensor for one in queue.due(1, 60.0, 2)] == [5, 3]
    assert [one.sensor for one in queue.due(1, 60.0, 2)] == [4]


def test_what_waits_is_kept_over_a_restart() -> None:
    offsets = StoredOffsets(None)  # type: ignore[arg-type]
    logic = RevisionLogic(offsets, None)
    logic.on_batch([Batch(3, [Record(0, 0, [], encode_revision(request(7, 500, 20, 900)))])])

    kept = read_snapshot(logic.snapshot())

    assert (kept[7].measured_from, kept[7].offset, kept[7].clock) == (500, 20, 900)
    assert RevisionLogic(offsets, logic.snapshot()).notify_at() is not None
    assert RevisionLogic(offsets, None).notify_at() is None


@pytest.mark.parametrize("content", [b"", b"\x93", msgspec.msgpack.encode((2, {}))])
def test_a_snapshot_of_another_version_or_a_damaged_one_stops_the_flow(content: bytes) -> None:
    with pytest.raises(Misconfigured, match="snapshot of revise_excursions"):
        read_snapshot(content)
