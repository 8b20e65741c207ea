"""Why a sensor shows or does not: every verdict from its facts, and which trouble hides which."""

from dataclasses import replace

import pytest

from pipelines.domain.story import DeviceFacts, LastLetter, SensorFacts, VerdictCode, verdict
from schemas.reasons import RejectReason

NOW = 1_795_600_000_000
MINUTE = 60_000
GOOD = SensorFacts("main", "Fridge 3", latest_at=NOW - MINUTE)
FINE = DeviceFacts(NOW, sensors=(GOOD,), heard=10, last_heard_at=NOW - MINUTE, offline_after_ms=15 * MINUTE)
STRANGER = replace(FINE, is_registered=False, sensors=(), waiting={RejectReason.UNASSIGNED: 12})
SILENT = replace(FINE, last_heard_at=NOW - 60 * MINUTE, sensors=(replace(GOOD, latest_at=NOW - 60 * MINUTE),))


def letter(reason: RejectReason, detail: str = "because", at: int = NOW) -> LastLetter:
    return LastLetter(at, reason.value, detail)


def rejected(reason: RejectReason, detail: str = "because") -> DeviceFacts:
    return replace(FINE, letter=letter(reason, detail))


AMBIENT_ONLY = replace(
    rejected(RejectReason.UNASSIGNED),
    sensors=(SensorFacts("ambient", "Fridge 3"),),
    probes_heard=("external_2", "external_1"),
    waiting={RejectReason.UNASSIGNED: 1},
)

CASES = [
    (FINE, VerdictCode.FINE, "Everything is fine", "Nothing."),
    (DeviceFacts(NOW), VerdictCode.NEVER_HEARD, "registered, and nothing was ever heard", "has not joined"),
    (DeviceFacts(NOW, is_registered=False), VerdictCode.NEVER_HEARD, "is the EUI right?", "webhook"),
    (DeviceFacts(NOW, is_registered=False, elsewhere=("North",)), VerdictCode.OTHER_ORGANIZATION, "registered in North", "story there"),
    (STRANGER, VerdictCode.NOT_REGISTERED, "heard 10 times, last at 2026-11-25T09:45:40.000Z", "12 dead letters can then be replayed"),
    (replace(STRANGER, heard=1, waiting={}), VerdictCode.NOT_REGISTERED, "heard once", "Register it"),
    (replace(STRANGER, elsewhere=("North",)), VerdictCode.OTHER_ORGANIZATION, "registered in North and not here", "secret of North"),
    (rejected(RejectReason.FOREIGN_APPLICATION, "the body is of 'b'"), VerdictCode.FOREIGN_APPLICATION, "the body is of 'b'", "secret"),
    (replace(STRANGER, letter=letter(RejectReason.FOREIGN_APPLICATION)), VerdictCode.FOREIGN_APPLICATION, "another application", "secret"),
    (replace(FINE, sensors=()), VerdictCode.NO_SENSOR, "without any sensor", "Add a sensor"),
    (AMBIENT_ONLY, VerdictCode.OTHER_PROBES, "for `ambient`, but sends `external_1`, `external_2`", "1 dead letter can then be replayed"),
    (replace(AMBIENT_ONLY, probes_heard=("ambient",)), VerdictCode.NO_ASSIGNMENT, "when its newest uplink was measured", "from before"),
    (
        replace(rejected(RejectReason.UNASSIGNED), sensors=(replace(GOOD, unit_name=None),)),
        VerdictCode.NO_ASSIGNMENT,
        "to a unit when",
        "Assign",
    ),
    (rejected(RejectReason.UNASSIGNED), VerdictCode.NO_ASSIGNMENT, "assigned to a unit when", "assigned now: its next uplink"),
    (replace(FINE, sensors=(replace(GOOD, unit_name=None),)), VerdictCode.NO_ASSIGNMENT, "any longer", "Assign"),
    (replace(FINE, sensors=(replace(GOOD, has_policy=False),)), VerdictCode.NO_POLICY, "Fridge 3", "no excursion can open"),
    (rejected(RejectReason.DECODER_FAILED), VerdictCode.UNDECODABLE, "decoder_failed", "payload formatter"),
    (rejected(RejectReason.NO_PAYLOAD), VerdictCode.UNDECODABLE, "no_payload", "battery"),
    (rejected(RejectReason.SENTINEL, "probe external: 327.67"), VerdictCode.VALUE_FAULT, "327.67", "plugged in"),
    (rejected(RejectReason.CONFLICTING_DUPLICATE), VerdictCode.OTHER_PROBES, "two values", "registered as one sensor"),
    (rejected(RejectReason.CLOCK_WRONG, "measured +400.000 days from it"), VerdictCode.CLOCK_WRONG, "+400.000 days", "clock"),
    (replace(FINE, sensors=(replace(GOOD, latest_fault="probe_missing"),)), VerdictCode.VALUE_FAULT, "probe `main`", "Plug the probe in"),
    (
        replace(FINE, sensors=(GOOD, SensorFacts("ambient", "Room"))),
        VerdictCode.OTHER_PROBES,
        "`ambient` never had a value",
        "really sends",
    ),
    (replace(FINE, sensors=(SensorFacts("main", "Fridge 3"),)), VerdictCode.NOTHING_TO_STORE, "nothing it sent was a measurement", "joins"),
    (SILENT, VerdictCode.OFFLINE, "last heard at 2026-11-25T08:46:40.000Z.", "gateway"),
    (replace(FINE, offline_since=NOW), VerdictCode.OFFLINE, "counts as offline since", "gateway"),
]


@pytest.mark.parametrize(("facts", "code", "said", "to_do"), CASES)
def test_facts_lead_to_a_verdict_with_what_to_do(facts: DeviceFacts, code: VerdictCode, said: str, to_do: str) -> None:
    found = verdict(facts)

    assert found.code is code
    assert said in found.sentence
    assert to_do in found.what_to_do


def test_every_verdict_is_reached() -> None:
    assert {code for _, code, _, _ in CASES} == set(VerdictCode)


def test_a_letter_from_before_the_newest_reading_is_history() -> None:
    old = replace(FINE, letter=letter(RejectReason.DECODER_FAILED, at=NOW - 2 * MINUTE))

    assert verdict(old).code is VerdictCode.FINE


def test_silence_hides_what_its_last_uplink_was_but_says_it() -> None:
    found = verdict(replace(SILENT, letter=letter(RejectReason.SENTINEL, at=NOW - 59 * MINUTE)))

    assert found.code is VerdictCode.OFFLINE
    assert "no good either (sentinel)" in found.sentence


def test_a_reason_of_a_newer_version_has_a_verdict_too() -> None:
    found = verdict(replace(FINE, letter=LastLetter(NOW, "too_new", "x")))

    assert found.code is VerdictCode.UNDECODABLE


def test_only_what_is_fine_is_healthy() -> None:
    assert [verdict(facts).healthy for facts, *_ in CASES] == [code is VerdictCode.FINE for _, code, *_ in CASES]
