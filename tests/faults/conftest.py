"""A PostgreSQL for the checkers' own tests; the campaign and the kill tests start whole stacks of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.local_stack import LocalStack
from migrations import runner
from pipelines.connectors.timescale import DatabaseConfig
from tests.faults.recorded import World, record, register


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseConfig]:
    """PostgreSQL alone, migrated, with the registry of the recorded world."""
    local = LocalStack(tmp_path_factory.mktemp("checker") / "data", None, {"postgres"}).start()
    runner.upgrade(local.database_url)
    register(DatabaseConfig(local.database_url))
    yield DatabaseConfig(local.database_url)
    local.remove()


@pytest.fixture
def world(server: DatabaseConfig, tmp_path: Path) -> World:
    """The recorded world, untouched."""
    return record(server, tmp_path)
