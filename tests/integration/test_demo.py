"""A short demo on real servers: it ends by itself, its sums agree, and a dashboard saw an excursion open."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from infra.commands.demo import clear
from infra.local.ports import free_base

COLDSTREAM: Final = str(Path(sys.executable).parent / "coldstream")
SECONDS: Final = 45
LIMIT_SECONDS: Final = 280


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The one JSON line of a demo with two days of history."""
    data = tmp_path_factory.mktemp("demo") / "data"
    arguments = ["--seconds", str(SECONDS), "--history-days", "2", "--data", str(data), "--port-base", str(free_base())]
    done = subprocess.run(
        [COLDSTREAM, "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    clear(data)
    assert done.returncode == 0, done.stderr[-4_000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    summed: dict[str, Any] = json.loads(lines[0])
    return summed


@pytest.mark.timeout(LIMIT_SECONDS + 20)
def test_every_acknowledged_uplink_has_one_end(shown: dict[str, Any]) -> None:
    uplinks = shown["uplinks"]

    assert uplinks["sums_agree"]
    assert uplinks["sent"] == uplinks["acknowledged"] == sum(uplinks["ended"].values())


def test_strangers_and_joins_end_as_what_they_are(shown: dict[str, Any]) -> None:
    sent, ended = shown["uplinks"]["sent_as"], shown["uplinks"]["ended"]

    assert ended["unassigned"] == sent.get("stranger", 0)
    assert ended["duplicate"] == sent.get("duplicate", 0)
    assert ended["rejected"] == sent.get("garbage", 0) + sent.get("sentinel", 0), "a fault mark alone is a rejected uplink"
    assert ended["no_reading"] >= sent["join"]


def test_excursions_of_the_history_and_of_real_time_were_found(shown: dict[str, Any]) -> None:
    live = shown["excursions"]["live"]

    assert live["opened"] >= 1
    assert shown["excursions"]["opened"] > live["opened"]


def test_a_dashboard_was_told_of_readings_alerts_and_states(shown: dict[str, Any]) -> None:
    events = shown["websocket"]["events"]
    latencies = shown["accepted_to_websocket_ms"]

    assert shown["websocket"]["readings"] > SECONDS
    assert events["alert:triggered"] >= 1
    assert events["unit:state:changed"] >= 1
    assert latencies["readings"]["count"] == shown["websocket"]["readings"]
    assert latencies["readings"]["p50"] <= latencies["readings"]["p99"]
