"""Imports go downwards only, and a violation is caught (import-linter; the contracts stand in pyproject.toml)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
PACKAGES = ("schemas", "pipelines", "api", "migrations", "infra")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over a tree."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run([LINT, "--no-cache"], cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to plant violations in."""
    root = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_every_import_goes_downwards() -> None:
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("schemas/ids.py", "import pipelines.domain.instants"),
        ("pipelines/domain/instants.py", "import pipelines.connectors.clock"),
        ("pipelines/domain/temperatures.py", "import psycopg"),
        ("pipelines/connectors/clock.py", "import pipelines.domain.instants"),
        ("pipelines/engine/ticks.py", "import pipelines.flows.store_readings"),
        ("api/page.py", "import pipelines.engine.unpack"),
        ("api/errors.py", "import bytewax"),
    ],
)
def test_a_planted_import_upwards_is_caught(copy: Path, file: str, line: str) -> None:
    target = copy / file
    before = target.read_text()
    target.write_text(f"{before}\n{line}  # noqa\n")
    try:
        result = lint(copy)
    finally:
        target.write_text(before)

    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout
