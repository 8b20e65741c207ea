"""kill -9 of detect, decode, store and API in turn under load: nothing acknowledged is lost, nothing is counted or told twice."""

import signal
import time
from pathlib import Path

import pytest

from tests.faults.checker.findings import Kind
from tests.faults.rig import Rig, now

KILLED = ["detect_excursions", "revise_excursions", "decode_uplinks", "store_readings", "api", "detect_excursions"]


def kill_in_turn(rig: Rig, parts: list[str], pause: float) -> None:
    """Kill each part and wait until it is back."""
    for part in parts:
        time.sleep(pause)
        began_at = now()
        rig.stack.kill(part, signal.SIGKILL)
        rig.stack.wait_ready(part)
        rig.faults.add("kill -9", part, began_at, now())


@pytest.mark.timeout(300)
def test_kill_nine_of_every_part_in_turn_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with Rig(tmp_path) as rig:
        with rig.fleet("kills", 3):
            time.sleep(6)
            kill_in_turn(rig, KILLED, pause=2)
            time.sleep(18)  # the fleet's troubles begin after 8 and 25 s, and some excursions must come
        rig.quiesce()

        findings = rig.check()

    rig.stack.remove()
    # A kill every few seconds leaves no calm to hold "late" to: `make faults` does.
    assert [finding for finding in findings.findings if finding.kind is not Kind.LATE] == []
    assert findings.late_sensors > 0
    assert findings.acknowledged > 300
    assert findings.excursions > 3
    assert findings.told > 3


@pytest.mark.timeout(300)
def test_without_the_offset_skip_the_same_kills_are_found_out(tmp_path: Path) -> None:
    with Rig(tmp_path, {"SKIP_DONE": "false"}) as rig:
        with rig.fleet("control", 3):
            time.sleep(8)
            # A kill right after a snapshot repeats nothing: it is tried three times.
            kill_in_turn(rig, ["detect_excursions", "decode_uplinks", "store_readings", "store_readings", "store_readings"], pause=2)
        rig.quiesce(settle_seconds=1)

        findings = rig.check()

    rig.stack.remove()
    assert findings.counts["doubled"] > 0
