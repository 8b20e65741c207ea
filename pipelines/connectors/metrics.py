"""Every metric of every process, defined once: `coldstream_<area>_<noun>_<unit>_total`. Counts only; decides nothing.

Labels are closed sets (a reason, a flow, a partition, a route's template), never ids or anything a caller chooses.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics, start_http_server

from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.settings import flag, setting, whole_number

ACK_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 5.0)
"""Around the budget of ingest: p99 < 200 ms, given up at 1.5 s."""

ANSWER_BUCKETS: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

INGEST_ANSWERS: Final = Counter("coldstream_ingest_answers_total", "Answers to webhooks.", ["status"])
INGEST_ACK_SECONDS: Final = Histogram("coldstream_ingest_ack_seconds", "Produce to acknowledgement.", buckets=ACK_BUCKETS)
INGEST_BODY_BYTES: Final = Counter("coldstream_ingest_body_bytes_total", "Bytes of accepted webhook bodies.")
INGEST_DEAD_LETTERS: Final = Counter("coldstream_ingest_dead_letters_total", "Bodies put straight to dead letters.", ["reason"])
INGEST_SECRETS: Final = Gauge("coldstream_ingest_secrets", "Secrets in the table in memory.")
INGEST_SECRETS_LOADED_AT: Final = Gauge("coldstream_ingest_secrets_loaded_at_seconds", "When that table was last loaded (Unix time).")

TICKS_WRITTEN: Final = Counter("coldstream_ticks_written_total", "Ticks acknowledged by the broker.")
TICKS_MISSED: Final = Counter("coldstream_ticks_missed_total", "Rounds of ticks not written, by reason.", ["reason"])

API_ANSWERS: Final = Counter("coldstream_api_answers_total", "Answers of the REST routes.", ["route", "status"])
API_ANSWER_SECONDS: Final = Histogram("coldstream_api_answer_seconds", "Time to an answer.", ["route"], buckets=ANSWER_BUCKETS)
API_PART_UP: Final = Gauge("coldstream_api_part_up", "1 when a part the API stands on answers.", ["part"])

AUTH_REFUSALS: Final = Counter("coldstream_auth_refusals_total", "Access tokens refused, by reason.", ["reason"])
AUTH_KEY_FETCHES: Final = Counter("coldstream_auth_key_fetches_total", "Fetches of the signing keys.", ["outcome"])

LIVE_CLIENTS: Final = Gauge("coldstream_live_clients", "Open WebSocket connections.")
LIVE_EVENTS: Final = Counter("coldstream_live_events_total", "Events received from Redis.", ["event"])
LIVE_FRAMES: Final = Counter("coldstream_live_frames_total", "Frames sent to WebSocket clients.")
LIVE_READINGS_DROPPED: Final = Counter("coldstream_live_readings_dropped_total", "Frames of readings dropped for slow clients.")
LIVE_CLOSED: Final = Counter("coldstream_live_closed_total", "Connections the server closed, by close code.", ["code"])
LIVE_RESYNCS: Final = Counter("coldstream_live_resyncs_total", "Times Redis came back and clients were told to fetch again.")

FLOW_RECORDS: Final = Counter("coldstream_flow_records_total", "Records a flow has read from the log.", ["flow"])
FLOW_LAG: Final = Gauge("coldstream_flow_lag_records", "Records of the log that a flow has not read.", ["flow", "topic", "partition"])
FLOW_CLOCK: Final = Gauge(
    "coldstream_flow_clock_seconds", "The partition's clock as a flow has read it (Unix time).", ["flow", "partition"]
)
FLOW_CLOCK_AGE: Final = Gauge("coldstream_flow_clock_age_seconds", "Wall time less the partition's clock.", ["flow", "partition"])
FLOW_COMMIT_SECONDS: Final = Histogram("coldstream_flow_commit_seconds", "Time of a flow's database transaction.", ["flow"])

DECODE_UPLINKS: Final = Counter("coldstream_decode_uplinks_total", "Uplinks decoded, by what decoding made of them.", ["ended_as"])
DECODE_DEAD_LETTERS: Final = Counter("coldstream_decode_dead_letters_total", "Dead letters written, by reason.", ["reason"])
STORE_READINGS: Final = Counter("coldstream_store_readings_total", "Readings offered to the hypertable, by outcome.", ["outcome"])
DETECT_READINGS: Final = Counter("coldstream_detect_readings_total", "Readings judged: quiet, machine, late or repeated.", ["path"])
DETECT_VERSIONS: Final = Counter("coldstream_detect_versions_total", "Excursion versions written, by reason.", ["reason"])


def serve_metrics(default_port: int) -> int | None:
    """Serve `GET /metrics` on METRICS_PORT when METRICS_ENABLED; return the port, or None when switched off.

    METRICS_HOST defaults to loopback. Raises Misconfigured when the port is taken.
    """
    if not flag("METRICS_ENABLED", default=False):
        return None
    port = whole_number("METRICS_PORT", default_port, least=1, most=65_535)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    host = setting("METRICS_HOST", "127.0.0.1")
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        message = f"METRICS_PORT {port} on {host} cannot be used: {error.strerror}; choose another or set METRICS_ENABLED=false"
        raise Misconfigured(message) from error
    return port
