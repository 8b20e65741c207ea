"""Says what is lost, doubled, wrong or told twice: from the sender's journal and the tables alone, and `evaluate`'s machine."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg

from infra.simulator.journal import JournalLine
from pipelines.domain.evaluate import judge
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import parse_policy

MS = "(extract(epoch FROM {}) * 1000)::bigint"


@dataclass(frozen=True)
class Findings:
    """What was compared and what is wrong with it."""

    acknowledged: int
    excursions: int
    problems: list[str]


def check(database_url: str, journal: Path, until: int) -> Findings:
    """Compare the journal of acknowledged uplinks with the tables as of `until` (ms UTC), everything having settled."""
    lines = [msgspec.json.decode(line, type=JournalLine) for line in journal.read_bytes().splitlines()]
    with psycopg.connect(database_url) as connection:
        judged = judged_by_evaluate(connection, until)
        recorded = recorded_excursions(connection)
        problems = [*stored_once(connection, lines), *sums(connection, lines), *told_once(connection)]
    problems += [f"missing or wrong: {one}" for one in sorted(judged - recorded, key=str)]
    problems += [f"phantom: {one}" for one in sorted(recorded - judged, key=str)]
    return Findings(len(lines), len(judged), problems)


def stored_once(connection: psycopg.Connection, lines: list[JournalLine]) -> list[str]:
    """Return readings that were acknowledged and are not in the hypertable with their value."""
    found: dict[str, int | None] = dict(
        connection.execute(
            f"SELECT d.dev_eui || '@' || {MS.format('r.measured_at')}, r.temperature FROM readings r "
            "JOIN sensors s ON s.id = r.sensor_id JOIN devices d ON d.id = s.device_id",
        ).fetchall(),
    )
    wanted = {f"{line.dev_eui}@{line.measured_at}": line.hundredths for line in lines if line.hundredths is not None}
    lost = [f"lost: {key} ({value})" for key, value in wanted.items() if key not in found]
    return lost + [
        f"wrong value: {key} is {found[key]}, sent {value}" for key, value in wanted.items() if key in found and found[key] != value
    ]


def sums(connection: psycopg.Connection, lines: list[JournalLine]) -> list[str]:
    """Return how the ends of uplinks disagree with what was acknowledged; a try without an answer may add a duplicate."""
    ends: dict[str, int] = dict(connection.execute("SELECT ended_as, sum(uplinks)::bigint FROM uplink_ends GROUP BY 1").fetchall())
    rows = connection.execute("SELECT count(*) FROM readings").fetchone()
    assert rows is not None
    total, least, most = sum(ends.values()), len(lines), sum(line.tries for line in lines)
    problems = []
    if not least <= total <= most:
        problems.append(f"{total} uplinks ended, {least} were acknowledged in {most} tries: {ends}")
    if ends.get("stored", 0) > rows[0]:
        problems.append(f"{ends.get('stored')} uplinks counted as stored, {rows[0]} readings are")
    return problems


def told_once(connection: psycopg.Connection) -> list[str]:
    """Return excursions whose history says anything but opened, then closed; and what was never sent."""
    rows = connection.execute(
        "SELECT excursion_id, sensor_id, band, array_agg(reason ORDER BY version) FROM excursion_versions GROUP BY 1, 2, 3",
    ).fetchall()
    problems = [
        f"told again: excursion of sensor {sensor}, band {band}: {reasons}"
        for _, sensor, band, reasons in rows
        if reasons not in (["opened"], ["opened", "closed"])
    ]
    left = connection.execute("SELECT count(*) FROM outbox").fetchone()
    assert left is not None
    return problems + ([f"{left[0]} events are still in the outbox"] if left[0] else [])


Fact = tuple[object, ...]


def judged_by_evaluate(connection: psycopg.Connection, until: int) -> set[Fact]:
    """Return what the machine finds over the stored readings, run once over each sensor's whole series."""
    policies: dict[int, Policy] = {
        number: parse_policy(document) for number, document in connection.execute("SELECT id, document FROM policy_versions")
    }
    gaps: dict[int, int] = dict(connection.execute("SELECT id, max_gap_ms FROM sensor_configurations").fetchall())
    series: dict[int, list[Reading]] = {}
    for sensor, measured_at, temperature, policy, configuration in connection.execute(
        f"SELECT sensor_id, {MS.format('measured_at')}, temperature, policy_version_id, configuration_id FROM readings "
        "WHERE temperature IS NOT NULL OR reason IS NOT NULL",
    ):
        series.setdefault(sensor, []).append(Reading(measured_at, temperature, gaps[configuration], policy))
    return {
        (sensor, one.band, one.started_at, one.opened_at, one.ended_at, one.closed_at, *closed_figures(one.closed_at, one.figures))
        for sensor, readings in series.items()
        for one in judge(readings, policies, until)
    }


def closed_figures(closed_at: int | None, figures: object) -> Fact:
    """Return the figures of a closed excursion; those of an open one still run."""
    if closed_at is None:
        return ()
    names = ("peak_hundredths", "exposure_ms", "known_ms", "unknown_ms", "samples", "largest_gap_ms")
    return tuple(getattr(figures, name) for name in names)


def recorded_excursions(connection: psycopg.Connection) -> set[Fact]:
    """Return the current excursions as they are on record."""
    rows = connection.execute(
        f"SELECT c.sensor_id, c.band, {MS.format('c.started_at')}, {MS.format('c.opened_at')}, {MS.format('c.ended_at')}, "
        f"{MS.format('c.closed_at')}, v.peak, v.exposure_ms, v.known_ms, v.unknown_ms, v.samples, v.largest_gap_ms "
        "FROM current_excursions c JOIN excursion_versions v USING (excursion_id, version)",
    ).fetchall()
    return {row if row[5] is not None else row[:6] for row in rows}
