"""`coldstream evaluate` with what is known beside the readings, and `coldstream defrosts`, which proposes a part of it."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.cli import main
from pipelines.domain.instants import format_instant
from tests.domain.test_defrost_pattern import Freezer, readings

BAND = {"name": "warm", "side": "high", "limit_celsius": 8, "hold_seconds": 900, "role": "operational"}
EVERYTHING = {"defrost": True, "door": True, "maintenance": True}
READINGS = """measured_at,temperature
2026-01-01T08:00,9
2026-01-01T08:10,12
2026-01-01T08:20,12
2026-01-01T08:30,7
"""


def evaluate(folder: Path, *options: str, suppress: object = EVERYTHING, beside: object = None, told: str = READINGS) -> Result:
    """Run the command on a policy of a compliance band and an operational one."""
    plain = {field: value for field, value in BAND.items() if field != "role"} | {"name": "compliance"}
    (folder / "policy.json").write_text(json.dumps({"bands": [plain, {**BAND, "suppress": suppress}]}))
    (folder / "readings.csv").write_text(told)
    if beside is not None:
        (folder / "beside.json").write_text(beside if isinstance(beside, str) else json.dumps(beside))
        options = ("--beside", str(folder / "beside.json"), *options)
    arguments = ["--policy", str(folder / "policy.json"), "--until", "2026-01-02", "--max-gap", "1800", *options]
    return CliRunner().invoke(main, ["evaluate", *arguments, str(folder / "readings.csv")])


def found(result: Result) -> dict[str, dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return {one["band"]: one for one in json.loads(result.stdout)}


def test_a_suppressed_excursion_is_shown_with_its_minutes_and_tags_and_the_compliance_band_as_ever(tmp_path: Path) -> None:
    beside = {"maintenance": [{"from": "2026-01-01T08:05Z", "to": "2026-01-01T09:00Z", "author": "Ada", "comment": "new fan"}]}

    both = found(evaluate(tmp_path, beside=beside))

    assert both["compliance"]["opened_at"] == "2026-01-01T08:15:00.000Z"
    assert "tags" not in both["compliance"]
    warm = both["warm"]
    assert (warm["opened_at"], warm["ended_at"]) == (None, "2026-01-01T08:30:00.000Z")
    assert (warm["held_back_from"], warm["suppressed_seconds"], warm["exposure_seconds"]) == ("2026-01-01T08:15:00.000Z", 1_800, 1_800)
    assert warm["tags"] == [{"excuse": "maintenance", "from": "2026-01-01T08:05:00.000Z", "to": "2026-01-01T08:30:00.000Z"}]


def test_one_that_is_told_late_says_since_when_it_was_held_back(tmp_path: Path) -> None:
    warm = found(evaluate(tmp_path, "--maintenance", "2026-01-01T08:05/2026-01-01T08:25"))["warm"]

    assert (warm["opened_at"], warm["held_back_from"]) == ("2026-01-01T08:25:00.000Z", "2026-01-01T08:15:00.000Z")
    assert warm["suppressed_seconds"] == 0
    assert [tag["excuse"] for tag in warm["tags"]] == ["maintenance"]


def test_one_that_nothing_held_back_says_so(tmp_path: Path) -> None:
    warm = found(evaluate(tmp_path))["warm"]

    assert (warm["held_back_from"], warm["suppressed_seconds"], warm["tags"]) == (None, 0, [])


def test_windows_of_the_file_and_of_options_add_up(tmp_path: Path) -> None:
    beside = {"maintenance": [{"from": "2026-01-01T08:10", "to": "2026-01-01T08:20"}]}

    warm = found(evaluate(tmp_path, "--maintenance", "2026-01-01T08:20/2026-01-01T08:29", beside=beside))["warm"]

    assert warm["opened_at"] == "2026-01-01T08:29:00.000Z"


def test_a_door_and_a_defrost_are_taken_from_the_file(tmp_path: Path) -> None:
    door = {"door": [{"from": "2026-01-01T07:58", "to": "2026-01-01T07:59"}]}
    defrost = {"defrost": {"period_seconds": 21_600, "peak_celsius": 12, "duration_seconds": 2_400}}

    by_door = found(evaluate(tmp_path, beside=door))["warm"]
    by_defrost = found(evaluate(tmp_path, beside=defrost))["warm"]

    assert (by_door["opened_at"], by_door["held_back_from"]) == ("2026-01-01T08:20:00.000Z", "2026-01-01T08:15:00.000Z")
    assert (by_defrost["opened_at"], [tag["excuse"] for tag in by_defrost["tags"]]) == (None, ["defrost"])


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        ("[", "line 1"),
        ([], "must be an object"),
        ({"doors": []}, "doors"),
        ({"door": {}}, "door: must be a list"),
        ({"door": [1]}, "door[0]"),
        ({"door": [{"from": "2026-01-01"}]}, "door[0].to"),
        ({"door": [{"from": "2026-01-01", "to": "2026-01-02", "author": "Ada"}]}, "door[0].author"),
        ({"maintenance": [{"from": "2026-01-01", "to": "2026-01-01"}]}, "maintenance[0].to"),
        ({"maintenance": [{"from": "soon", "to": "2026-01-01"}]}, "maintenance[0].from"),
        ({"defrost": []}, "defrost"),
        ({"defrost": {"period_seconds": 60, "peak_celsius": 5}}, "defrost.duration_seconds"),
        ({"defrost": {"period_seconds": 60, "peak_celsius": 5, "duration_seconds": 60}}, "defrost.period_seconds"),
        ({"defrost": {"period_seconds": 60, "peak_celsius": 5, "duration_seconds": 0}}, "defrost.duration_seconds"),
        ({"defrost": {"period_seconds": 60, "peak_celsius": True, "duration_seconds": 6}}, "defrost.peak_celsius"),
        ({"defrost": {"period_seconds": 1e30, "peak_celsius": 5, "duration_seconds": 6}}, "defrost.period_seconds"),
        ({"defrost": {"height": 5}}, "defrost.height"),
    ],
)
def test_what_cannot_be_meant_beside_the_readings_is_refused_by_field(tmp_path: Path, beside: object, named: str) -> None:
    result = evaluate(tmp_path, beside=beside)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "beside.json" in result.stderr
    assert named in result.stderr


@pytest.mark.parametrize("window", ["2026-01-01", "2026-01-02/2026-01-01", "soon/2026-01-01", "/"])
def test_a_bad_window_is_refused(tmp_path: Path, window: str) -> None:
    result = evaluate(tmp_path, "--maintenance", window)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--maintenance" in result.stderr


def test_what_is_said_in_vain_is_warned_about(tmp_path: Path) -> None:
    window = ("--maintenance", "2026-01-01T08:05/2026-01-01T08:25")

    assert "nothing is known that may suppress band 'warm'" in evaluate(tmp_path).stderr
    assert "no band of the policy is suppressed" in evaluate(tmp_path, *window, suppress=None).stderr
    assert "suppress" not in evaluate(tmp_path, *window).stderr


def defrosts(folder: Path, freezer: Freezer, band: str = "warm") -> Result:
    policy = {"name": "warm", "side": "high", "limit_celsius": -15, "hold_seconds": 900}
    cold = {"name": "cold", "side": "low", "limit_celsius": -30}
    (folder / "policy.json").write_text(json.dumps({"bands": [policy, cold]}))
    series = readings(random.Random(1), freezer)
    lines = [f"{format_instant(at)},{'' if value is None else value / 100}" for at, value in series]
    (folder / "readings.csv").write_text("\n".join(["measured_at,temperature", *lines]) + "\n")
    options = ["--policy", str(folder / "policy.json"), "--band", band, "--max-gap", "900", str(folder / "readings.csv")]
    return CliRunner().invoke(main, ["defrosts", "file", *options])


def test_defrosts_are_proposed_with_evidence_in_the_form_that_evaluate_takes(tmp_path: Path) -> None:
    proposed = json.loads(defrosts(tmp_path, Freezer()).stdout)

    assert abs(proposed["evidence"]["period_seconds"] - 21_600) < 600
    assert proposed["evidence"]["explained"] == proposed["evidence"]["rises"]
    taken = evaluate(tmp_path, beside={"defrost": proposed["defrost"]})
    assert taken.exit_code == 0, taken.output


def test_where_no_defrosts_are_recognised_it_says_why(tmp_path: Path) -> None:
    assert json.loads(defrosts(tmp_path, Freezer(period=0)).stdout) == {"defrost": None, "why": "too_few"}


@pytest.mark.parametrize("band", ["cold", "hot"])
def test_defrosts_are_sought_above_a_band_of_side_high_alone(tmp_path: Path, band: str) -> None:
    result = defrosts(tmp_path, Freezer(days=0.1), band)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--band" in result.stderr
