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
        sites = {site.name: _site(connection, organization, site) for site in registry.sites}
        units = _units(connection, organization, registry, sites)
        sensors_of = [(units[unit.site, unit.name], sensor) for unit in registry.units for sensor in unit.sensors]
        devices = _devices(connection, organization, [sensor for _, sensor in sensors_of])
        sensors = _sensors(connection, organization, devices, [sensor for _, sensor in sensors_of])
        _put_in_force(connection, organization, registry, units)
        _assign(connection, organization, registry.valid_from, [(sensors[one.dev_eui, one.probe], unit) for unit, one in sensors_of])
        terms = [(sensors[one.dev_eui, one.probe], terms) for _, one in sensors_of for terms in one.terms]
        _configure(connection, organization, terms)
    return Seeded(organization, sites, units, devices, sensors)


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


def _units(connection: Connection, organization: int, registry: Registry, sites: dict[str, int]) -> dict[tuple[str, str], int]:
    """Add the units that are missing, all in one statement: thousands of statements would each count as a change."""
    connection.execute(
        "INSERT INTO units (organization_id, site_id, name, kind) SELECT %s, site, name, kind "
        "FROM unnest(%s::int[], %s::text[], %s::text[]) AS given (site, name, kind) ON CONFLICT DO NOTHING",
        (
            organization,
            [sites[unit.site] for unit in registry.units],
            [unit.name for unit in registry.units],
            [unit.kind for unit in registry.units],
        ),
    )
    rows = connection.execute("SELECT site_id, name, id FROM units WHERE organization_id = %s", (organization,)).fetchall()
    found = {(site, name): unit for site, name, unit in rows}
    return {(unit.site, unit.name): found[sites[unit.site], unit.name] for unit in registry.units}


def _devices(connection: Connection, organization: int, sensors: list[SensorSpec]) -> dict[str, int]:
    """Add the devices that are missing; return the ids of those described."""
    connection.execute(
        "INSERT INTO devices (organization_id, dev_eui, name, brand_id, model_id) SELECT %s, eui, name, brand, model "
        "FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS given (eui, name, brand, model) ON CONFLICT DO NOTHING",
        (
            organization,
            [sensor.dev_eui for sensor in sensors],
            [sensor.device_name for sensor in sensors],
            [sensor.brand_id for sensor in sensors],
            [sensor.model_id for sensor in sensors],
        ),
    )
    rows = connection.execute("SELECT dev_eui, id FROM devices WHERE organization_id = %s", (organization,)).fetchall()
    found = dict(rows)
    return {sensor.dev_eui: found[sensor.dev_eui] for sensor in sensors}


def _sensors(connection: Connection, organization: int, devices: dict[str, int], sensors: list[SensorSpec]) -> dict[tuple[str, str], int]:
    """Add the sensors that are missing; return the ids of those described."""
    connection.execute(
        "INSERT INTO sensors (organization_id, device_id, probe) SELECT %s, device, probe "
        "FROM unnest(%s::int[], %s::text[]) AS given (device, probe) ON CONFLICT DO NOTHING",
        (organization, [devices[sensor.dev_eui] for sensor in sensors], [sensor.probe for sensor in sensors]),
    )
    rows = connection.execute("SELECT device_id, probe, id FROM sensors WHERE organization_id = %s", (organization,)).fetchall()
    found = {(device, probe): sensor for device, probe, sensor in rows}
    return {(sensor.dev_eui, sensor.probe): found[devices[sensor.dev_eui], sensor.probe] for sensor in sensors}


def _assign(connection: Connection, organization: int, valid_from: int, pairs: list[tuple[int, int]]) -> None:
    """Assign sensors to units, each unless it has an assignment that still holds."""
    connection.execute(
        "INSERT INTO assignments (organization_id, sensor_id, unit_id, valid_from) SELECT %s, sensor, unit, %s "
        "FROM unnest(%s::int[], %s::int[]) AS given (sensor, unit) "
        "WHERE NOT EXISTS (SELECT FROM assignments WHERE sensor_id = sensor AND valid_to IS NULL)",
        (organization, instant(valid_from), [sensor for sensor, _ in pairs], [unit for _, unit in pairs]),
    )


def _configure(connection: Connection, organization: int, terms: list[tuple[int, Terms]]) -> None:
    """Add the versions of configurations that are missing."""
    connection.execute(
        "INSERT INTO sensor_configurations (organization_id, sensor_id, effective_at, calibration_hundredths, "
        "expected_interval_ms, max_gap_ms, offline_after_ms) SELECT %s, given.* "
        "FROM unnest(%s::int[], %s::timestamptz[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[]) AS given ON CONFLICT DO NOTHING",
        (
            organization,
            [sensor for sensor, _ in terms],
            [instant(one.effective_at) for _, one in terms],
            [one.calibration_hundredths for _, one in terms],
            [one.interval_ms for _, one in terms],
            [one.max_gap_ms for _, one in terms],
            [one.offline_after_ms for _, one in terms],
        ),
    )


def _put_in_force(connection: Connection, organization: int, registry: Registry, units: dict[tuple[str, str], int]) -> None:
    """Judge each unit by its rules, each from its instant on; a policy's document is written once."""
    versions: dict[tuple[str, str], int] = {}
    judged: list[tuple[int, int, datetime]] = []
    documents: dict[int, str] = {}
    for unit in registry.units:
        for rule in unit.rules:
            document = documents.setdefault(id(rule.document), json.dumps(rule.document, sort_keys=True))
            key = (rule.policy, document)
            if key not in versions:
                versions[key] = _policy_version(connection, organization, rule.policy, document)
            judged.append((units[unit.site, unit.name], versions[key], instant(rule.effective_at)))
    connection.execute(
        "INSERT INTO unit_policies (organization_id, unit_id, policy_version_id, effective_at) SELECT %s, given.* "
        "FROM unnest(%s::int[], %s::int[], %s::timestamptz[]) AS given ON CONFLICT DO NOTHING",
        (organization, [unit for unit, _, _ in judged], [version for _, version, _ in judged], [at for _, _, at in judged]),
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
