"""Puts the checkers together: read what there is, compare, and hand back the findings."""

from collections.abc import Sequence
from pathlib import Path

import psycopg

from infra.simulator.journal import JournalLine
from tests.faults.checker.events import check_events, count_told, delays_of
from tests.faults.checker.evidence import Evidence, Fault, Seen, judged_again, read_lines
from tests.faults.checker.excursions import check_excursions, check_histories, expected_excursions
from tests.faults.checker.findings import Findings
from tests.faults.checker.offline import check_offline
from tests.faults.checker.readings import check_readings
from tests.faults.checker.tables import read_tables


def gather(
    database_url: str,
    journals: Sequence[Path],
    until: int,
    *,
    events: Path | None = None,
    faults: Path | None = None,
    repeats: int = 0,
) -> Evidence:
    """Read the journals of a fleet, the tables, what a subscriber saw and what was broken when."""
    with psycopg.connect(database_url) as connection:
        tables = read_tables(connection)
    return Evidence(
        journal=[line for journal in journals for line in read_lines(journal, JournalLine)],
        tables=tables,
        tape=[] if events is None else read_lines(events, Seen),
        faults=[] if faults is None else read_lines(faults, Fault),
        until=until,
        repeats=repeats,
    )


def check(evidence: Evidence, *, with_events: bool = True) -> Findings:
    """Compare everything; `with_events` False leaves out what was told, where no subscriber listened."""
    tables = evidence.tables
    again = judged_again(evidence)
    expected = expected_excursions(evidence, tables.sensors)
    findings = [
        *check_readings(evidence),
        *check_excursions(expected, tables.current),
        *check_histories(tables.versions, again),
        *check_offline(evidence),
        *(check_events(evidence) if with_events else ()),
    ]
    return Findings(
        acknowledged=len(evidence.journal),
        readings=len(tables.readings),
        excursions=len(expected),
        told=count_told(evidence),
        late_sensors=len({row.sensor for row in tables.readings if row.is_late}),
        findings=sorted(set(findings)),
        delays=delays_of(evidence) if with_events else [],
        sensors=len(tables.sensors),
    )
