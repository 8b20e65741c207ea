"""A broker's log folder is made whatever its random cluster id begins with: one in 64 begins with a dash."""

import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from infra.local import kafka
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
