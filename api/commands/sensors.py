"""Sensors: registered with their device, described, configured by versions, archived."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from api.commands.archiving import mark_archived, require_ended, require_standing, restore
from api.commands.assignments import LAST, assign, end_assignment, sensor_row
from api.commands.organizations import standing_organization
from api.commands.transaction import Outcome, Row, Transaction
from api.errors import conflict
from api.parameters import aware, optional_instant
from api.registry_requests import NewSensor, SensorChange, TermsGiven, TimedOrder
from pipelines.domain.registration.effective import from_the_start
from pipelines.domain.registration.naming import device_eui, display_name, model_name, probe_name
from pipelines.domain.registration.sensor_terms import FIELDS, SensorTerms, defrost_profile, from_row, sensor_terms

OF_EUI: Final = """
SELECT id, organization_id, dev_eui, name, brand_id, model_id FROM devices WHERE organization_id = %(organization)s AND dev_eui = %(dev_eui)s
"""
OF_PROBE: Final = """
SELECT id, organization_id, archived_at, probe FROM sensors WHERE device_id = %(device)s AND probe = %(probe)s
"""
INSERT_DEVICE: Final = """
INSERT INTO devices (organization_id, dev_eui, name, brand_id, model_id)
VALUES (%(organization)s, %(dev_eui)s, %(name)s, %(brand_id)s, %(model_id)s) RETURNING id
"""
INSERT_SENSOR: Final = """
INSERT INTO sensors (organization_id, device_id, probe) VALUES (%(organization)s, %(device)s, %(probe)s) RETURNING id
"""
CHANGE_DEVICE: Final = "UPDATE devices SET name = %(name)s, brand_id = %(brand_id)s, model_id = %(model_id)s WHERE id = %(id)s"
NEWEST: Final = """
SELECT effective_at, expected_interval_ms, max_gap_ms, offline_after_ms, calibration_hundredths, defrost_period_ms, defrost_peak_hundredths,
  defrost_duration_ms
FROM sensor_configurations
WHERE sensor_id = %(sensor)s ORDER BY effective_at DESC LIMIT 1
"""
CONFIGURE: Final = """
INSERT INTO sensor_configurations
  (organization_id, sensor_id, effective_at, calibration_hundredths, expected_interval_ms, max_gap_ms, offline_after_ms, defrost_period_ms,
   defrost_peak_hundredths, defrost_duration_ms)
VALUES (%(organization)s, %(sensor)s, %(effective_at)s, %(calibration_hundredths)s, %(expected_interval_ms)s, %(max_gap_ms)s,
  %(offline_after_ms)s, %(defrost_period_ms)s, %(defrost_peak_hundredths)s, %(defrost_duration_ms)s) RETURNING id
"""


async def create_sensor(transaction: Transaction, order: NewSensor) -> Outcome:
    """Register one probe of a device, and let it watch a unit where one is given."""
    await standing_organization(transaction, order.organization)
    dev_eui, probe = device_eui(order.dev_eui), probe_name(order.probe)
    terms = sensor_terms({field: getattr(order, field) for field in FIELDS})
    device = await transaction.row(OF_EUI, {"organization": order.organization, "dev_eui": dev_eui})
    described = _described(order, device or {"name": "", "brand_id": "", "model_id": ""})
    if device is not None:
        found = await transaction.row(OF_PROBE, {"device": device["id"], "probe": probe})
        if found is not None:
            return await _there_already(transaction, found, order, is_described_so=_is_described(device, described))
    number = await _insert(transaction, order.organization, device, dev_eui, probe, described)
    start = aware(from_the_start(transaction.now))
    first = {"organization": order.organization, "sensor": number, "effective_at": start, **terms.to_row()}
    await transaction.insert(CONFIGURE, first)
    outcome = Outcome("created", order.organization, number)
    await transaction.record(outcome, "sensor", "created", None, {"dev_eui": dev_eui, "probe": probe, **described, **terms.said()})
    if order.unit is None:
        return outcome
    sensor = {"id": number, "organization_id": order.organization, "archived_at": None, "name": described["name"]}
    assigned = await assign(transaction, sensor, order.unit, optional_instant(order.assigned_from, "assigned_from"), "assigned_from")
    return Outcome("created", order.organization, number, assigned.effective_at)


async def _insert(
    transaction: Transaction, organization: int, device: Row | None, dev_eui: str, probe: str, described: dict[str, str]
) -> int:
    """Write a sensor's row, and its device's where there is none or where it is described otherwise; return the sensor's id."""
    if device is None:
        number = await transaction.insert(INSERT_DEVICE, {"organization": organization, "dev_eui": dev_eui, **described})
    else:
        number = device["id"]
        if not _is_described(device, described):
            await transaction.execute(CHANGE_DEVICE, {"id": number, **described})
    return await transaction.insert(INSERT_SENSOR, {"organization": organization, "device": number, "probe": probe})


def _is_described(device: Row, described: dict[str, str]) -> bool:
    return all(device[field] == value for field, value in described.items())


def _described(order: NewSensor | SensorChange, before: Row) -> dict[str, str]:
    return {
        "name": before["name"] if order.name is None else display_name(order.name, required=False),
        "brand_id": before["brand_id"] if order.brand_id is None else model_name(order.brand_id, "brand_id"),
        "model_id": before["model_id"] if order.model_id is None else model_name(order.model_id, "model_id"),
    }


async def _there_already(transaction: Transaction, found: Row, order: NewSensor, *, is_described_so: bool) -> Outcome:
    """Answer for a probe that is registered already: the same content is fine."""
    require_standing("sensor", found)
    before = await newest_terms(transaction, found["id"])
    wanted = sensor_terms({field: getattr(order, field) for field in FIELDS}, None if before is None else before[0])
    last = await transaction.row(LAST, {"sensor": found["id"]})
    watches = last["unit_id"] if last is not None and last["valid_to"] is None else None
    if is_described_so and before is not None and wanted == before[0] and order.unit in {None, watches}:
        return Outcome("unchanged", found["organization_id"], found["id"], None if last is None else last["valid_from"])
    routes = f"PATCH /api/v1/sensors/{found['id']}, POST .../configurations, POST .../assignment"
    raise conflict("exists", f"Sensor {found['id']} is that probe of that device already: change that one ({routes}).")


async def change_sensor(transaction: Transaction, number: int, order: SensorChange) -> Outcome:
    """Describe a sensor's device otherwise."""
    row = await sensor_row(transaction, number)
    require_standing("sensor", row)
    before = {field: row[field] for field in ("name", "brand_id", "model_id")}
    after = _described(order, row)
    if after == before:
        return Outcome("unchanged", row["organization_id"], number)
    await transaction.execute(CHANGE_DEVICE, {"id": row["device_id"], **after})
    return await transaction.record(Outcome("changed", row["organization_id"], number), "sensor", "changed", before, after)


async def configure(transaction: Transaction, number: int, order: TermsGiven) -> Outcome:
    """Add a configuration version; what is not given stays as in the newest one."""
    row = await sensor_row(transaction, number)
    require_standing("sensor", row)
    before = await newest_terms(transaction, number)
    terms = sensor_terms({field: getattr(order, field) for field in FIELDS}, None if before is None else before[0])
    if "defrost" in order.model_fields_set:
        terms = replace(terms, defrost=defrost_profile(None if order.defrost is None else order.defrost.model_dump()))
    return await put_terms(transaction, row, terms, before, optional_instant(order.effective_at, "effective_at"))


async def put_terms(
    transaction: Transaction,
    sensor: Row,
    terms: SensorTerms,
    before: tuple[SensorTerms, datetime] | None,
    asked: datetime | None = None,
    action: str = "configured",
    evidence: Mapping[str, object] | None = None,
) -> Outcome:
    """Add a configuration version to a sensor with its newest terms, unless it says the same; `evidence` stands in the log of changes."""
    organization, number = sensor["organization_id"], sensor["id"]
    if before is not None and terms == before[0]:
        return Outcome("unchanged", organization, number)
    at = transaction.takes_effect(asked, None if before is None else before[1])
    await transaction.insert(CONFIGURE, {"organization": organization, "sensor": number, "effective_at": at, **terms.to_row()})
    after = {**terms.said(), **({} if evidence is None else {"evidence": evidence})}
    outcome = Outcome("changed", organization, number, at)
    return await transaction.record(outcome, "sensor", action, None if before is None else before[0].said(), after)


async def archive_sensor(transaction: Transaction, number: int, order: TimedOrder) -> Outcome:
    """Archive a sensor; its assignment ends, within a minute."""
    row = await sensor_row(transaction, number)
    if row["archived_at"] is not None:
        return Outcome("unchanged", row["organization_id"], number)
    ended = await end_assignment(transaction, row, optional_instant(order.effective_at, "effective_at"))
    require_ended(transaction, "sensor", number, ended.effective_at)
    done = await mark_archived(transaction, "sensor", row)
    return Outcome(done.outcome, done.organization, done.id, ended.effective_at)


async def restore_sensor(transaction: Transaction, number: int) -> Outcome:
    """Take a sensor out of the archive; it watches nothing until it is assigned anew."""
    return await restore(transaction, "sensor", await sensor_row(transaction, number))


async def newest_terms(transaction: Transaction, sensor: int) -> tuple[SensorTerms, datetime] | None:
    """Return the newest configuration of a sensor, planned ones included, and when it takes effect."""
    row = await transaction.row(NEWEST, {"sensor": sensor})
    return None if row is None else (from_row(row), row["effective_at"])
