"""`coldstream evaluate` on bands that a window decides: one small file of each kind, its result worked out by hand beside it."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from infra.cli import main

Found = list[dict[str, Any]]


def found(folder: Path, band: dict[str, object], rows: str, *, until: str, max_gap: str) -> Found:
    """Return what the command finds in "HH:MM value" rows of 2026-01-01, judged by one band called `band`."""
    policy, readings = folder / "policy.json", folder / "readings.csv"
    policy.write_text(json.dumps({"bands": [{"name": "band", "side": "high", "limit_celsius": 8, **band}]}))
    lines = [f"2026-01-01T{at},{value.strip('-')}" for at, value in (row.split() for row in rows.split(";"))]
    readings.write_text("\n".join(["measured_at,temperature", *lines, ""]))
    options = ["evaluate", "--policy", str(policy), "--until", f"2026-01-01T{until}", "--max-gap", max_gap, str(readings)]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 0, result.output
    shown: Found = json.loads(result.stdout)
    return shown


EXPOSED = "00:00 9; 00:10 5; 00:20 9; 00:30 9; 00:40 5; 00:50 5; 01:00 5; 01:10 5; 01:20 5"


def test_cumulative_counts_time_out_of_range_within_a_window_that_rolls(tmp_path: Path) -> None:
    """25 min of budget within the hour.

    Warm from 00:00 to 00:10 and from 00:20 to 00:40: 10 min and 15 more are reached at 00:35. At 00:40 it is 30 min, and stays so
    until the first warm span begins to leave the window at 01:00; at 01:05 it is 25 min and falling, and the temperature is in
    range. The numbers are those of 00:00 (the first reading lies within the hour before 00:35) to 01:05: 9 degrees for 30 min and
    5 for 35, (270 + 175) / 65 in the mean, 30 min of 1 degree too warm, seven readings.
    """
    band = {"kind": "cumulative", "budget_seconds": 1_500, "window_seconds": 3_600}

    assert found(tmp_path, band, EXPOSED, until="01:30", max_gap="600") == [
        {
            "band": "band",
            "started_at": "2026-01-01T00:35:00.000Z",
            "opened_at": "2026-01-01T00:35:00.000Z",
            "ended_at": "2026-01-01T01:05:00.000Z",
            "closed_at": "2026-01-01T01:05:00.000Z",
            "peak_celsius": 9.0,
            "mean_celsius": (270 + 175) / 65,
            "degree_minutes": 30.0,
            "exposure_seconds": 1_800,
            "known_seconds": 3_900,
            "unknown_seconds": 0,
            "samples": 7,
            "largest_gap_seconds": 600,
        }
    ]


def test_cumulative_of_a_shipment_never_forgets(tmp_path: Path) -> None:
    """20 min since the start: 10 min by 00:10 and 10 more by 00:30; what was too warm once stays so until the assignment ends."""
    band = {"kind": "cumulative", "budget_seconds": 1_200, "window_seconds": None}

    (one,) = found(tmp_path, band, EXPOSED, until="23:00", max_gap="600")

    assert (one["opened_at"], one["ended_at"]) == ("2026-01-01T00:30:00.000Z", None)
    assert (one["exposure_seconds"], one["known_seconds"], one["unknown_seconds"]) == (1_800, 90 * 60, (23 * 60 - 90) * 60)


def test_mean_judges_each_hour_at_its_end_if_enough_of_it_is_known(tmp_path: Path) -> None:
    """Two readings an hour, each known for half of it; "-" is a fault mark.

    00 to 01: (7 + 9) / 2 = 8, which is not above 8. 01 to 02: (8 + 9) / 2 = 8.5: an excursion from 01:00, open at 02:00.
    02 to 03: half of it known, at 9: out of range, it goes on. 03 to 04: nothing known, not judged. 04 to 05: 7, in range: it
    closes at 05:00 and has ended where the last hour out of range did, at 03:00. From 01:00 to 03:00 there are 90 min known:
    (8 * 30 + 9 * 60) / 90 in the mean, 60 min of 1 degree too warm; the longest stretch without a reading is from 02:00 on.
    """
    rows = "00:00 7; 00:30 9; 01:00 8; 01:30 9; 02:00 9; 02:30 -; 03:00 -; 04:00 7; 04:30 7"

    assert found(tmp_path, {"kind": "mean", "window_seconds": 3_600}, rows, until="06:00", max_gap="1800") == [
        {
            "band": "band",
            "started_at": "2026-01-01T01:00:00.000Z",
            "opened_at": "2026-01-01T02:00:00.000Z",
            "ended_at": "2026-01-01T03:00:00.000Z",
            "closed_at": "2026-01-01T05:00:00.000Z",
            "peak_celsius": 9.0,
            "mean_celsius": (8 * 30 + 9 * 60) / 90,
            "degree_minutes": 60.0,
            "exposure_seconds": 3_600,
            "known_seconds": 5_400,
            "unknown_seconds": 1_800,
            "samples": 3,
            "largest_gap_seconds": 3_600,
        }
    ]


def test_mean_of_an_hour_less_known_than_asked_for_is_not_judged(tmp_path: Path) -> None:
    """The hour from 02 to 03 is known for half: 0.501 of it are too much to ask, 0.5 are not."""
    band = {"kind": "mean", "window_seconds": 3_600, "min_known_fraction": 0.501}

    assert found(tmp_path, band, "02:00 9; 02:30 -", until="04:00", max_gap="1800") == []
    (one,) = found(tmp_path, {**band, "min_known_fraction": 0.5}, "02:00 9; 02:30 -", until="04:00", max_gap="1800")
    assert (one["started_at"], one["opened_at"]) == ("2026-01-01T02:00:00.000Z", "2026-01-01T03:00:00.000Z")


def test_mkt_weighs_the_warm_hours_more_than_their_share(tmp_path: Path) -> None:
    """Over 2 h of which all must be known, limit 8; with e(T) = exp(-10000 / K) relative to e(5): e(8) = 1.467591, e(15) = 3.482246.

    5 degrees from 00:00 on, 15 from 02:00 to 03:00. Out of range while more than 2 h * 0.467591 / 2.482246 = 0.376749 h of the window
    are at 15, which is 22 min 36.295 s. So it opens at 02:22:36.296, the first millisecond with more than that, and ends when 22 min
    36.295 s of the warm hour are left in the window, at 04:37:23.705. A plain mean would be above 8 only from 36 min on.
    """
    band = {"kind": "mkt", "window_seconds": 7_200, "min_known_fraction": 1}
    rows = "00:00 5; 01:00 5; 02:00 15; 03:00 5; 04:00 5; 05:00 5"

    (one,) = found(tmp_path, band, rows, until="06:00", max_gap="3600")

    assert one["started_at"] == one["opened_at"] == "2026-01-01T02:22:36.296Z"
    assert one["ended_at"] == one["closed_at"] == "2026-01-01T04:37:23.705Z"
    assert (one["peak_celsius"], one["exposure_seconds"], one["unknown_seconds"]) == (15.0, 3_600, 0)
