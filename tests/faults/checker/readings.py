"""Acknowledged uplinks against the rows of readings and the sums of ends."""

from collections import Counter
from collections.abc import Iterator

from infra.simulator.traffic import UplinkKind
from tests.faults.checker.evidence import Evidence, Key
from tests.faults.checker.findings import Finding, Kind

STORED = frozenset({UplinkKind.READING.value, UplinkKind.DOOR.value, UplinkKind.SENTINEL.value})
"""Kinds of uplinks that must leave a row."""


def check_readings(evidence: Evidence) -> Iterator[Finding]:
    """Say which readings are missing, foreign or of another value, and how the sums of ends disagree."""
    wanted: dict[Key, int | None] = {
        (line.dev_eui, measured_at): hundredths for line in evidence.journal for measured_at, hundredths in line.history
    }
    wanted |= {(line.dev_eui, line.measured_at): line.hundredths for line in evidence.journal if line.kind in STORED}
    sent: set[Key] = {(line.dev_eui, line.measured_at) for line in evidence.journal} | wanted.keys()
    found = {(row.dev_eui, row.measured_at): row.temperature for row in evidence.tables.readings}
    lost = [key for key in wanted if key not in found]
    phantoms = [key for key in found if key not in sent]
    for key in lost:
        yield Finding(Kind.LOST, f"reading {key[0]}@{key[1]} ({wanted[key]}) was acknowledged and is not stored")
    for key in phantoms:
        yield Finding(Kind.PHANTOM, f"reading {key[0]}@{key[1]} ({found[key]}) was never sent")
    for key, value in wanted.items():
        if key in found and found[key] != value:
            yield Finding(Kind.WRONG, f"reading {key[0]}@{key[1]} is stored as {found[key]}, sent was {value}")
    marks = sum(1 for row in evidence.tables.readings if row.is_fault)
    lost_values = sum(1 for key in lost if wanted[key] is not None)
    yield from _sums(evidence, len(found) - marks + lost_values - len(phantoms))


def _sums(evidence: Evidence, rows: int) -> Iterator[Finding]:
    """Compare the ends with what was acknowledged; a try without an answer may have been taken all the same.

    `rows` is how many readings should be stored for those that are counted as stored; an uplink of which only a fault mark
    was stored is counted as rejected. Uplinks that carry a device's log hold several, some of them stored before: with any of those
    the number of rows says nothing, and is not compared.
    """
    tables, journal = evidence.tables, evidence.journal
    total = sum(tables.ends.values()) + tables.put_aside
    least, most = len(journal), sum(line.tries for line in journal) + evidence.repeats
    if total < least:
        yield Finding(Kind.LOST, f"{total} uplinks ended, {least} were acknowledged: {tables.ends}, {tables.put_aside} put aside")
    if total > most:
        yield Finding(Kind.DOUBLED, f"{total} uplinks ended, {least} were acknowledged in {most} tries: {tables.ends}")
    stored = rows if any(line.history for line in journal) else tables.ends.get("stored", 0)
    if stored > rows and total <= most:
        yield Finding(Kind.DOUBLED, f"{stored} uplinks are counted as stored, {rows} readings are there to be")
    if stored < rows and total >= least:
        yield Finding(Kind.LOST, f"{stored} uplinks are counted as stored, {rows} readings are there")
    kinds = Counter(line.kind for line in journal)
    for kind, letters in ((UplinkKind.GARBAGE, "rejected"), (UplinkKind.STRANGER, "unassigned")):
        if tables.letters.get(letters, 0) < kinds[kind.value]:
            yield Finding(Kind.LOST, f"{kinds[kind.value]} uplinks of kind {kind}, {tables.letters.get(letters, 0)} dead letters {letters}")
