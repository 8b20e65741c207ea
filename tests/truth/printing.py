"""A failing case as a person reads it: policies, sensors, everything that happens with times after the first row, expected and found."""

import json
from collections.abc import Iterable, Iterator

from tests.domain.random_series import Band
from tests.truth.documents import document_of
from tests.truth.expecting import FIELDS, INSTANTS, Finding, Line
from tests.truth.fleet import Act, Clock, Correction, Event, Fleet, Row, Uplink


def printed(fleet: Fleet, findings: Iterable[Finding], option: str = "--fleet") -> str:
    """Return the case, and the command that repeats it."""
    origin = min((row.at for row in fleet.rows), default=0)
    lines = [f"fleet {fleet.seed} ({fleet.kind}); times in ms after {origin}, temperatures in hundredths"]
    lines += [f"policy version {number}: {json.dumps(document_of(bands))}" for number, bands in _used(fleet).items()]
    for sensor in fleet.sensors:
        lines.append(f"sensor {sensor.number}: device {sensor.device}, organization {sensor.organization}, partition {sensor.partition}")
        lines += [
            f"  assignment {one.number} to unit {one.unit}, policy versions {list(one.versions)}, "
            + ("without end" if one.ends_at is None else f"ends at {one.ends_at - origin}")
            for one in sensor.assignments
        ]
    lines += ["what happens:", *(f"  {line}" for event in fleet.events for line in _happening(event, origin))]
    lines.append(f"  everything comes to rest, the clock {fleet.settle_ms} ms beyond all that" + _bound(fleet))
    for finding in findings:
        lines.append(finding.what)
        for title, several in (("expected", finding.expected), ("found", finding.found)):
            lines += [f"  {title}: {_line(one, origin)}" for one in several]
    lines.append(f"again: python -m tests.truth {option} {fleet.seed} --kind {fleet.kind}")
    return "\n".join(lines)


def _used(fleet: Fleet) -> dict[int, tuple[Band, ...]]:
    used = {row.policy for row in fleet.rows}
    return {number: bands for number, bands in fleet.policies.items() if number in used}


def _bound(fleet: Fleet) -> str:
    return "" if fleet.most_rows is None else f"; {fleet.most_rows} rows are kept of a sensor that waits, and read at once"


def _happening(event: Event, origin: int) -> Iterator[str]:
    match event:
        case Uplink(rows):
            for place, row in enumerate(rows):
                yield f"{'uplink' if place == 0 else '  also'} {_row(row, origin)}"
        case Clock(to):
            yield f"clock  {to - origin}"
        case Correction(sensor, said, since, until, offset):
            yield f"a person says of sensor {sensor} from {since - origin} to {until - origin}: {said.value}" + (
                f" ({offset})" if offset else ""
            )
        case Act(what, count):
            yield f"{what.value}" + (f" ({count})" if count else "")


def _row(row: Row, origin: int) -> str:
    value = "no temperature" if row.bare else "fault" if row.value is None else str(row.value)
    return (
        f"sensor {row.sensor} at {row.at - origin:>8}: {value:>6}  assignment {row.assignment}, version {row.policy}, max_gap {row.max_gap}"
    )


def _line(line: Line, origin: int) -> str:
    values = (
        f"{name}={value - origin if name in INSTANTS and value is not None else value}" for name, value in zip(FIELDS, line, strict=False)
    )
    return ", ".join(values)
