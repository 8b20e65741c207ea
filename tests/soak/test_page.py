"""The page of a soak: what grows is said, latencies are by minute, and the drawing can be made."""

import math
from pathlib import Path

import msgspec

from infra.local.parts import Part
from pipelines.domain.instants import format_instant
from schemas.events import Event, EventName, ReadingData
from tests.faults.checker.evidence import Seen, Via
from tests.faults.checker.findings import Finding, Findings, Kind
from tests.soak.__main__ import bound_of, misses_of, required, verdicts_of, with_latencies
from tests.soak.latencies import Minute, minutes_of
from tests.soak.page import draw, latency_table, shown_series, table, text_of
from tests.soak.sampling import Series
from tests.soak.slopes import Verdict

BEGIN = 1_790_000_040_000
STEADY: Series = {name: [(10.0 * place, 80.0) for place in range(120)] for name in required() if not name.startswith("p99")} | {
    f"memory MB {Part.API}": [(10.0 * place, 80.0) for place in range(120)],
    f"memory MB {Part.KAFKA}": [(10.0 * place, 400.0 + place) for place in range(120)],
    "database MB": [(10.0 * place, 10.0 + place) for place in range(120)],
}
LEAKING: Series = STEADY | {f"memory MB {Part.DETECT_EXCURSIONS}": [(10.0 * place, 80.0 + place) for place in range(120)]}
QUICK = [Minute(60.0 * place, 100, 20.0, 900.0, 950.0) for place in range(20)]
CLEAN = Findings(1_000, 990, 5, 12, 0)


def test_every_series_of_ours_has_a_bound_and_what_grows_with_the_readings_has_none() -> None:
    names = [f"{kind} {part}" for kind in ("memory MB", "files", "recovery MB", "lag") for part in (Part.API, Part.STORE_READINGS)]

    assert all(bound_of(name) is not None for name in names)
    free = [bound_of(name) for name in ("database MB", "topics MB")]
    assert [bound is not None and math.isinf(bound.hourly) for bound in free] == [True, True]
    assert bound_of(f"memory MB {Part.KAFKA}") is None


def test_a_steady_run_misses_nothing_and_a_leak_is_named() -> None:
    assert misses_of(judged(STEADY), STEADY, QUICK, CLEAN) == []
    assert misses_of(judged(LEAKING), LEAKING, QUICK, CLEAN) == ["memory MB detect_excursions grows by +360.0 MB an hour, bound 25.4"]


def test_slow_minutes_findings_and_a_heap_beyond_its_ceiling_are_misses() -> None:
    slow = [Minute(minute.seconds, 100, 20.0, 2_500.0, 9_000.0) for minute in QUICK]
    heap: Series = {f"memory MB {Part.KAFKA}": [(0.0, 1_200.0)]}
    found = Findings(1, 1, 1, 1, 0, [Finding(Kind.LOST, "a reading")])

    assert len(misses_of(judged(STEADY), heap, slow, found)) == 3


def test_what_was_not_measured_is_a_miss_and_not_a_zero() -> None:
    silent = STEADY | {f"lag {Part.DECODE_UPLINKS}": [(10.0 * place, math.nan) for place in range(120)]}
    without = {name: samples for name, samples in STEADY.items() if not name.endswith(Part.KAFKA)}

    assert misses_of(judged(silent), silent, QUICK, CLEAN) == ["lag decode_uplinks was measured too seldom to be judged"]
    assert misses_of(judged(without), without, QUICK, CLEAN) == [
        "files kafka was measured too seldom to be judged",
        "memory of Kafka was not measured",
    ]
    assert shown_series(silent)[f"lag {Part.DECODE_UPLINKS}"][0] == (0.0, None)


def test_slopes_of_latency_and_of_the_database_are_shown_without_a_bound() -> None:
    shown = table(judged(STEADY))

    assert "| database MB | MB | 39.5 | 114.5 | +360.00 | - |  |" in shown
    assert "| p99 readings | ms | 900.0 | 900.0 | +0.00 | - |  |" in shown


def judged(series: Series) -> list[Verdict]:
    """Return the verdicts on a run whose readings were quick."""
    return verdicts_of(with_latencies(series, {"readings": QUICK, "alerts": []}))


def test_latencies_are_by_the_minute_they_were_told_in(tmp_path: Path) -> None:
    tape = tmp_path / "events.jsonl"
    lines = []
    for at, latency in ((BEGIN, 20), (BEGIN + 30_000, 40), (BEGIN + 61_000, 500)):
        data = ReadingData(1, 1, format_instant(at - latency), format_instant(at - latency), 4.0)
        event = Event(EventName.READING.value, "r", 1, 1, 1, msgspec.Raw(msgspec.json.encode(data)))
        lines.append(msgspec.json.encode(Seen(Via.WEBSOCKET, at, event=msgspec.Raw(msgspec.json.encode(event)))))
    tape.write_bytes(b"\n".join(lines) + b"\n")

    readings = minutes_of(tape)["readings"]

    assert [(minute.seconds, minute.count, minute.p50) for minute in readings] == [(0.0, 2, 30.0), (60.0, 1, 500.0)]


def test_the_page_has_its_tables_and_its_drawing(tmp_path: Path) -> None:
    verdicts, minutes = verdicts_of(LEAKING), {"readings": QUICK, "alerts": []}

    draw(LEAKING, minutes, tmp_path / "soak.svg")

    assert "| memory MB detect_excursions | MB |" in table(verdicts)
    assert "**grows**" in table(verdicts)
    assert "| readings (medians of minutes) | 2,000 | 20 | 20 | 900 | 900 | 950 |" in latency_table(minutes)
    assert "a plan" in text_of("a plan", verdicts, minutes, CLEAN, ["one miss"])
    assert (tmp_path / "soak.svg").read_text().startswith("<?xml")
