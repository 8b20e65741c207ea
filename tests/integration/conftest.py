"""Real servers for the integration tests: one Kafka, PostgreSQL and Redis for the whole run, in a temporary folder."""

from collections.abc import Iterator

import pytest

from infra.local.local_stack import LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Kafka, PostgreSQL and Redis, started once; tests keep apart by topic, database or organization of their own."""
    local = LocalStack(tmp_path_factory.mktemp("stack") / "data").start()
    yield local
    local.remove()
