"""Every metric of every process, defined once: `coldstream_<area>_<noun>_<unit>_total`. Counts only; decides nothing.

Counted per batch, poll, commit or answer, never per reading. Labels are closed sets (a reason, a flow, a
partition, a route's template), never ids or anything a caller chooses. Memory, CPU and open files come with the client library.
"""

from importlib.metadata import version
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics, start_http_server

from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.settings import flag, setting, whole_number

QUICK: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 5.0)
"""Seconds around the budget of ingest: p99 < 200 ms, given up at 1.5 s."""

WORK: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds of computing one batch: tenths of a millisecond when live, under a second when catching up."""

COMMIT: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds of a transaction, of an acknowledgement; up to the minute after which the database ends a statement."""

ANSWER: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds to a REST answer."""

LATENCY: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3_600.0)
"""Seconds from acceptance: budgets at 0.5, 2 and 5 s; beyond them a backlog, up to an hour."""

SIZES: Final = (1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
"""Records or rows that are handled together."""

BUILD: Final = Gauge("coldstream_build_version", "1, with the version of the code that runs.", ["version"])

INGEST_ANSWERS: Final = Counter("coldstream_ingest_answers_total", "Answers to webhooks, by what came of each.", ["status", "outcome"])
INGEST_ACK_SECONDS: Final = Histogram("coldstream_ingest_ack_seconds", "Produce to acknowledgement.", buckets=QUICK)
INGEST_BODY_BYTES: Final = Counter("coldstream_ingest_body_bytes_total", "Bytes of accepted webhook bodies.")
INGEST_DEAD_LETTERS: Final = Counter("coldstream_ingest_dead_letters_total", "Bodies put straight to dead letters.", ["reason"])
DEAD_LETTER_REPLAYS: Final = Counter(
    "coldstream_dead_letter_replays_total", "Dead letters asked to be replayed, by what became of it.", ["status"]
)
INGEST_SECRETS: Final = Gauge("coldstream_ingest_secrets", "Secrets in the table in memory.")
INGEST_SECRETS_LOADED_AT: Final = Gauge("coldstream_ingest_secrets_loaded_at_seconds", "When that table was last loaded (Unix time).")
INGEST_SECRET_LOADS: Final = Counter("coldstream_ingest_secret_loads_total", "Loads of that table, by outcome.", ["outcome"])
INGEST_UNACKNOWLEDGED: Final = Gauge("coldstream_ingest_unacknowledged_records", "Records handed to Kafka and not yet acknowledged.")

TICKS_WRITTEN: Final = Counter("coldstream_ticks_written_total", "Ticks acknowledged by the broker.")
TICKS_MISSED: Final = Counter("coldstream_ticks_missed_total", "Rounds of ticks not written, by reason.", ["reason"])
TICKS_ACK_SECONDS: Final = Histogram("coldstream_ticks_ack_seconds", "Time until a whole round is acknowledged.", buckets=QUICK)

KAFKA_ERRORS: Final = Counter(
    "coldstream_kafka_errors_total", "Errors the Kafka client told of: while connected, reading or delivering.", ["during", "error"]
)
KAFKA_ACK_SECONDS: Final = Histogram("coldstream_kafka_ack_seconds", "Time a flow waits for its records' acknowledgement.", buckets=COMMIT)

DATABASE_CONNECTIONS: Final = Counter("coldstream_database_connections_total", "Connections a flow has opened, by its user.", ["user"])
DATABASE_RETRIES: Final = Counter("coldstream_database_retries_total", "Transactions tried again: the database was away.", ["user"])

API_ANSWERS: Final = Counter("coldstream_api_answers_total", "Answers of the REST routes.", ["route", "status"])
API_ANSWER_SECONDS: Final = Histogram("coldstream_api_answer_seconds", "Time to an answer.", ["route"], buckets=ANSWER)
API_REFUSALS: Final = Counter("coldstream_api_refusals_total", "REST requests answered with an error, by its code.", ["code"])
API_PART_UP: Final = Gauge("coldstream_api_part_up", "1 when a part the API stands on answers.", ["part"])
API_JOB_FAILURES: Final = Counter("coldstream_api_job_failures_total", "Background jobs that failed and were started again.", ["job"])

AUTH_REFUSALS: Final = Counter("coldstream_auth_refusals_total", "Access tokens refused, by reason.", ["reason"])
AUTH_KEY_FETCHES: Final = Counter("coldstream_auth_key_fetches_total", "Fetches of the signing keys.", ["outcome"])
AUTH_TEAM_FETCHES: Final = Counter("coldstream_auth_team_fetches_total", "Fetches of a user's teams.", ["outcome"])

REGISTRY_CHANGES: Final = Counter("coldstream_registry_changes_total", "Single changes of the registry, as committed.", ["kind", "action"])
REGISTRY_IMPORT_LINES: Final = Counter(
    "coldstream_registry_import_lines_total", "Lines of imports, dry runs left out, by outcome.", ["outcome"]
)

LIVE_CLIENTS: Final = Gauge("coldstream_live_clients", "Open WebSocket connections.")
LIVE_EVENTS: Final = Counter("coldstream_live_events_total", "Events received from Redis.", ["event"])
LIVE_UNREADABLE: Final = Counter("coldstream_live_unreadable_total", "Messages from Redis that were dropped, by reason.", ["reason"])
LIVE_FRAMES: Final = Counter("coldstream_live_frames_total", "Frames sent to WebSocket clients.")
LIVE_REFUSALS: Final = Counter("coldstream_live_refusals_total", "Messages of clients answered with an error, by its code.", ["code"])
LIVE_READINGS_DROPPED: Final = Counter("coldstream_live_readings_dropped_total", "Frames of readings dropped for slow clients.")
LIVE_CLOSED: Final = Counter("coldstream_live_closed_total", "Connections the server closed, by close code.", ["code"])
LIVE_RESYNCS: Final = Counter("coldstream_live_resyncs_total", "Times clients were told to fetch again, by cause.", ["cause"])
LIVE_PUBLISHED: Final = Counter("coldstream_live_published_total", "Live events a flow handed to Redis or dropped.", ["flow", "outcome"])
LIVE_PUBLISH_SECONDS: Final = Histogram(
    "coldstream_live_accepted_to_published_seconds",
    "From the broker's stamp of the uplink (or tick) to publication; of readings the oldest of each commit.",
    ["event"],
    buckets=LATENCY,
)

FLOW_RECORDS: Final = Counter("coldstream_flow_records_total", "Records a flow has read from the log.", ["flow", "topic"])
FLOW_POLL_RECORDS: Final = Histogram(
    "coldstream_flow_poll_records", "Records read together, empty polls left out.", ["flow"], buckets=SIZES
)
FLOW_RECORD_AGE: Final = Histogram(
    "coldstream_flow_record_age_seconds", "Age by the broker's stamp of the oldest record read in a poll.", ["flow"], buckets=LATENCY
)
FLOW_LAG: Final = Gauge("coldstream_flow_lag_records", "Records of the log that a flow has not read.", ["flow", "topic", "partition"])
FLOW_CLOCK: Final = Gauge(
    "coldstream_flow_clock_seconds", "The partition's clock as a flow has read it (Unix time).", ["flow", "partition"]
)
FLOW_CLOCK_AGE: Final = Gauge("coldstream_flow_clock_age_seconds", "Wall time less the partition's clock.", ["flow", "partition"])
FLOW_LEASES: Final = Counter(
    "coldstream_flow_leases_total", "What became of a cell's lease: taken, renewed or not, lost.", ["flow", "event"]
)
FLOW_COMMIT_SECONDS: Final = Histogram(
    "coldstream_flow_commit_seconds", "Time of a flow's database transaction, retries included.", ["flow"], buckets=COMMIT
)
FLOW_COMMIT_ROWS: Final = Histogram("coldstream_flow_commit_rows", "Rows, letters or facts of a transaction.", ["flow"], buckets=SIZES)

DECODE_SECONDS: Final = Histogram("coldstream_decode_batch_seconds", "Time to decode a batch of one partition.", buckets=WORK)
DECODE_UPLINKS: Final = Counter(
    "coldstream_decode_uplinks_total", "Uplinks decoded, by what decoding made of them.", ["ended_as", "reason"]
)
DECODE_READINGS: Final = Counter("coldstream_decode_readings_total", "Readings decoded: temperatures, fault marks, others.", ["kind"])
DECODE_DEAD_LETTERS: Final = Counter("coldstream_decode_dead_letters_total", "Dead letters written, by reason.", ["reason"])
REGISTRY_LOOKS: Final = Counter("coldstream_registry_looks_total", "Looks at the registry's version, by what was found.", ["outcome"])
REGISTRY_LOADED: Final = Counter("coldstream_registry_devices_loaded_total", "Devices asked of the database, registered or not.")
REGISTRY_DEVICES: Final = Gauge("coldstream_registry_devices", "Devices kept in memory, registered or not.")

STORE_READINGS: Final = Counter("coldstream_store_readings_total", "Readings offered to the hypertable, by outcome.", ["outcome"])
STORE_UPLINKS: Final = Counter("coldstream_store_uplinks_total", "Uplinks by their one end, as committed.", ["ended_as", "reason"])
STORE_REPLAYS: Final = Counter(
    "coldstream_store_replays_total", "Replayed dead letters by their end, as committed.", ["ended_as", "reason"]
)
STORE_COPIES: Final = Counter("coldstream_store_copies_total", "Ways rows went in: straight by COPY, or staged on a conflict.", ["way"])
STORE_DEAD_LETTERS: Final = Counter("coldstream_store_dead_letters_total", "Dead letters committed, by reason.", ["reason"])

DETECT_SECONDS: Final = Histogram("coldstream_detect_batch_seconds", "Time to judge a batch of one partition.", buckets=WORK)
DETECT_SNAPSHOT_SECONDS: Final = Histogram("coldstream_detect_snapshot_seconds", "Time to write one partition's state down.", buckets=WORK)
DETECT_READINGS: Final = Counter("coldstream_detect_readings_total", "Readings judged: quiet, machine, late or repeated.", ["path"])
DETECT_SENSORS: Final = Gauge("coldstream_detect_sensors", "Sensors whose state is kept.", ["partition"])
DETECT_RUNNING: Final = Gauge("coldstream_detect_running_sensors", "Those of them that are not quiet: a run, or no reading.", ["partition"])
DETECT_VERSIONS: Final = Counter("coldstream_detect_versions_total", "Excursion versions written, by reason.", ["reason"])
DETECT_CONDITIONS: Final = Counter("coldstream_detect_conditions_total", "Conditions that began or ended.", ["condition", "change"])
DETECT_STATES: Final = Counter("coldstream_detect_state_changes_total", "Sensors that changed their state, by the new one.", ["state"])
DETECT_SKIPPED: Final = Counter("coldstream_detect_facts_skipped_total", "Facts recorded before a crash, and dropped.")
REVISIONS_WAITING: Final = Gauge("coldstream_revisions_waiting", "Sensors that wait to be judged again.", ["partition"])
REVISIONS_DONE: Final = Counter(
    "coldstream_revisions_done_total",
    "Sensors judged again: changed or unchanged, overtaken by a live judgement and judged once more, or with an answer too large for the log.",
    ["outcome"],
)
REVISIONS_VERSIONS: Final = Counter(
    "coldstream_revisions_versions_total", "Excursion versions written by revisions, by reason.", ["reason"]
)
REVISIONS_SECONDS: Final = Histogram("coldstream_revisions_seconds", "Time to judge one sensor again and record it.", buckets=WORK)
REVISIONS_ROWS: Final = Histogram(
    "coldstream_revisions_rows", "Rows of a stretch that was judged again.", buckets=(1, 10, 100, 1_000, 10_000, 100_000)
)
REVISIONS_REQUESTED: Final = Counter("coldstream_revisions_requested_total", "Requests to judge a sensor again, by reason.", ["reason"])

OUTBOX_SENT: Final = Counter("coldstream_outbox_sent_total", "Events sent to the log after their commit.", ["event"])
OUTBOX_LEFT_BEHIND: Final = Counter("coldstream_outbox_left_behind_total", "Those of them found unsent on a new connection.")
OUTBOX_WAITING: Final = Gauge("coldstream_outbox_waiting_events", "Events committed and not yet sent, as the database holds them.")
OUTBOX_AGE: Final = Gauge("coldstream_outbox_oldest_seconds", "Age of the oldest of those; 0 when there is none.")


def serve_metrics(default_port: int) -> int | None:
    """Serve `GET /metrics` on METRICS_PORT when METRICS_ENABLED; return the port, or None when switched off.

    METRICS_HOST defaults to loopback. Raises Misconfigured when the port is taken.
    """
    if not flag("METRICS_ENABLED", default=False):
        return None
    port = whole_number("METRICS_PORT", default_port, least=1, most=65_535)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    BUILD.labels(version("coldstream")).set(1)
    host = setting("METRICS_HOST", "127.0.0.1")
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        message = f"METRICS_PORT {port} on {host} cannot be used: {error.strerror}; choose another or set METRICS_ENABLED=false"
        raise Misconfigured(message) from error
    return port
