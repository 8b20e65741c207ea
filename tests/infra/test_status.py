"""What `coldstream status` calls wrong, and how it shows what it saw."""

from dataclasses import replace

import pytest

from infra.status.judging import Wrong, problems
from infra.status.looking import process_of
from infra.status.seen import CellSeen, ProcessSeen, ranges
from infra.status.table import document, table

NOW = 1_000_000.0
FLOW = "store_readings"
WELL = CellSeen(
    flow=FLOW,
    cell="store_readings-00-03",
    partitions=(0, 1, 2, 3),
    host="box",
    pid=4711,
    metrics_port=7411,
    renewed_seconds=3.2,
    is_held=True,
    is_let_go=False,
    lag=12,
    lag_before=0,
    per_second=250.4,
    process=ProcessSeen(NOW - 3.1, 91_000_000),
)


def wrongs(*cells: CellSeen) -> list[Wrong]:
    """Return what is wrong with cells of a flow of four partitions."""
    return [problem.wrong for problem in problems(cells, {FLOW: 4}, NOW)]


def test_nothing_is_wrong_while_every_partition_is_held_and_read() -> None:
    assert wrongs(WELL) == []


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        (replace(WELL, is_held=False, is_let_go=True), Wrong.NO_HOLDER),
        (replace(WELL, is_held=False, renewed_seconds=400.0), Wrong.NOT_RENEWED),
        (replace(WELL, partitions=(0, 1, 3)), Wrong.NO_HOLDER),
        (replace(WELL, renewed_seconds=13.0), Wrong.NOT_RENEWED),
        (replace(WELL, lag_before=5_000, lag=5_001), Wrong.LAG_GROWS),
        (replace(WELL, process=ProcessSeen(NOW - 31.0, None)), Wrong.CLOCK_OLD),
    ],
)
def test_each_thing_that_is_wrong_has_a_reason(changed: CellSeen, wrong: Wrong) -> None:
    assert wrongs(changed) == [wrong]


@pytest.mark.parametrize(
    "changed",
    [
        replace(WELL, lag=999, lag_before=10),
        replace(WELL, lag=5_000, lag_before=9_000),
        replace(WELL, lag=5_000, lag_before=None),
        replace(WELL, process=None),
        replace(WELL, process=ProcessSeen(None, None)),
    ],
)
def test_little_or_shrinking_lag_and_what_cannot_be_seen_are_not_wrong(changed: CellSeen) -> None:
    assert wrongs(changed) == []


def test_a_flow_that_never_ran_has_no_holder() -> None:
    (problem,) = problems([], {FLOW: 64}, NOW)

    assert problem.line().startswith("store_readings 00-63: no process works on them. Start one: coldstream flow store_readings")


def test_partitions_are_named_as_ranges() -> None:
    assert ranges((5, 0, 1, 2, 7, 8)) == "00-02, 05-05, 07-08"


def test_the_table_has_a_line_for_each_cell_and_a_dash_for_what_cannot_be_seen() -> None:
    unseen = replace(WELL, is_held=False, process=None, lag=None, per_second=None)
    lines = table([WELL, unseen, replace(unseen, is_let_go=True)], NOW)

    assert [" ".join(line.split()) for line in lines] == [
        "flow partitions holder lag clock records/s saved memory",
        "store_readings 00-03 4711@box 12 3.1 s 250 3.2 s 91 MB",
        "store_readings 00-03 4711@box, not heard - - - 3.2 s -",
        "store_readings 00-03 nobody (was 4711@box) - - - 3.2 s -",
    ]


def test_the_document_says_the_same_with_units_in_its_names() -> None:
    told = document([WELL], problems([WELL], {FLOW: 5}, NOW), NOW)

    assert told["cells"][0]["clock_age_seconds"] == 3.1
    assert told["cells"][0]["holder"] == {"host": "box", "pid": 4711, "metrics_port": 7411}
    assert told["problems"][0]["reason"] == "no_holder"


def test_the_oldest_clock_of_the_flow_and_the_memory_are_read_from_the_metrics() -> None:
    text = (
        "# TYPE coldstream_flow_clock_seconds gauge\n"
        'coldstream_flow_clock_seconds{flow="store_readings",partition="0"} 100.5\n'
        'coldstream_flow_clock_seconds{flow="store_readings",partition="1"} 99.5\n'
        'coldstream_flow_clock_seconds{flow="another",partition="1"} 1.0\n'
        "# TYPE process_resident_memory_bytes gauge\n"
        "process_resident_memory_bytes 9.1e+07\n"
    )

    assert process_of(FLOW, text) == ProcessSeen(99.5, 91_000_000)
    assert process_of(FLOW, "") == ProcessSeen(None, None)
