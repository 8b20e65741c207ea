"""Every policy to start from, given to `coldstream evaluate` over an invented day or two: which of its bands open, and when.

Readings come each hour and hold for it. A hold of minutes with `min_samples` 2 is reached with the second warm reading, an hour on.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from pipelines.domain.registration.presets import PRESETS

START = datetime(2026, 1, 1)  # noqa: DTZ001 - written without a zone, as UTC
Runs = list[tuple[int, float]]

DAYS: dict[str, tuple[Runs, dict[str, str]]] = {
    # 12 h at 10: above 8 for 10 h at 10:00.
    "vaccine_refrigerator": ([(12, 10), (6, 5)], {"heat": "01T10:00:00.000", "warm": "01T01:00:00.000"}),
    # 10 h at 30, the limit itself counts, in two stretches of 6: 6 h, 6 h of pause, and 4 more.
    "freeze_sensitive_shipment": ([(6, 30), (6, 5), (6, 30)], {"warm in all": "01T16:00:00.000"}),
    # 10 h at 30 by 10:00; of 10 or more it is 20 h by 20:00.
    "heat_sensitive_shipment": ([(12, 30), (12, 10)], {"hot in all": "01T10:00:00.000", "warm in all": "01T20:00:00.000"}),
    # A day at 5, then 15, which is the limit of "hot" itself. The mean kinetic temperature of 24 h exceeds 8 once
    # 24 * (e(8) - e(5)) / (e(15) - e(5)) hours are at 15, e(T) = exp(-10000 / K): 24 * 0.467591362 / 2.482245727 = 4.520984 h.
    "pharmacy_cold": (
        [(24, 5), (6, 15), (24, 5)],
        {"hot": "02T00:00:00.000", "warm": "02T01:00:00.000", "kinetic": "02T04:31:15.542"},
    ),
    # 24 h above 25 in 30 days, by the end of the first day; of the mean kinetic temperature's 30 days not half is known yet.
    "controlled_room_temperature": ([(26, 26)], {"warm in all": "02T00:00:00.000"}),
    # 5 h at 7: the fourth hour is full at 04:00.
    "food_cold_holding": ([(5, 7), (5, 3)], {"warm": "01T01:00:00.000", "warm in all": "01T04:00:00.000"}),
    # 7 h at 22: above 21 at once, and six hours above 5 at 06:00.
    "food_without_cold_holding": ([(7, 22)], {"hot": "01T00:00:00.000", "warm in all": "01T06:00:00.000"}),
    "freezer": ([(2, -20), (3, -10), (3, -20)], {"thawing": "01T03:00:00.000"}),
}


def opened(folder: Path, name: str) -> dict[str, str]:
    """Return when each band of a preset opened over its days, up to an hour after the last reading."""
    preset = next(preset for preset in PRESETS if preset.id == name)
    values = [value for hours, value in DAYS[name][0] for _ in range(hours)]
    policy, readings = folder / "policy.json", folder / "readings.csv"
    policy.write_text(json.dumps(preset.document))
    lines = [f"{(START + timedelta(hours=hour)).isoformat()},{value}" for hour, value in enumerate(values)]
    readings.write_text("\n".join(["measured_at,temperature", *lines, ""]))
    until = (START + timedelta(hours=len(values))).isoformat()
    result = CliRunner().invoke(main, ["evaluate", "--policy", str(policy), "--until", until, "--max-gap", "3600", str(readings)])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert len({one["band"] for one in found}) == len(found)
    return {one["band"]: one["opened_at"] for one in found}


@pytest.mark.parametrize("name", [preset.id for preset in PRESETS])
def test_a_preset_finds_what_its_figures_say(tmp_path: Path, name: str) -> None:
    found = opened(tmp_path, name)

    expected = DAYS[name][1]
    assert set(found) == set(expected)
    for band, at in expected.items():
        assert found[band] == f"2026-01-{at}Z", band
