"""Whether a lag grew, and by how much, is judged by the straight line through it."""

from dataclasses import replace

import pytest

from tests.bench.fleet import Plan, Window, rises, verdict
from tests.bench.lag import READS, LagLook, rise_per_second, seconds_behind
from tests.bench.latency import told_of_acknowledged
from tests.bench.page import require_load

PLAN = Plan(sensors=1_000, interval_seconds=1.0)


def looks(lag_per_second: float, flow: str = "decode_uplinks") -> list[LagLook]:
    """Return a look every 5 s of a minute, 100 records a second written to each topic, one flow falling behind."""
    found = []
    for at in range(0, 61, 5):
        written = dict.fromkeys(READS, 1_000 + 100 * at)
        read = {**written, flow: written[flow] - int(lag_per_second * at)}
        found.append(LagLook(float(at), read, written))
    return found


def window(reading_ms: int = 100, waiting: int = 0, acknowledged: int = 30_000) -> Window:
    return Window(30.0, 30_000, acknowledged, 0, waiting, 1.0, [reading_ms] * 100, [reading_ms] * 100, {}, {})


def test_a_line_is_fitted() -> None:
    assert rise_per_second([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) == 2.0
    assert rise_per_second([(1.0, 7.0)]) == 0.0


def test_a_flow_that_falls_behind_by_a_tenth_is_six_seconds_behind_after_a_minute() -> None:
    assert rises(looks(10.0))["decode_uplinks"] == pytest.approx(6.0)
    assert seconds_behind(looks(10.0)[0], looks(10.0)[-1])["decode_uplinks"] == pytest.approx(6.0)


def test_steady_lag_did_not_grow_and_met_is_met() -> None:
    said = verdict(PLAN, [window()], looks(0.0))

    assert said.startswith("no lag grew")
    assert said.endswith("budget met")


@pytest.mark.parametrize(
    ("counted", "seen", "wanted"),
    [
        (window(), looks(10.0), "LAG GREW: decode_uplinks by 6.0 s"),
        (window(), looks(10.0, "store_readings"), "LAG GREW: store_readings"),
        (window(waiting=5_000), looks(0.0), "THE SENDER WAITS"),
        (window(acknowledged=20_000), looks(0.0), "THE RATE WAS NOT KEPT: 667/s of 1,000/s"),
        (window(reading_ms=2_500), looks(0.0), "budget MISSED"),
        (replace(window(), alerts=[]), looks(0.0), "budget MISSED"),
    ],
)
def test_what_did_not_hold_is_said(counted: Window, seen: list[LagLook], wanted: str) -> None:
    assert wanted in verdict(PLAN, [counted], seen)


def test_what_was_told_is_compared_with_what_was_acknowledged_and_a_refusal_is_no_measurement() -> None:
    before, after = {"refused": 2, "acknowledged": 100}, {"refused": 2, "acknowledged": 300}

    assert told_of_acknowledged(before, after, 199) == 99.5
    with pytest.raises(RuntimeError, match="1 uplinks were refused"):
        told_of_acknowledged(before, {**after, "refused": 3}, 199)


def test_a_page_that_was_sent_less_or_had_errors_is_no_measurement() -> None:
    require_load(90, 100, [])

    with pytest.raises(RuntimeError, match="only 89 of 100"):
        require_load(89, 100, [])
    with pytest.raises(RuntimeError, match="errors"):
        require_load(100, 100, ["a is not defined"])
