"""The story of a device EUI: its rows become facts, the facts a verdict, and the newest of what came one list by time."""

from datetime import datetime
from typing import Any, Final

from api.database import Database, Row
from api.parameters import EPOCH, MICROSECOND, now
from api.queries.ends import dead_letters
from api.queries.readings import latest_of_sensors, reason_name
from api.queries.stories import StoryRows, story_rows
from api.shapes import DeadLetterAnswer, DeviceAnswer, LatestAnswer
from api.story_shapes import (
    StoryAnswer,
    StoryAssignmentAnswer,
    StoryEndAnswer,
    StoryEntryAnswer,
    StoryPolicyAnswer,
    StorySensorAnswer,
    VerdictAnswer,
)
from pipelines.domain.prospect import prospect
from pipelines.domain.story import DeviceFacts, LastLetter, SensorFacts, verdict
from schemas.events import UnitState
from schemas.reason_texts import text_of

RECENT: Final = 50
"""Entries of the list."""


async def story(database: Database, scope: list[int], organization: int, eui: str) -> StoryAnswer:
    """Return the story of a device in one organization; `scope` are all of the caller's, `eui` is in upper case."""
    rows = await story_rows(database, scope, organization, eui, recent=RECENT)
    latest = await latest_of_sensors(database, [organization], [row["id"] for row in rows.sensors])
    letters = await dead_letters(database, [organization], limit=RECENT, dev_eui=eui)
    as_of = now()
    ends = ends_of(rows)
    probes = probes_heard(rows)
    facts = facts_of(rows, letters, ends, probes, as_of)
    found = verdict(facts)
    return StoryAnswer(
        dev_eui=eui,
        organization=organization,
        as_of=as_of,
        verdict=VerdictAnswer(code=found.code, healthy=found.healthy, sentence=found.sentence, what_to_do=found.what_to_do),
        device=None if rows.device is None else DeviceAnswer(**rows.device),
        last_heard_at=max((end.last_at for end in ends), default=None),
        offline_since=None if rows.offline is None else rows.offline["started_at"],
        sensors=[sensor_of(row, rows.assignments, latest.get(row["id"])) for row in rows.sensors],
        probes_heard=list(probes),
        ends=ends,
        waiting_letters=sum(row["waiting"] for row in rows.letters),
        recent=recent_of(rows.readings, letters),
    )


def ends_of(rows: StoryRows) -> list[StoryEndAnswer]:
    """Return how the device's uplinks ended, the newest way first; where nothing was stored of late, the newest value still counts as heard."""
    ends: list[StoryEndAnswer] = []
    latest = max((row["latest_at"] for row in rows.sensors if row["latest_at"] is not None and row["reason"] is None), default=None)
    if rows.stored is not None and (rows.stored["uplinks"] or latest is not None):
        last_at = max(at for at in (rows.stored["last_at"], latest) if at is not None)
        ends.append(
            StoryEndAnswer(ended_as="stored", reason=None, uplinks=rows.stored["uplinks"], since=rows.stored["since"], last_at=last_at)
        )
    for row in rows.letters:
        ends.append(StoryEndAnswer(**{name: row[name] for name in ("ended_as", "reason", "uplinks", "since", "last_at")}))
    for row in rows.traceless:
        ends.append(StoryEndAnswer(ended_as=row["ended_as"], reason=None, uplinks=row["uplinks"], since=None, last_at=row["last_at"]))
    return sorted(ends, key=lambda end: end.last_at, reverse=True)


def probes_heard(rows: StoryRows) -> tuple[str, ...]:
    """Return what the newest dead letter with bytes is decoded to today."""
    if rows.newest_bytes is None:
        return ()
    found = prospect(bytes(rows.newest_bytes["raw"]), rows.newest_bytes["application_id"], rows.newest_bytes["received_ms"], None)
    return found.probes


def facts_of(
    rows: StoryRows, letters: list[DeadLetterAnswer], ends: list[StoryEndAnswer], probes: tuple[str, ...], as_of: datetime
) -> DeviceFacts:
    """Return what the verdict is made of."""
    newest = next((letter for letter in letters if letter.replay_of is None and not was_mended(letter)), None)
    holds = {row["sensor_id"]: row for row in rows.assignments if row["holds"]}
    patience = [row["offline_after_ms"] for row in rows.sensors if row["offline_after_ms"] is not None]
    return DeviceFacts(
        as_of=ms(as_of),
        is_registered=rows.device is not None,
        elsewhere=rows.elsewhere,
        sensors=tuple(
            SensorFacts(
                probe=row["probe"],
                unit_name=holds[row["id"]]["unit_name"] if row["id"] in holds else None,
                has_policy=row["id"] not in holds or holds[row["id"]]["policy_name"] is not None,
                latest_at=None if row["latest_at"] is None else ms(row["latest_at"]),
                latest_fault=reason_name(row["reason"]),
            )
            for row in rows.sensors
        ),
        heard=sum(end.uplinks for end in ends),
        last_heard_at=max((ms(end.last_at) for end in ends), default=None),
        offline_since=None if rows.offline is None else ms(rows.offline["started_at"]),
        offline_after_ms=max(patience, default=None),
        letter=None if newest is None else LastLetter(ms(newest.received_at), newest.reason, newest.detail),
        probes_heard=probes,
        waiting={row["reason"]: row["waiting"] for row in rows.letters if row["waiting"]},
    )


def was_mended(letter: DeadLetterAnswer) -> bool:
    """Return whether a replay of a letter ended well."""
    return letter.replay is not None and letter.replay.outcome in ("stored", "duplicate", "no_reading")


def sensor_of(row: Row, assignments: list[Row], latest: LatestAnswer | None) -> StorySensorAnswer:
    """Return a sensor with its newest value that is believed, its assignments, the newest first, and the policy of the unit it watches now."""
    own = [one for one in assignments if one["sensor_id"] == row["id"]]
    now_held = next((one for one in own if one["holds"] and one["policy_name"] is not None), None)
    return StorySensorAnswer(
        sensor=row["id"],
        probe=row["probe"],
        state=UnitState(row["state"] or UnitState.UNKNOWN),
        latest_at=None if latest is None else latest.received_at,
        latest_celsius=None if latest is None else latest.temperature_celsius,
        latest_fault=None if latest is None else latest.fault,
        assignments=[
            StoryAssignmentAnswer(
                unit=one["unit_id"],
                unit_name=one["unit_name"],
                site=one["site_id"],
                site_name=one["site_name"],
                start=one["valid_from"],
                end=one["valid_to"],
            )
            for one in own
        ],
        policy=None if now_held is None else StoryPolicyAnswer(name=now_held["policy_name"], version=now_held["policy_version"]),
    )


def recent_of(readings: list[Row], letters: list[DeadLetterAnswer]) -> list[StoryEntryAnswer]:
    """Return readings and dead letters in one list, newest received first; a fault mark stands with its own letter."""
    entries = []
    by_place = {(letter.partition, letter.offset, letter.reason): letter for letter in letters}
    with_reading = set()
    for row in readings:
        fault = reason_name(row["reason"])
        letter = by_place.get((row["uplink_partition"], row["uplink_offset"], fault or ""))
        if letter is not None:
            with_reading.add(letter.id)
        entries.append(_of_reading(row, fault, letter))
    entries += [_of_letter(letter) for letter in letters if letter.id not in with_reading]
    return sorted(entries, key=lambda entry: entry.received_at, reverse=True)[:RECENT]


def _of_reading(row: Row, fault: str | None, letter: DeadLetterAnswer | None) -> StoryEntryAnswer:
    values: dict[str, Any] = {"sensor": row["sensor_id"], "unit": row["unit_id"], "late": row["late"]}
    value = celsius(row["temperature"])
    if fault is not None:
        sentence = letter.detail if letter is not None else text_of(fault).meaning
    elif value is None:
        sentence = "Values without a temperature were stored."
    else:
        sentence = f"{value:.2f} degrees were stored{', late' if row['late'] else ''}.{_corrected_to(row)}"
    return StoryEntryAnswer(
        received_at=row["received_at"],
        measured_at=row["measured_at"],
        ended_as="stored" if fault is None else "rejected",
        reason=fault,
        sentence=sentence,
        temperature_celsius=celsius(row["corrected_temperature"]) if row["is_corrected"] else value,
        letter=None if letter is None else letter.id,
        replay=None if letter is None else letter.replay,
        **values,
    )


def _corrected_to(row: Row) -> str:
    """Return what a correction has made of a stored temperature, as a sentence; nothing where none did."""
    if not row["is_corrected"] or row["corrected_temperature"] == row["temperature"]:
        return ""
    match row["mark"]:
        case "flagged":
            return " A correction says that it is not to be believed."
        case "deleted" | "unassigned":
            return " A correction leaves it out."
        case _:
            corrected = celsius(row["corrected_temperature"])
            return " A correction says that it cannot be true." if corrected is None else f" A correction makes them {corrected:.2f}."


def _of_letter(letter: DeadLetterAnswer) -> StoryEntryAnswer:
    return StoryEntryAnswer(
        received_at=letter.received_at,
        measured_at=None,
        ended_as=letter.kind,
        reason=letter.reason,
        sentence=letter.detail or letter.meaning,
        sensor=None,
        unit=None,
        temperature_celsius=None,
        late=False,
        letter=letter.id,
        replay=letter.replay,
    )


def celsius(hundredths: int | None) -> float | None:
    """Return degrees Celsius."""
    return None if hundredths is None else hundredths / 100


def ms(instant: datetime) -> int:
    """Return an instant as ms UTC."""
    return (instant - EPOCH) // MICROSECOND // 1_000
