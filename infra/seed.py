"""Fills the registry by SQL: organizations, sites, units, sensors, and the terms in force when. Safe to run again.

For demos, tests and benches until the API can do it. What is there already stays as it is; what is missing is added.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from infra.seed_fleet import Fleet, FleetSpec, seed_fleet

__all__ = [
    "Fleet",
    "FleetSpec",
    "Registry",
    "Rule",
    "Seeded",
    "SensorSpec",
    "SiteSpec",
    "Terms",
    "UnitSpec",
    "seed_fleet",
    "seed_registry",
]

Connection = psycopg.Connection[Any]
Document = Mapping[str, object]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """A place and its time zone (an IANA name)."""

    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A version of a sensor's configuration; times in ms, `effective_at` in ms UTC."""

    effective_at: int
    interval_ms: int
    max_gap_ms: int
    offline_after_ms: int
    calibration_hundredths: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy's document (excursions.md section 3) and from when on (ms UTC) a unit is judged by it."""

    policy: str
    document: Document
    effective_at: int


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """One probe of a device, and the versions of its configuration."""

    dev_eui: str
    terms: tuple[Terms, ...]
    probe: str = "main"
    brand_id: str = ""
    model_id: str = ""
    device_name: str = ""


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """One unit at a site, the rules it is judged by and the sensors that watch it."""

    site: str
    name: str
    kind: str
    rules: tuple[Rule, ...]
    sensors: tuple[SensorSpec, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything of one organization."""

    team_id: str
    name: str
    application: str
    secret: str
    """The webhook's secret in clear; only its SHA-256 is stored."""
    sites: tuple[SiteSpec, ...]
    units: tuple[UnitSpec, ...]
    valid_from: int
    """ms UTC: when the assignments begin; well before the first reading."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The ids of what stands in the registry now."""

    organization: int
    sites: dict[str, int]
    units: dict[tuple[str, str], int]
    """By (site, name)."""
    devices: dict[str, int]
    """By device EUI."""
    sensors: dict[tuple[str, str], int]
    """By (device EUI, probe)."""


def seed_registry(connection: Connection, registry: Registry) -> Seeded:
    """Bring an organization's part of the registry to what is described, in one transaction, and return its ids.

    Raises psycopg.errors.UniqueViolation when the secret or a team already belongs to something else.
    """
    with connection.transaction():
        organization = _organization(connection, registry)
        seeded = Seeded(organization, {}, {}, {}, {})
        for site in registry.sites:
            seeded.sites[site.name] = _site(connection, organization, site)
        policies: dict[str, int] = {}
        for unit in registry.units:
            unit_id = _unit(connection, organization, seeded.sites[unit.site], unit)
            seeded.units[unit.site, unit.name] = unit_id
            for rule in unit.rules:
                _put_in_force(connection, organization, unit_id, rule, policies)
            for sensor in unit.sensors:
                device_id = _device(connection, organization, sensor)
                sensor_id = _sensor(connection, organization, device_id, sensor)
                seeded.devices[sensor.dev_eui] = device_id
                seeded.sensors[sensor.dev_eui, sensor.probe] = sensor_id
                _assign(connection, organization, sensor_id, unit_id, registry.valid_from)
                for terms in sensor.terms:
                    _configure(connection, organization, sensor_id, terms)
    return seeded


def instant(ms: int) -> datetime:
    """Return an instant given in ms UTC as PostgreSQL takes it, exactly."""
    return EPOCH + timedelta(milliseconds=ms)


def _one(connection: Connection, query: str, values: tuple[object, ...]) -> int:
    """Return the single id a query finds."""
    row = connection.execute(query, values).fetchone()
    assert row is not None, f"nothing found by: {query}"
    return int(row[0])


def _organization(connection: Connection, registry: Registry) -> int:
    connection.execute(
        "INSERT INTO organizations (team_id, name) VALUES (%s, %s) ON CONFLICT (team_id) DO NOTHING",
        (registry.team_id, registry.name),
    )
    organization = _one(connection, "SELECT id FROM organizations WHERE team_id = %s", (registry.team_id,))
    digest = hashlib.sha256(registry.secret.encode()).digest()
    connection.execute(
        "INSERT INTO application_secrets (organization_id, application_id, secret_sha256) "
        "SELECT %s, %s, %s WHERE NOT EXISTS (SELECT FROM application_secrets "
        "WHERE organization_id = %s AND application_id = %s AND secret_sha256 = %s)",
        (organization, registry.application, digest) * 2,
    )
    return organization


def _site(connection: Connection, organization: int, site: SiteSpec) -> int:
    connection.execute(
        "INSERT INTO sites (organization_id, name, time_zone) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (organization, site.name, site.time_zone),
    )
    query = "SELECT id FROM sites WHERE organization_id = %s AND name = %s"
    return _one(connection, query, (organization, site.name))


def _unit(connection: Connection, organization: int, site_id: int, unit: UnitSpec) -> int:
    connection.execute(
        "INSERT INTO units (organization_id, site_id, name, kind) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (organization, site_id, unit.name, unit.kind),
    )
    return _one(connection, "SELECT id FROM units WHERE site_id = %s AND name = %s", (site_id, unit.name))


def _device(connection: Connection, organization: int, sensor: SensorSpec) -> int:
    connection.execute(
        "INSERT INTO devices (organization_id, dev_eui, name, brand_id, model_id) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (organization, sensor.dev_eui, sensor.device_name, sensor.brand_id, sensor.model_id),
    )
    query = "SELECT id FROM devices WHERE organization_id = %s AND dev_eui = %s"
    return _one(connection, query, (organization, sensor.dev_eui))


def _sensor(connection: Connection, organization: int, device_id: int, sensor: SensorSpec) -> int:
    connection.execute(
        "INSERT INTO sensors (organization_id, device_id, probe) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (organization, device_id, sensor.probe),
    )
    return _one(connection, "SELECT id FROM sensors WHERE device_id = %s AND probe = %s", (device_id, sensor.probe))


def _assign(connection: Connection, organization: int, sensor_id: int, unit_id: int, valid_from: int) -> None:
    """Assign a sensor to a unit unless it has an assignment that still holds."""
    connection.execute(
        "INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from) SELECT %s, %s, %s, %s "
        "WHERE NOT EXISTS (SELECT FROM assignments WHERE sensor_id = %s AND valid_to IS NULL)",
        (organization, sensor_id, unit_id, instant(valid_from), sensor_id),
    )


def _configure(connection: Connection, organization: int, sensor_id: int, terms: Terms) -> None:
    connection.execute(
        "INSERT INTO sensor_configurations (organization_id, sensor_id, effective_at, calibration_hundredths, "
        "expected_interval_ms, max_gap_ms, offline_after_ms) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            organization,
            sensor_id,
            instant(terms.effective_at),
            terms.calibration_hundredths,
            terms.interval_ms,
            terms.max_gap_ms,
            terms.offline_after_ms,
        ),
    )


def _put_in_force(connection: Connection, organization: int, unit_id: int, rule: Rule, known: dict[str, int]) -> None:
    """Judge a unit by a rule from its instant on; `known` remembers policy versions by name and document."""
    document = json.dumps(rule.document, sort_keys=True)
    key = f"{rule.policy}\n{document}"
    if key not in known:
        known[key] = _policy_version(connection, organization, rule.policy, document)
    connection.execute(
        "INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        (organization, unit_id, known[key], instant(rule.effective_at)),
    )


def _policy_version(connection: Connection, organization: int, policy: str, document: str) -> int:
    """Return the version of a policy that holds this document, added when there is none."""
    connection.execute(
        "INSERT INTO policies (organization_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (organization, policy),
    )
    query = "SELECT id FROM policies WHERE organization_id = %s AND name = %s"
    policy_id = _one(connection, query, (organization, policy))
    found = "SELECT id FROM policy_versions WHERE policy_id = %s AND document = %s::jsonb ORDER BY version DESC LIMIT 1"
    connection.execute(
        "INSERT INTO policy_versions (organization_id, policy_id, version, document) SELECT %s, %s, "
        "(SELECT coalesce(max(version), 0) + 1 FROM policy_versions WHERE policy_id = %s), %s::jsonb "
        "WHERE NOT EXISTS (SELECT FROM policy_versions WHERE policy_id = %s AND document = %s::jsonb)",
        (organization, policy_id, policy_id, document, policy_id, document),
    )
    return _one(connection, found, (policy_id, document))
