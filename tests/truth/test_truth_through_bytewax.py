"""Some fleets go through the real dataflows: `build(...)` run by Bytewax with recovery stores, dying at calls to the database and the log.

In a process of their own: a death within a Bytewax worker is a panic there.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("kind", "seed"), [("sustained", 3), ("mixed", 1), ("mkt", 5)])
def test_a_fleet_through_the_dataflows_comes_to_what_the_simple_implementation_says(kind: str, seed: int) -> None:
    command = [sys.executable, "-m", "tests.truth", "--bytewax", str(seed), "--kind", kind]

    tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert (tried.returncode, tried.stdout) == (0, "agrees\n"), tried.stdout + tried.stderr
