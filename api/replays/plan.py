"""What is to be done about the letters of one uplink: whether it is written again, with what, and what it would become. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from api.ingest.device import Device as FoundDevice
from api.ingest.device import find_device
from api.replays.letters import Letter
from pipelines.domain.decoders.message import TtnMessage, parse_message
from pipelines.domain.prospect import Prospect, prospect
from pipelines.domain.registered import Device
from schemas.reason_texts import TEXTS
from schemas.uplinks import Headers, replay_headers


class Status(StrEnum):
    """What became of asking for a replay of one letter."""

    WOULD_REPLAY = "would_replay"
    REPLAYED = "replayed"
    ALREADY_REPLAYED = "already_replayed"
    NOT_MENDED = "not_mended"
    BYTES_GONE = "bytes_gone"
    CAME_OF_A_REPLAY = "came_of_a_replay"
    UNDER_WAY = "under_way"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Source:
    """An uplink's bytes, and what ingest knew of it."""

    raw: bytes
    application: str
    received_at: int
    """ms UTC: when it first came."""


@dataclass(frozen=True, slots=True)
class ToWrite:
    """A record of `uplinks`."""

    partition: int
    key: bytes
    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done about the letters of one uplink."""

    letters: tuple[Letter, ...]
    status: Status
    message: str
    becomes: Prospect | None = None
    record: ToWrite | None = None


Registered = Mapping[tuple[int, str], Device]
Applications = set[tuple[int, str]]
Stored = Mapping[tuple[int, int], int | None]
"""Temperature (hundredths) stored by sensor and measured_at (ms UTC); None in a row without one."""


def refused(letters: Sequence[Letter], *, again: bool) -> Planned | None:
    """Return why an uplink is not replayed whatever its bytes say, or None."""
    came = next((letter for letter in letters if letter.replay_of is not None), None)
    if came is not None:
        return Planned(tuple(letters), Status.CAME_OF_A_REPLAY, f"It came of a replay: replay the first letter, {came.replay_of}.")
    if any(letter.under_way for letter in letters):
        return Planned(tuple(letters), Status.UNDER_WAY, "It is being replayed right now.")
    if any(letter.attempts for letter in letters) and not again:
        return Planned(tuple(letters), Status.ALREADY_REPLAYED, "It was replayed before: ask for it again if you mean it.")
    return None


def eui_of(source: Source) -> str | None:
    """Return the device EUI that a body names, in upper case, or None."""
    found = find_device(source.raw)
    return found.dev_eui.upper() if isinstance(found, FoundDevice) else None


def planned(letters: Sequence[Letter], source: Source | None, devices: Registered, applications: Applications) -> Planned:
    """Return what a replay of an uplink would come to with this registry; `source` is None where its bytes are gone."""
    if source is None:
        return Planned(tuple(letters), Status.BYTES_GONE, "Its bytes are neither in the letter nor in the log any longer.")
    first = min(letters, key=lambda letter: letter.part)
    found = find_device(source.raw)
    if isinstance(found, FoundDevice):
        partition, key = found.partition, found.dev_eui.encode()
    elif not first.never_reached_uplinks:
        partition, key = first.partition, first.dev_eui.encode()
    else:
        return Planned(
            tuple(letters), Status.NOT_MENDED, f"It still cannot be put among the uplinks ({found.reason.value}: {found.detail})."
        )
    application = application_of(source, first.organization, applications)
    device = devices.get((first.organization, eui_of(source) or ""))
    becomes = prospect(source.raw, application, source.received_at, device)
    if not becomes.is_better:
        return Planned(tuple(letters), Status.NOT_MENDED, not_mended(becomes), becomes)
    headers = replay_headers(first.organization, application, replay_of=str(first.id), received_at=source.received_at)
    return Planned(tuple(letters), Status.WOULD_REPLAY, would(becomes), becomes, ToWrite(partition, key, source.raw, headers))


def application_of(source: Source, organization: int, applications: Applications) -> str:
    """Return the application an uplink is replayed under: the one its body names, once that has a secret of this organization."""
    message = parse_message(source.raw)
    named = message.application_id if isinstance(message, TtnMessage) else None
    return named if named is not None and (organization, named) in applications else source.application


def held_to_stored(plan: Planned, stored: Stored) -> Planned:
    """Return the plan, given up where all that it would store stands already."""
    if plan.becomes is None or plan.status is not Status.WOULD_REPLAY or plan.becomes.ended_as != "stored":
        return plan
    values = [reading for reading in plan.becomes.readings if reading.fault is None]
    places = [(reading.sensor, reading.measured_at) for reading in values]
    if not all(
        place in stored and (stored[place] is not None or reading.temperature is None)
        for place, reading in zip(places, values, strict=True)
    ):
        return plan
    same = all(reading.temperature in (None, stored[place]) for place, reading in zip(places, values, strict=True))
    text = "All of it is stored already." if same else "Another value is stored already for that sensor and time, and the first one stays."
    becomes = replace(plan.becomes, ended_as="duplicate", detail=text)
    return replace(plan, status=Status.NOT_MENDED, message=text, becomes=becomes, record=None)


def not_mended(becomes: Prospect) -> str:
    """Say how an uplink would end again, and what to do about it."""
    if becomes.reason is None:
        return f"It would end as {becomes.ended_as} again."
    return f"It would end as {becomes.ended_as} again ({becomes.reason.value}: {becomes.detail}). {TEXTS[becomes.reason].what_to_do}"


def would(becomes: Prospect) -> str:
    """Say what a replay would leave."""
    values = sum(1 for reading in becomes.readings if reading.fault is None)
    if values:
        return f"Would store {values} reading{'s' if values > 1 else ''}."
    return "Would be understood; there is nothing to store in it."
