"""Each checker proves itself: one fault planted into a recorded world, and exactly that is named."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import msgspec
import psycopg
import pytest

from infra.simulator.journal import JournalLine
from pipelines.domain.instants import format_instant
from schemas.events import Event, EventName, ReadingData
from schemas.ids import condition_id, excursion_id
from tests.faults.checker.evidence import Seen, Version, Via
from tests.faults.checker.excursions import check_histories
from tests.faults.checker.findings import Kind
from tests.faults.recorded import (
    BEGIN,
    INSERT_READING,
    MINUTE,
    SILENT,
    SILENT_FROM,
    WARM,
    World,
    alert_of_excursion,
    alert_of_offline,
    the_excursion,
)

ID = str(excursion_id(1, "warm", the_excursion().started_at))
FIRST = f"to_timestamp({BEGIN} / 1000.0)"
Plant = Callable[[World], None]


def without(world: World, told: str, *vias: str) -> None:
    """Take what was told of something off the tape."""
    unwanted = [f'"via":"{via}"'.encode() for via in vias]
    lines = world.tape.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if told.encode() not in line or not any(via in line for via in unwanted)]
    world.tape.write_bytes(b"".join(kept))


def a_reading_is_deleted(world: World) -> None:
    world.execute(f"DELETE FROM readings WHERE sensor_id = 1 AND measured_at = {FIRST}")


def an_end_is_missing(world: World) -> None:
    world.execute("UPDATE uplink_ends SET uplinks = uplinks - 1")


def an_end_is_counted_twice(world: World) -> None:
    world.execute("UPDATE uplink_ends SET uplinks = uplinks + 1")


def a_foreign_reading_is_stored(world: World) -> None:
    world.execute(INSERT_READING, {"sensor": 2, "at": BEGIN + 500, "offset": 999, "temperature": 250})


def a_value_is_changed(world: World) -> None:
    world.execute(f"UPDATE readings SET temperature = 401 WHERE sensor_id = 1 AND measured_at = {FIRST}")


def an_excursion_is_deleted(world: World) -> None:
    for table in ("current_excursions", "excursion_versions"):
        world.execute(f"DELETE FROM {table}")
    without(world, ID, Via.ALERTING, Via.WEBSOCKET)


def an_excursion_nobody_caused(world: World) -> None:
    one = the_excursion()
    invented = msgspec.structs.replace(one, started_at=one.started_at + 30 * MINUTE, opened_at=one.opened_at + 30 * MINUTE, closed_at=None)
    world.excursion(1, invented, closed=False)
    world.tell(alert_of_excursion(1, invented, closed=False), invented.opened_at + 300)


def an_excursion_ends_at_another_time(world: World) -> None:
    for table in ("current_excursions", "excursion_versions"):
        world.execute(f"UPDATE {table} SET ended_at = ended_at + interval '1 ms' WHERE ended_at IS NOT NULL")


def a_figure_is_other(world: World) -> None:
    world.execute("UPDATE excursion_versions SET samples = samples + 1 WHERE version = 2")


def a_version_is_repeated(world: World) -> None:
    one = the_excursion()
    world.execute(
        "CREATE TEMP TABLE again ON COMMIT DROP AS SELECT * FROM excursion_versions WHERE version = 2; UPDATE again SET version = 3; "
        "INSERT INTO excursion_versions SELECT * FROM again; UPDATE current_excursions SET version = 3",
    )
    world.tell(msgspec.structs.replace(alert_of_excursion(1, one, closed=True), version=3), (one.closed_at or 0) + 400)


def an_alert_is_told_under_two_cursors(world: World) -> None:
    world.tell(alert_of_offline(2, SILENT_FROM), SILENT_FROM + 2_600)


def an_alert_is_told_late(world: World) -> None:
    without(world, "offline", Via.ALERTING, Via.WEBSOCKET)
    world.tell(alert_of_offline(2, SILENT_FROM), SILENT_FROM + 4_100)


def an_alert_is_never_told(world: World) -> None:
    without(world, "offline", Via.ALERTING, Via.WEBSOCKET)


def a_connected_client_misses_an_alert(world: World) -> None:
    without(world, "offline", Via.WEBSOCKET)


def an_alert_of_nothing_is_told(world: World) -> None:
    world.tell(alert_of_offline(1, BEGIN + 40 * MINUTE), BEGIN + 40 * MINUTE + 2_500)


def an_alert_says_other_than_its_record(world: World) -> None:
    without(world, "offline", Via.ALERTING, Via.WEBSOCKET)
    told = alert_of_offline(2, SILENT_FROM)
    world.tell(msgspec.structs.replace(told, started_at="2026-09-21T00:00:00.000Z"), SILENT_FROM + 2_500)


def a_device_that_sends_is_offline(world: World) -> None:
    world.offline(1, 1, BEGIN + 40 * MINUTE)
    world.tell(alert_of_offline(1, BEGIN + 40 * MINUTE), BEGIN + 40 * MINUTE + 2_500)


def a_silence_is_missed(world: World) -> None:
    world.execute("DELETE FROM condition_events")
    without(world, "offline", Via.ALERTING, Via.WEBSOCKET)


def an_event_stays_in_the_outbox(world: World) -> None:
    world.execute(
        "INSERT INTO outbox (flow, cell, organization_id, site_id, unit_id, event, data) "
        "VALUES ('detect_excursions', '0-31', 1, 1, 1, 'alert:triggered', '{}')",
    )


def a_reading_nobody_sent_is_told(world: World) -> None:
    tell_reading(world, BEGIN + 500, 4.0)


def a_reading_is_told_with_another_value(world: World) -> None:
    tell_reading(world, BEGIN, 4.01)


def an_uplink_is_counted_as_stored_that_was_a_repeat(world: World) -> None:
    tried_twice(world)
    world.execute("UPDATE uplink_ends SET uplinks = uplinks + 1")


def an_uplink_is_counted_as_a_repeat_that_was_stored(world: World) -> None:
    world.execute("UPDATE uplink_ends SET uplinks = uplinks - 1")
    world.execute("INSERT INTO uplink_ends VALUES (0, 1, 'duplicate', 0, 1)")


def a_dead_letter_is_missing(world: World) -> None:
    with world.journal.open("ab") as file:
        file.write(msgspec.json.encode(JournalLine("garbage", "", 0, 0, None, BEGIN, 1)) + b"\n")
    world.execute("INSERT INTO uplink_ends VALUES (0, 1, 'rejected', 1, 1)")


def an_offline_condition_is_repeated(world: World) -> None:
    world.offline(2, 2, SILENT_FROM)
    world.tell(msgspec.structs.replace(alert_of_offline(2, SILENT_FROM), version=2), SILENT_FROM + 2_600)


def a_device_is_back_when_it_sent_nothing(world: World) -> None:
    back_at = SILENT_FROM + MINUTE
    world.offline(2, 2, SILENT_FROM, back_at)
    world.tell(msgspec.structs.replace(alert_of_offline(2, SILENT_FROM), version=2, closed_at=format_instant(back_at)), back_at + 300)


def a_version_is_missing(world: World) -> None:
    one = the_excursion()
    world.execute("UPDATE excursion_versions SET version = 3 WHERE version = 2")
    world.execute("UPDATE current_excursions SET version = 3")
    without(world, '"closed_at":"', Via.ALERTING, Via.WEBSOCKET)
    world.tell(msgspec.structs.replace(alert_of_excursion(1, one, closed=True), version=3), (one.closed_at or 0) + 300)


def a_history_has_a_reason_that_nothing_gave(world: World) -> None:
    world.execute("UPDATE excursion_versions SET reason = 'late' WHERE version = 2")


def tell_reading(world: World, measured_at: int, celsius: float) -> None:
    """Let a reading of the warm device be told."""
    instant = format_instant(measured_at)
    data = msgspec.Raw(msgspec.json.encode(ReadingData(1, 1, instant, instant, celsius)))
    event = Event(EventName.READING.value, "r1", 1, 1, 1, data)
    world.see(Seen(Via.WEBSOCKET, measured_at + 200, event=msgspec.Raw(msgspec.json.encode(event))))


def tried_twice(world: World) -> None:
    """Let the sender have tried its first uplink twice."""
    first, *rest = world.journal.read_bytes().splitlines(keepends=True)
    twice = msgspec.structs.replace(msgspec.json.decode(first, type=JournalLine), tries=2)
    world.journal.write_bytes(msgspec.json.encode(twice) + b"\n" + b"".join(rest))


OFFLINE = f"{condition_id(2, 'offline', SILENT_FROM)} version 1"
EXCURSION = f"excursion {ID} of sensor 1, band warm"
STARTED = the_excursion().started_at

PLANTED: list[tuple[Plant, str]] = [
    (a_reading_is_deleted, f"lost: reading {WARM}@{BEGIN} (400) was acknowledged and is not stored"),
    (an_end_is_missing, "lost: 75 uplinks ended, 76 were acknowledged"),
    (an_end_is_counted_twice, "doubled: 77 uplinks ended, 76 were acknowledged in 76 tries"),
    (a_foreign_reading_is_stored, f"phantom: reading {SILENT}@{BEGIN + 500} (250) was never sent"),
    (a_value_is_changed, f"wrong: reading {WARM}@{BEGIN} is stored as 401, sent was 400"),
    (an_uplink_is_counted_as_stored_that_was_a_repeat, "doubled: 77 uplinks are counted as stored, 76 readings are there to be"),
    (an_uplink_is_counted_as_a_repeat_that_was_stored, "lost: 75 uplinks are counted as stored, 76 readings are there"),
    (a_dead_letter_is_missing, "lost: 1 uplinks of kind garbage, 0 dead letters rejected"),
    (an_excursion_is_deleted, f"lost: excursion (1, 'warm', {STARTED}, "),
    (an_excursion_nobody_caused, f"phantom: excursion (1, 'warm', {STARTED + 30 * MINUTE}, "),
    (an_excursion_ends_at_another_time, f"wrong: excursion (1, 'warm', {STARTED}, "),
    (a_figure_is_other, f"wrong: excursion (1, 'warm', {STARTED}, "),
    (a_version_is_repeated, f"doubled: {EXCURSION}: version [3] says what the one before says"),
    (a_version_is_missing, f"lost: {EXCURSION}: versions [1, 3] have a hole"),
    (a_history_has_a_reason_that_nothing_gave, f"wrong: {EXCURSION}: its history is ['opened', 'late']"),
    (a_reading_nobody_sent_is_told, f"phantom: reading {WARM}@{BEGIN + 500} was told and never sent"),
    (a_reading_is_told_with_another_value, f"wrong: reading {WARM}@{BEGIN} was told as 401, sent was 400"),
    (an_alert_is_told_under_two_cursors, f"doubled: {OFFLINE} was told as ['e3', 'e4']"),
    (an_alert_is_told_late, f"late: {OFFLINE} of {SILENT_FROM} was told 4100 ms later"),
    (an_alert_is_never_told, f"lost: {OFFLINE} is recorded and was never told"),
    (a_connected_client_misses_an_alert, f"lost: {OFFLINE} was told at {SILENT_FROM + 2_500}, and a connected client did not see it"),
    (an_alert_of_nothing_is_told, f"phantom: {condition_id(1, 'offline', BEGIN + 40 * MINUTE)} version 1 was told and is not recorded"),
    (an_alert_says_other_than_its_record, f"wrong: {OFFLINE} was told as ('2026-09-21T00:00:00.000Z', None, None), recorded is ("),
    (
        a_device_that_sends_is_offline,
        f"phantom: device {WARM} is offline from {BEGIN + 40 * MINUTE}, and sent 9 times in the 600000 ms before",
    ),
    (an_offline_condition_is_repeated, f"doubled: device {SILENT}: version 2 repeats that it is offline from {SILENT_FROM}"),
    (a_device_is_back_when_it_sent_nothing, f"wrong: device {SILENT} is back from {SILENT_FROM + MINUTE}, when it sent nothing"),
    (a_silence_is_missed, f"lost: device {SILENT} was silent from {BEGIN + 19 * MINUTE} to "),
    (an_event_stays_in_the_outbox, "lost: 1 events are still in the outbox"),
]


def test_a_world_that_agrees_with_itself_has_no_findings(world: World) -> None:
    findings = world.findings()

    assert findings.findings == []
    assert (findings.acknowledged, findings.readings, findings.excursions, findings.told, findings.late_sensors) == (76, 76, 1, 3, 0)


@pytest.mark.parametrize(("plant", "named"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_fault_is_named_and_nothing_else(world: World, plant: Plant, named: str) -> None:
    plant(world)

    told = {str(finding).replace(" (websocket)", "").replace(" (alerting)", "") for finding in world.findings().findings}

    assert len(told) == 1, told
    assert told.pop().startswith(named)


def test_a_delay_within_a_fault_is_not_late_and_one_long_after_it_is(world: World) -> None:
    an_alert_is_told_late(world)
    faults = world.folder / "faults.jsonl"

    def findings_with(began_at: int, healed_at: int) -> list[str]:
        faults.write_bytes(b'{"kind":"kill","part":"api","began_at":%d,"healed_at":%d}\n' % (began_at, healed_at))
        return [finding.kind.value for finding in world.findings(faults).findings]

    assert findings_with(SILENT_FROM + 1_000, SILENT_FROM + 2_000) == []
    assert findings_with(SILENT_FROM + 9_000, SILENT_FROM + 10_000) == ["late"]


def test_the_clock_stands_as_long_again_as_ticks_were_away_and_they_come_later_than_the_api(world: World) -> None:
    an_alert_is_told_late(world)
    faults = world.folder / "faults.jsonl"

    def findings_with(part: str, began_at: int, healed_at: int) -> list[str]:
        faults.write_bytes(b'{"kind":"kill","part":"%s","began_at":%d,"healed_at":%d}\n' % (part.encode(), began_at, healed_at))
        return [finding.kind.value for finding in world.findings(faults).findings]

    # 2 s away, the first tick 6 s later, and the clock stands for 8 s more: 14 s after the heal.
    assert findings_with("api", SILENT_FROM - 15_000, SILENT_FROM - 13_000) == []
    assert findings_with("api", SILENT_FROM - 17_000, SILENT_FROM - 15_000) == ["late"]
    assert findings_with("store_readings", SILENT_FROM - 7_000, SILENT_FROM - 5_000) == ["late"]


def test_faults_one_after_another_excuse_only_what_happened_in_one_of_them(world: World) -> None:
    without(world, "offline", Via.ALERTING, Via.WEBSOCKET)
    world.tell(alert_of_offline(2, SILENT_FROM), SILENT_FROM + 90_000)
    faults = world.folder / "faults.jsonl"
    chain = [(SILENT_FROM + 1_000 + 30_000 * place, SILENT_FROM + 2_000 + 30_000 * place) for place in range(4)]
    faults.write_bytes(b"".join(b'{"kind":"kill","part":"api","began_at":%d,"healed_at":%d}\n' % one for one in chain))

    assert [finding.kind.value for finding in world.findings(faults).findings] == ["late"]


def test_delays_are_told_with_the_bound_that_held_them(world: World) -> None:
    faults = world.folder / "faults.jsonl"
    faults.write_bytes(b'{"kind":"kill","part":"api","began_at":%d,"healed_at":%d}\n' % (SILENT_FROM + 1_000, SILENT_FROM + 2_000))

    delays = sorted((delay.ms, delay.is_undisturbed) for delay in world.findings(faults).delays)

    assert delays == [(300, True), (300, True), (2_500, False)]


def test_a_fetch_told_long_after_an_alert_was_due_does_not_excuse_that_it_was_not_seen(world: World) -> None:
    a_connected_client_misses_an_alert(world)
    at = SILENT_FROM + 2_500

    world.see(Seen(Via.LINE, at + 5_000, note="resync"))
    assert [finding.kind.value for finding in world.findings().findings] == ["lost"]
    world.see(Seen(Via.LINE, at + 3_000, note="resync"))
    assert world.findings().findings == []


def test_sensors_with_a_late_reading_are_compared_as_all_others(world: World) -> None:
    a_figure_is_other(world)
    world.execute(f"UPDATE readings SET late = true WHERE sensor_id = 1 AND measured_at = {FIRST}")

    findings = world.findings()

    assert (findings.late_sensors, findings.sensors) == (1, 2)
    assert [finding.kind.value for finding in findings.findings] == ["wrong"]


def test_a_sensor_that_was_judged_again_may_have_a_longer_history_and_be_told_late(world: World) -> None:
    a_history_has_a_reason_that_nothing_gave(world)
    assert [finding.kind.value for finding in world.findings().findings] == ["wrong"]

    world.see(Seen(Via.REVISIONS, BEGIN, sensor=1))

    assert world.findings().findings == []


def test_a_second_try_without_an_answer_may_be_counted_as_a_duplicate(world: World) -> None:
    tried_twice(world)
    with psycopg.connect(world.database.url) as connection:
        connection.execute("INSERT INTO uplink_ends VALUES (0, 1, 'duplicate', 0, 1)")

    assert world.findings().findings == []


def test_a_version_that_voids_an_excursion_says_something_new_and_another_one_after_it_does_not() -> None:
    facts = (7, "warm", 0, 0, None, None)
    opened = Version(uuid.UUID(int=1), 1, "opened", 7, "warm", 0, 0, None, None, None, facts)
    void = replace(opened, version=2, reason="void")

    assert list(check_histories([opened, void], {7})) == []
    assert [finding.kind for finding in check_histories([opened, void, replace(void, version=3)], {7})] == [Kind.DOUBLED]
    assert [finding.kind for finding in check_histories([opened, replace(opened, version=2)], {7})] == [Kind.DOUBLED]
