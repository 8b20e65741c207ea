"""Units as they stand: state, latest values, open excursions; and what one is judged by."""

from collections import defaultdict
from datetime import datetime
from typing import Final

from api.database import Database, Row
from api.queries.budgets import unit_budgets
from api.queries.conditions import standing_conditions
from api.queries.excursions import current_excursions
from api.queries.places import unit_rows
from api.queries.readings import latest_of_units
from api.queries.sensors import sensors
from api.shapes import (
    ExcursionAnswer,
    LatestAnswer,
    PolicyAnswer,
    PolicyInForceAnswer,
    UnitAnswer,
    UnitDetailAnswer,
    UnitSensorAnswer,
)
from pipelines.domain.band_document import to_document
from pipelines.domain.conditions.document import conditions_document
from pipelines.domain.policy import NO_POLICY
from pipelines.domain.policy_document import parse_policy
from schemas.events import UnitState, worst

MAX_OPEN: Final = 10_000
"""Open excursions shown with a list of units."""

MAX_SENSORS_OF_UNIT: Final = 1_000

STATES: Final = """
SELECT unit_id, state, min(since) AS since FROM sensor_states
WHERE organization_id = ANY(%(scope)s) AND unit_id = ANY(%(units)s)
GROUP BY unit_id, state
"""

POLICY: Final = """
SELECT p.id, p.name, v.version, v.id AS policy_version, f.effective_at, v.document
FROM unit_policies f
JOIN policy_versions v ON v.id = f.policy_version_id
JOIN policies p ON p.id = v.policy_id
WHERE f.organization_id = ANY(%(scope)s) AND f.unit_id = %(unit)s AND f.effective_at <= %(at)s
ORDER BY f.effective_at DESC
LIMIT 1
"""


async def units(
    database: Database, scope: list[int], *, site: int | None, after: int, limit: int, archived: bool = False
) -> list[UnitAnswer]:
    """Return units by id; archived ones only when asked for."""
    rows = await unit_rows(database, scope, site=site, after=after, limit=limit, archived=archived)
    return await _with_state(database, scope, rows)


async def unit_detail(database: Database, scope: list[int], unit: int) -> UnitDetailAnswer | None:
    """Return one unit with its sensors, their budgets and open conditions, or None."""
    found = await _with_state(database, scope, await unit_rows(database, scope, unit=unit, archived=True))
    if not found:
        return None
    its_sensors = await sensors(database, scope, unit=unit, site=None, after=0, limit=MAX_SENSORS_OF_UNIT)
    devices = sorted({sensor.device.id for sensor in its_sensors})
    conditions = await standing_conditions(database, scope, devices, [sensor.id for sensor in its_sensors])
    (shown,) = found
    open_bands = {(excursion.sensor, excursion.band) for excursion in shown.open_excursions}
    budgets = await unit_budgets(database, scope, unit, open_bands)
    with_budgets = [UnitSensorAnswer.model_construct(**dict(sensor), budgets=budgets.get(sensor.id, [])) for sensor in its_sensors]
    return UnitDetailAnswer.model_construct(**dict(shown), sensors=with_budgets, conditions=conditions)


async def policy_in_force(database: Database, scope: list[int], unit: int, at: datetime) -> PolicyInForceAnswer:
    """Return what a unit is judged by at an instant; every field of bands and conditions is there, defaults filled in."""
    row = await database.row(POLICY, {"scope": scope, "unit": unit, "at": at})
    if row is None:
        return PolicyInForceAnswer(unit=unit, at=at, policy=None, bands=[], conditions=conditions_document(NO_POLICY.conditions))
    policy = PolicyAnswer(
        id=row["id"],
        name=row["name"],
        version=row["version"],
        policy_version=row["policy_version"],
        effective_at=row["effective_at"],
    )
    judged_by = parse_policy(row["document"])
    bands, conditions = [to_document(band) for band in judged_by.bands], conditions_document(judged_by.conditions)
    return PolicyInForceAnswer(unit=unit, at=at, policy=policy, bands=bands, conditions=conditions)


async def _with_state(database: Database, scope: list[int], rows: list[Row]) -> list[UnitAnswer]:
    """Return rows of units with what is known of each right now."""
    ids = [row["id"] for row in rows]
    if not ids:
        return []
    latest: dict[int, LatestAnswer] = {}
    for values in await latest_of_units(database, scope, ids):
        if values.unit not in latest or _shown_before(values, latest[values.unit]):
            latest[values.unit] = values
    states: dict[int, dict[UnitState, datetime]] = defaultdict(dict)
    for row in await database.rows(STATES, {"scope": scope, "units": ids}):
        states[row["unit_id"]][UnitState(row["state"])] = row["since"]
    excursions: dict[int, list[ExcursionAnswer]] = defaultdict(list)
    for excursion in await current_excursions(database, scope, limit=MAX_OPEN, units=ids, is_open=True):
        excursions[excursion.unit].append(excursion)
    return [_unit(row, latest.get(row["id"]), states[row["id"]], excursions[row["id"]]) for row in rows]


def _shown_before(one: LatestAnswer, other: LatestAnswer) -> bool:
    """Return whether one sensor's latest is shown for the unit rather than another's: with a temperature first, then the newer."""
    return (one.temperature_celsius is not None, one.measured_at) > (
        other.temperature_celsius is not None,
        other.measured_at,
    )


def _unit(row: Row, latest: LatestAnswer | None, states: dict[UnitState, datetime], excursions: list[ExcursionAnswer]) -> UnitAnswer:
    state = worst(list(states))
    return UnitAnswer(
        id=row["id"],
        organization=row["organization_id"],
        site=row["site_id"],
        name=row["name"],
        kind=row["kind"],
        state=state,
        since=states.get(state),
        latest=latest,
        open_excursions=excursions,
        archived_at=row["archived_at"],
    )
