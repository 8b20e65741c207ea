"""Why a device's sensor shows, or does not: from facts about it to one verdict and what to do, in sentences. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pipelines.domain.assigning import MAIN
from pipelines.domain.instants import format_instant
from schemas.reason_texts import about, text_of
from schemas.reasons import RejectReason


class VerdictCode(StrEnum):
    """Every verdict."""

    NEVER_HEARD = "never_heard"
    NOT_REGISTERED = "not_registered"
    OTHER_ORGANIZATION = "other_organization"
    FOREIGN_APPLICATION = "foreign_application"
    NO_SENSOR = "no_sensor"
    OTHER_PROBES = "other_probes"
    NO_ASSIGNMENT = "no_assignment"
    NO_POLICY = "no_policy"
    UNDECODABLE = "undecodable"
    VALUE_FAULT = "value_fault"
    CLOCK_WRONG = "clock_wrong"
    NOTHING_TO_STORE = "nothing_to_store"
    OFFLINE = "offline"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class SensorFacts:
    """One sensor of the device. Times are ms UTC."""

    probe: str
    unit_name: str | None = None
    """Of the unit it is assigned to now; None for none."""
    has_policy: bool = True
    latest_at: int | None = None
    """When the uplink of its newest value, or fault mark, was received."""
    latest_fault: str | None = None


@dataclass(frozen=True, slots=True)
class LastLetter:
    """The newest dead letter of the device."""

    at: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of a device in one organization. Times are ms UTC."""

    as_of: int
    is_registered: bool = True
    elsewhere: tuple[str, ...] = ()
    """Other organizations of the caller in which it is registered."""
    sensors: tuple[SensorFacts, ...] = ()
    heard: int = 0
    """Uplinks that are known of."""
    last_heard_at: int | None = None
    offline_since: int | None = None
    offline_after_ms: int | None = None
    letter: LastLetter | None = None
    probes_heard: tuple[str, ...] = ()
    """What the newest rejected uplink was decoded to."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Dead letters that were not replayed, by reason."""

    @property
    def last_stored_at(self) -> int | None:
        """When the newest value was received."""
        return max((one.latest_at for one in self.sensors if one.latest_at is not None), default=None)

    @property
    def assigned(self) -> tuple[SensorFacts, ...]:
        """The sensors that watch a unit now."""
        return tuple(one for one in self.sensors if one.unit_name is not None)

    @property
    def trouble(self) -> LastLetter | None:
        """The newest dead letter, where nothing better came after it."""
        letter, stored = self.letter, self.last_stored_at
        return letter if letter is not None and (stored is None or letter.at > stored) else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why, and what to do."""

    code: VerdictCode
    sentence: str
    what_to_do: str

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to do."""
        return self.code is VerdictCode.FINE


AT_TTN: Final = "Look at its live data in The Things Stack's console"


def verdict(facts: DeviceFacts) -> Verdict:
    """Return the one verdict: of several troubles the one that hides the others."""
    if facts.last_heard_at is None:
        return _never_heard(facts)
    trouble = facts.trouble
    if trouble is not None and trouble.reason == RejectReason.FOREIGN_APPLICATION:
        return _foreign(trouble)
    if not facts.is_registered:
        return _not_registered(facts, facts.last_heard_at)
    if not facts.sensors:
        what = f"Add a sensor for its probe and assign it to a unit.{_replay(facts)}"
        return Verdict(VerdictCode.NO_SENSOR, "The device is registered without any sensor.", what)
    silent = _silent(facts, facts.last_heard_at)
    if silent is not None:
        return silent
    if trouble is not None:
        return _of_letter(facts, trouble)
    if facts.last_stored_at is None:
        what = (
            f"{AT_TTN}: it sends joins or status frames only, or its measurements go by another name; check its model and settings there."
        )
        return Verdict(VerdictCode.NOTHING_TO_STORE, "It is heard, and nothing it sent was a measurement.", what)
    return _of_sensors(facts)


def _never_heard(facts: DeviceFacts) -> Verdict:
    if facts.elsewhere and not facts.is_registered:
        names = ", ".join(facts.elsewhere)
        what = "Ask for its story there, or register it here and give its application's webhook a secret of this organization."
        return Verdict(VerdictCode.OTHER_ORGANIZATION, f"Nothing was heard of it here; it is registered in {names}.", what)
    what = f"{AT_TTN}: if it has not joined, check its keys and range; if it sends there, check the webhook's address and secret."
    if facts.is_registered:
        return Verdict(VerdictCode.NEVER_HEARD, "It is registered, and nothing was ever heard of it.", what)
    return Verdict(VerdictCode.NEVER_HEARD, "Nothing was ever heard of it, and it is not registered: is the EUI right?", what)


def _foreign(letter: LastLetter) -> Verdict:
    sentence = f"Its uplinks are refused, for they come by another application's webhook: {letter.detail}."
    return Verdict(VerdictCode.FOREIGN_APPLICATION, sentence, text_of(letter.reason).what_to_do)


def _not_registered(facts: DeviceFacts, last_heard_at: int) -> Verdict:
    heard = f"It was heard {_times(facts.heard)}, last at {format_instant(last_heard_at)}"
    if facts.elsewhere:
        names = ", ".join(facts.elsewhere)
        what = f"Give its application's webhook a secret of {names}, or register the device here.{_replay(facts)}"
        return Verdict(VerdictCode.OTHER_ORGANIZATION, f"{heard}, but is registered in {names} and not here.", what)
    what = f"Register it with a sensor, and assign that to a unit from before its first uplink.{_replay(facts)}"
    return Verdict(VerdictCode.NOT_REGISTERED, f"{heard}, but is not registered in this organization.", what)


def _silent(facts: DeviceFacts, last_heard_at: int) -> Verdict | None:
    """Return the verdict of a device that is offline, or is not judged yet and has been silent for as long."""
    overdue = facts.offline_after_ms is not None and facts.as_of - last_heard_at > facts.offline_after_ms
    if facts.offline_since is None and not overdue:
        return None
    since = "" if facts.offline_since is None else f" and counts as offline since {format_instant(facts.offline_since)}"
    trouble = facts.trouble
    last = "" if trouble is None else f" Its last uplink was no good either ({trouble.reason})."
    what = f"{AT_TTN}: if nothing comes there, check its battery, its place and its gateway; if it does, check the webhook."
    return Verdict(VerdictCode.OFFLINE, f"It was last heard at {format_instant(last_heard_at)}{since}.{last}", what)


def _of_letter(facts: DeviceFacts, letter: LastLetter) -> Verdict:
    """Return the verdict of a device whose newest uplink became a dead letter."""
    if letter.reason == RejectReason.UNASSIGNED:
        return _unassigned(facts, letter)
    what = text_of(letter.reason).what_to_do
    if letter.reason == RejectReason.CLOCK_WRONG:
        return Verdict(VerdictCode.CLOCK_WRONG, f"Its time is wrong: {letter.detail}.", what)
    if _is_about_a_value(letter.reason):
        return Verdict(VerdictCode.VALUE_FAULT, f"It is decoded, but its value is not believed ({letter.reason}): {letter.detail}.", what)
    if letter.reason == RejectReason.CONFLICTING_DUPLICATE:
        return Verdict(VerdictCode.OTHER_PROBES, f"It sends two values for one sensor: {letter.detail}.", what)
    return Verdict(VerdictCode.UNDECODABLE, f"Its newest uplink could not be decoded ({letter.reason}): {letter.detail}.", what)


def _unassigned(facts: DeviceFacts, letter: LastLetter) -> Verdict:
    registered = {one.probe for one in facts.sensors}
    if facts.probes_heard and MAIN not in registered and not registered & set(facts.probes_heard):
        sentence = f"It is registered for {_probes(registered)}, but sends {_probes(facts.probes_heard)}."
        what = f"Register a sensor for one of those, or for `{MAIN}`, which takes the device's best one.{_replay(facts)}"
        return Verdict(VerdictCode.OTHER_PROBES, sentence, what)
    sentence = f"None of its sensors was assigned to a unit when its newest uplink was measured, received at {format_instant(letter.at)}."
    if facts.assigned:
        count = facts.waiting.get(RejectReason.UNASSIGNED, 0)
        letters = f"{count} dead letter{'s' if count > 1 else ''}"
        earlier = f" {letters} from before can be replayed, as far as the assignment reaches back." if count else ""
        return Verdict(VerdictCode.NO_ASSIGNMENT, sentence, f"It is assigned now: its next uplink will be stored.{earlier}")
    return Verdict(VerdictCode.NO_ASSIGNMENT, sentence, f"Assign its sensor to a unit from before that.{_replay(facts)}")


def _of_sensors(facts: DeviceFacts) -> Verdict:
    """Return the verdict of a device whose uplinks are stored: what is wrong with one of its sensors, or nothing."""
    if not facts.assigned:
        what = "Assign one of its sensors to a unit: until then its uplinks become dead letters."
        return Verdict(VerdictCode.NO_ASSIGNMENT, "None of its sensors is assigned to a unit any longer.", what)
    for one in facts.assigned:
        if one.latest_fault is not None:
            sentence = f"The newest value of probe `{one.probe}` is a fault mark ({one.latest_fault})."
            return Verdict(VerdictCode.VALUE_FAULT, sentence, text_of(one.latest_fault).what_to_do)
    for one in facts.assigned:
        if one.latest_at is None:
            sentence = f"The device is heard, but its sensor for probe `{one.probe}` never had a value."
            return Verdict(VerdictCode.OTHER_PROBES, sentence, "Check which probes it really sends, and register those.")
    for one in facts.assigned:
        if not one.has_policy:
            what = "Give the unit a policy: until then its readings are stored, and no excursion can open."
            return Verdict(VerdictCode.NO_POLICY, f"The unit {one.unit_name} that it watches has no policy.", what)
    return Verdict(VerdictCode.FINE, "Everything is fine: it is heard, stored, shown and judged.", "Nothing.")


def _replay(facts: DeviceFacts) -> str:
    count = facts.waiting.get(RejectReason.UNASSIGNED, 0)
    return f" {count} dead letter{'s' if count > 1 else ''} can then be replayed." if count else ""


def _is_about_a_value(reason: str) -> bool:
    return reason in set(RejectReason) and about(RejectReason(reason)) == "value"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _probes(probes: set[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{probe}`" for probe in sorted(probes))
