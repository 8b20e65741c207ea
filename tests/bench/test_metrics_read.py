"""The bench finds the counters it reads in what the product shows, under whatever further labels they have."""

import re

import pytest
from prometheus_client import generate_latest

from pipelines.connectors import metrics
from tests.bench import flow_process, lag, simulator_process


def test_every_counter_that_the_bench_reads_is_shown() -> None:
    metrics.FLOW_RECORDS.labels("decode_uplinks", "uplinks").inc(3)
    metrics.STORE_READINGS.labels("stored").inc(4)
    metrics.DETECT_READINGS.labels("quiet").inc(5)
    metrics.INGEST_ANSWERS.labels("202", "accepted").inc(6)

    text = generate_latest()

    assert ("decode_uplinks", "uplinks") in {(flow, topic) for flow, topic, _ in lag.RECORDS.findall(text.decode())}
    assert flow_process.RECORDS.findall(text)
    assert flow_process.STORED.findall(text)
    assert b"quiet" in dict(flow_process.COUNTER.findall(text))
    assert simulator_process.ACCEPTED.findall(text)


@pytest.mark.parametrize("pattern", [flow_process.STORED, simulator_process.ACCEPTED])
def test_another_outcome_is_not_counted(pattern: re.Pattern[bytes]) -> None:
    text = b'coldstream_store_readings_total{outcome="late"} 1.0\ncoldstream_ingest_answers_total{outcome="x",status="503"} 2.0\n'

    assert pattern.findall(text) == []
