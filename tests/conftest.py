"""What holds for every test: real payloads from `COLDSTREAM_SHARED`, and what happens where they are absent."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("COLDSTREAM_SHARED", Path(__file__).parents[2] / "shared"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests over shared data where it is absent, and say so; with CI=true that is a failure."""
    if (SHARED / "data").is_dir():
        return
    wanting = [item for item in items if item.get_closest_marker("shared")]
    if not wanting:
        return
    line = f"{len(wanting)} tests over shared payloads left out: {SHARED} is not there (COLDSTREAM_SHARED names the folder)"
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(line)
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]
    print(f"\n{line}")
