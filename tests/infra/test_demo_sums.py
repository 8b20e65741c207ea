"""What a demo sums up: ends that must agree, events heard and how soon, and when a flow has caught up."""

from collections import Counter

import msgspec
import pytest

from infra.demo.ends import Ends, disagreement
from infra.demo.listener import Heard, latency, percentile
from infra.demo.settling import sum_of
from infra.simulator.tally import Tally
from infra.simulator.uplink import UplinkKind
from pipelines.domain.instants import format_instant

AT = 1_795_583_976_823


def tally(sent: int, acknowledged: int, retries: int = 0) -> Tally:
    return Tally(sent=Counter({UplinkKind.READING: sent}), acknowledged=acknowledged, retries=retries)


def event(name: str, data: dict[str, object]) -> str:
    envelope = {"event": name, "cursor": "c", "organization": 1, "site": 1, "unit": 1, "data": data}
    return msgspec.json.encode(envelope).decode()


def reading(received_at: int) -> dict[str, object]:
    return {
        "sensor": 1,
        "unit": 1,
        "measured_at": format_instant(received_at),
        "received_at": format_instant(received_at),
    }


def test_sums_agree_when_every_acknowledged_uplink_ended() -> None:
    assert disagreement(tally(10, 10), Ends({"stored": 7, "duplicate": 1}, put_aside=2)) is None


@pytest.mark.parametrize("ended", [7, 9])
def test_an_uplink_without_an_end_or_with_two_is_told_with_both_numbers(ended: int) -> None:
    line = disagreement(tally(8, 8), Ends({"stored": ended}, put_aside=0))

    assert line is not None
    assert "8 uplinks were acknowledged" in line
    assert f"{ended} ended" in line


def test_a_retried_uplink_may_be_in_the_log_twice() -> None:
    assert disagreement(tally(8, 8, retries=1), Ends({"stored": 8, "duplicate": 1}, put_aside=0)) is None
    assert disagreement(tally(8, 8, retries=1), Ends({"stored": 8, "duplicate": 2}, put_aside=0)) is not None


def test_an_uplink_that_was_never_acknowledged_is_told() -> None:
    assert disagreement(tally(8, 7), Ends({"stored": 7}, put_aside=0)) == "8 uplinks were sent and only 7 acknowledged"


def test_what_ingest_put_aside_counts_as_rejected() -> None:
    assert Ends({"rejected": 2}, put_aside=3).shown()["rejected"] == 5


def test_each_reading_of_a_batch_has_its_own_latency() -> None:
    heard = Heard()

    heard.take(event("sensor:readings:batch", {"readings": [reading(AT - 30), reading(AT - 50)]}), AT)

    assert heard.events == {"sensor:readings:batch": 1}
    assert heard.readings == 2
    assert list(heard.reading_ms) == [30, 50]


def test_an_alert_is_timed_from_what_caused_it() -> None:
    heard = Heard()
    alert = {
        "id": "x",
        "version": 1,
        "category": "temperature",
        "severity": "critical",
        "sensor": 1,
        "device": 1,
        "started_at": format_instant(AT - 9_000),
        "opened_at": format_instant(AT - 1_000),
        "caused_by_received_at": format_instant(AT - 700),
    }

    heard.take(event("alert:triggered", alert), AT)
    heard.take(event("alert:resolved", {**alert, "caused_by_received_at": None}), AT)

    assert list(heard.alert_ms) == [700]
    assert heard.events.total() == 2


def test_frames_about_the_connection_are_no_events() -> None:
    heard = Heard()

    heard.take('{"type":"subscribed","site":1}', AT)

    assert heard.events.total() == 0


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_value_that_occurred(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_being_told_to_fetch_again_is_counted() -> None:
    heard = Heard()

    heard.take('{"type":"resync"}', 1)
    heard.take('{"type":"subscribed"}', 2)

    assert heard.resyncs == 1


def test_no_values_have_no_percentile() -> None:
    assert latency(Heard().alert_ms) == {"count": 0, "p50": None, "p99": None}


def test_a_metric_is_summed_over_its_labels() -> None:
    text = 'lag_records{partition="1"} 2.0\nlag_records{partition="2"} 3.0\nlag_records_more 9.0\n# HELP lag_records x\n'

    assert sum_of(text, "lag_records") == 5.0
    assert sum_of(text, "absent") is None
