"""`coldstream evaluate` from files to JSON: what it prints, and what it refuses with exit 2 and nothing on stdout."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.cli import main

POLICY = '{"bands": [{"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 600, "min_samples": 2}]}'
READINGS = """measured_at,temperature
2026-01-01T00:40:00Z,7.9
2026-01-01T00:00:00.123456789Z,9.005
2026-01-01T00:05:00.123,
2026-01-01T02:20:00.123+02:00,8.1
"""


class Workplace:
    """A folder with a policy and readings, and the command run on them."""

    def __init__(self, folder: Path) -> None:
        self.policy = folder / "policy.json"
        self.readings = folder / "readings.csv"
        self.policy.write_text(POLICY)
        self.readings.write_text(READINGS)

    def evaluate(self, *, until: str = "2026-01-02", max_gap: str = "900", stdin: bytes | None = None) -> Result:
        readings = str(self.readings) if stdin is None else "-"
        options = ["evaluate", "--policy", str(self.policy), "--until", until, "--max-gap", max_gap, readings]
        return CliRunner().invoke(main, options, input=stdin)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def refused(result: Result, *named: str) -> bool:
    """Tell whether the command refused its input as it must, naming these."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    for name in named:
        assert name in result.stderr
    return True


def test_it_prints_every_field_of_the_contract(workplace: Workplace) -> None:
    result = workplace.evaluate()

    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {
            "band": "warm",
            "started_at": "2026-01-01T00:00:00.123Z",
            "opened_at": "2026-01-01T00:25:00.123Z",
            "ended_at": "2026-01-01T00:40:00.000Z",
            "closed_at": "2026-01-01T00:40:00.000Z",
            "peak_celsius": 9.01,
            "mean_celsius": (9.01 * 5 + 8.1 * 15) / 20,
            "degree_minutes": 6.55,
            "exposure_seconds": 1200,
            "known_seconds": 1200,
            "unknown_seconds": 1199.877,
            "samples": 2,
            "largest_gap_seconds": 1200,
        }
    ]


def test_an_open_excursion_has_no_end(workplace: Workplace) -> None:
    result = workplace.evaluate(until="2026-01-01T00:30:00")

    (found,) = json.loads(result.stdout)
    assert (found["ended_at"], found["closed_at"]) == (None, None)


def test_nothing_found_is_an_empty_list(workplace: Workplace) -> None:
    assert json.loads(workplace.evaluate(until="2025-01-01").stdout) == []
    assert json.loads(workplace.evaluate(stdin=b"measured_at,temperature\n").stdout) == []


def test_readings_may_come_from_standard_input(workplace: Workplace) -> None:
    assert workplace.evaluate(stdin=READINGS.encode()).stdout == workplace.evaluate().stdout


def test_a_byte_order_mark_blank_lines_and_carriage_returns_do_no_harm(workplace: Workplace) -> None:
    told = b"\xef\xbb\xbf" + READINGS.replace("\n", "\r\n").encode() + b"\r\n\r\n"

    assert workplace.evaluate(stdin=told).stdout == workplace.evaluate().stdout


def test_excursions_are_sorted_by_band_then_start(workplace: Workplace) -> None:
    workplace.policy.write_text(
        '{"bands": [{"name": "z", "side": "high", "limit_celsius": 8}, {"name": "a", "side": "high", "limit_celsius": 9}]}'
    )
    told = b"measured_at,temperature\n2026-01-01,9.5\n2026-01-01T00:01,7\n2026-01-01T00:02,9.5\n"

    found = json.loads(workplace.evaluate(stdin=told).stdout)

    assert [(one["band"], one["started_at"][14:16]) for one in found] == [("a", "00"), ("a", "02"), ("z", "00"), ("z", "02")]


def test_impossible_temperatures_are_fault_marks(workplace: Workplace) -> None:
    told = b"measured_at,temperature\n2026-01-01,327.67\n2026-01-01T00:01,nan\n2026-01-01T00:02, \n2026-01-01T00:03,-100.01\n"

    assert json.loads(workplace.evaluate(stdin=told).stdout) == []


def test_warnings_go_to_standard_error(workplace: Workplace) -> None:
    workplace.policy.write_text(POLICY.replace('"min_samples": 2', '"min_samples": 1'))

    result = workplace.evaluate()

    assert result.exit_code == 0
    assert "bands[0].hold_seconds" in result.stderr
    assert json.loads(result.stdout)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("2026-01-01T00:00:00Z,warm", "temperature"),
        ("2026-01-01T00:00:00Z,5,5", "temperature"),
        ("2026-01-01T00:00:00Z", "temperature"),
        ("soon,5", "measured_at"),
        (",5", "measured_at"),
        ("1767225600,5", "measured_at"),
        ("2026-02-30T00:00:00Z,5", "measured_at"),
        ('"2026-01-01T00:00:00Z,5', ""),
    ],
)
def test_a_bad_row_is_refused_by_line_and_field(workplace: Workplace, row: str, field: str) -> None:
    workplace.readings.write_text("measured_at,temperature\n2026-01-01,5\n" + row + "\n")

    assert refused(workplace.evaluate(), "readings.csv", "line 3", field)


def test_a_bad_row_after_until_is_still_refused(workplace: Workplace) -> None:
    workplace.readings.write_text("measured_at,temperature\n2030-01-01,warm\n")

    assert refused(workplace.evaluate(), "line 2", "temperature")


@pytest.mark.parametrize("told", [b"", b"time,value\n", b"2026-01-01,5\n", b"measured_at\n"])
def test_a_missing_header_is_refused(workplace: Workplace, told: bytes) -> None:
    assert refused(workplace.evaluate(stdin=told), "line 1", "measured_at,temperature")


def test_text_that_is_not_utf_8_is_refused(workplace: Workplace) -> None:
    assert refused(workplace.evaluate(stdin=b"measured_at,temperature\n2026-01-01,\xff\xfe\n"), "UTF-8")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ('{"bands": [', "line 1"),
        ('{"bands":\n [}', "line 2"),
        ('{"bands": []}', "bands"),
        (POLICY.replace("600", "-600"), "bands[0].hold_seconds"),
        (POLICY.replace("600", "NaN"), "bands[0].hold_seconds"),
        (POLICY.replace('"min_samples"', '"samples"'), "bands[0].samples"),
        (POLICY.replace("600", "1" * 5000), "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"bands": [{"name": "m", "kind": "mode", "side": "high", "limit_celsius": 8}]}', "bands[0].kind"),
        ('{"bands": [{"name": "m", "kind": "mean", "side": "high", "limit_celsius": 8}]}', "bands[0].window_seconds"),
    ],
)
def test_a_bad_policy_is_refused_by_band_and_field(workplace: Workplace, document: str, named: str) -> None:
    workplace.policy.write_text(document)

    assert refused(workplace.evaluate(), "policy.json", named)


@pytest.mark.parametrize("until", ["", "tomorrow", "2026-01-01T25:00"])
def test_a_bad_horizon_is_refused(workplace: Workplace, until: str) -> None:
    assert refused(workplace.evaluate(until=until), "--until")


@pytest.mark.parametrize("max_gap", ["", "0", "0.0004", "-5", "nan", "inf", "1e999999", "ten"])
def test_a_bad_max_gap_is_refused(workplace: Workplace, max_gap: str) -> None:
    assert refused(workplace.evaluate(max_gap=max_gap), "--max-gap")


def test_files_that_are_not_there_are_refused(workplace: Workplace) -> None:
    workplace.readings.unlink()
    assert refused(workplace.evaluate(), "readings.csv")

    workplace.policy.unlink()
    assert refused(workplace.evaluate(), "policy.json")


def test_options_that_are_missing_are_refused() -> None:
    assert CliRunner().invoke(main, ["evaluate", "x.csv"]).exit_code == 2
