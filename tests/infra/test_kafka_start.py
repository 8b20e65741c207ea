"""A broker is made whatever its random cluster id begins with (one in 64 begins with a dash), and waited for when it is slow."""

import os
import subprocess
import uuid
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from infra.local import kafka
from infra.local.errors import NotReadyError
from infra.local.ports import Ports

BEGINS_WITH_A_DASH = uuid.UUID(int=0xF8 << 120)


def test_an_id_that_begins_with_a_dash_stays_with_its_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        next(tmp_path.glob("log.draft-*"), tmp_path / f"log.draft-{os.getpid()}").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(uuid, "uuid4", lambda: BEGINS_WITH_A_DASH)
    monkeypatch.setattr(subprocess, "run", run)

    kafka._format(tmp_path, Ports(), ("java",))

    assert "--cluster-id=-AAAAAAAAAAAAAAAAAAAAA" in asked


def test_a_broker_that_is_slow_over_a_topic_is_not_ready_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def __init__(self, _settings: object) -> None: ...

        def create_topics(self, _topics: object, **_: object) -> dict[str, "Future[None]"]:
            return {kafka.PROBE_TOPIC: Future()}

    monkeypatch.setattr(kafka, "_ask_metadata", lambda _servers: None)
    monkeypatch.setattr(kafka, "AdminClient", Slow)
    monkeypatch.setattr(kafka, "ANSWER_SECONDS", 0.01)

    with pytest.raises(NotReadyError, match="topic"):
        kafka._produce_one("127.0.0.1:1")
