"""A migrated database of its own for a test, and the few registry rows that the engine's writers look at."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from migrations import runner
from pipelines.connectors.timescale import DatabaseConfig


@contextmanager
def new_database(server_url: str, revision: str = "head") -> Iterator[DatabaseConfig]:
    """Create a database beside the one named, migrate it, and drop it at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = server_url.rsplit("/", 1)[0] + f"/{name}"
    try:
        runner.upgrade(url, revision)
        yield DatabaseConfig(url)
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


REGISTRY = """
INSERT INTO organizations (team_id, name) VALUES ('team', 'Team');
INSERT INTO sites (organization_id, name) VALUES (1, 'Site');
INSERT INTO units (organization_id, site_id, name) VALUES (1, 1, 'Unit');
INSERT INTO devices (organization_id, dev_eui) VALUES (1, '70B3D50000000001');
INSERT INTO sensors (organization_id, device_id) VALUES (1, 1);
INSERT INTO policies (organization_id, name) VALUES (1, 'Policy');
INSERT INTO policy_versions (organization_id, policy_id, version, document)
VALUES (1, 1, 1, '{"bands": [{"name": "warm", "side": "high", "limit_celsius": 8}]}');
INSERT INTO sensor_configurations (organization_id, sensor_id, effective_at, expected_interval_ms, max_gap_ms, offline_after_ms)
VALUES (1, 1, '2020-01-01', 300000, 900000, 900000);
INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from) VALUES (1, 1, 1, '2020-01-01');
INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at) VALUES (1, 1, 1, '2020-01-01')
"""


def fill_registry(database: DatabaseConfig) -> None:
    """Register one sensor: organization, site, unit, device, sensor, policy and configuration are all number 1."""
    with psycopg.connect(database.url) as connection:
        connection.execute(REGISTRY)
