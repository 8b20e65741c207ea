"""The pipeline's dashboard as data, and the JSON that Grafana loads: `make golden` writes infra/grafana/pipeline.json from it.

Rows follow the way of the data. Every query names metrics of pipelines/connectors/metrics.py; a test holds them to it.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

DASHBOARD_FILE: Final = Path(__file__).parent / "pipeline.json"
WIDTH: Final = 24
"""Columns of Grafana's grid."""
HEIGHT: Final = 8
SCHEMA_VERSION: Final = 39
RATE: Final = "$__rate_interval"
"""Grafana puts an interval that fits the picture here."""


class Unit(StrEnum):
    """Units as Grafana names them."""

    PER_SECOND = "cps"
    BYTES_PER_SECOND = "Bps"
    BYTES = "bytes"
    SECONDS = "s"
    COUNT = "short"
    SHARE = "percentunit"


class Kind(StrEnum):
    """How a panel is drawn."""

    LINES = "timeseries"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Query:
    """One query and what its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    unit: Unit
    queries: tuple[Query, ...]
    kind: Kind = Kind.LINES
    says: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Pictures side by side under one title."""

    title: str
    panels: tuple[Panel, ...]


def rate(title: str, metric: str, *labels: str, unit: Unit = Unit.PER_SECOND, says: str = "") -> Panel:
    """Return the rate of a counter by some of its labels."""
    by = f"sum by ({', '.join(labels)}) " if labels else "sum"
    legend = " ".join(f"{{{{{label}}}}}" for label in labels) or title
    return Panel(title, unit, (Query(f"{by}(rate({metric}[{RATE}]))", legend),), says=says)


def heatmap(title: str, metric: str, match: str = "", unit: Unit = Unit.SECONDS, says: str = "") -> Panel:
    """Return the distribution of a histogram over time."""
    return Panel(title, unit, (Query(f"sum by (le) (rate({metric}_bucket{match}[{RATE}]))", "{{le}}"),), Kind.HEATMAP, says)


def quantiles(title: str, metric: str, match: str = "") -> Panel:
    """Return the median and the 99th percentile of a histogram of seconds."""
    queries = tuple(
        Query(f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{match}[{RATE}])))", f"p{share * 100:.0f}")
        for share in (0.5, 0.99)
    )
    return Panel(title, Unit.SECONDS, queries)


def gauge(title: str, expression: str, legend: str, unit: Unit, says: str = "") -> Panel:
    """Return a line of what a gauge stands at."""
    return Panel(title, unit, (Query(expression, legend),), says=says)


ROWS: Final = (
    Row(
        "Lag and clock",
        (
            gauge(
                "Age of the oldest partition's clock",
                "time() - min by (flow) (max by (flow, partition) (coldstream_flow_clock_seconds))",
                "{{flow}}",
                Unit.SECONDS,
                "How late each flow is, by the log's own clock. Two seconds are the grace.",
            ),
            gauge("Records not read", "sum by (flow) (coldstream_flow_lag_records)", "{{flow}}", Unit.COUNT),
            rate("Ticks written", "coldstream_ticks_written_total", says="64 a second for each API process."),
            rate("Rounds of ticks missed", "coldstream_ticks_missed_total", "reason"),
        ),
    ),
    Row(
        "Ingest",
        (
            rate("Webhook answers", "coldstream_ingest_answers_total", "outcome"),
            quantiles("Acknowledgement by Kafka", "coldstream_ingest_ack_seconds"),
            rate("Bodies put straight to dead letters", "coldstream_ingest_dead_letters_total", "reason"),
            rate("Bytes accepted", "coldstream_ingest_body_bytes_total", unit=Unit.BYTES_PER_SECOND),
        ),
    ),
    Row(
        "Decode",
        (
            rate("Uplinks by end", "coldstream_decode_uplinks_total", "ended_as"),
            rate("Readings by kind", "coldstream_decode_readings_total", "kind"),
            rate("Dead letters by reason", "coldstream_decode_dead_letters_total", "reason"),
            rate("Looks at the registry", "coldstream_registry_looks_total", "outcome"),
        ),
    ),
    Row(
        "Store",
        (
            rate("Readings by outcome", "coldstream_store_readings_total", "outcome"),
            rate("Uplinks by their one end", "coldstream_store_uplinks_total", "ended_as"),
            rate("COPY, straight or staged", "coldstream_store_copies_total", "way"),
            heatmap("Rows of a transaction", "coldstream_flow_commit_rows", '{flow="store_readings"}', Unit.COUNT),
        ),
    ),
    Row(
        "Detect",
        (
            rate("Readings by path", "coldstream_detect_readings_total", "path", says="quiet ones cost nearly nothing."),
            rate("Excursion versions by reason", "coldstream_detect_versions_total", "reason"),
            rate("Conditions", "coldstream_detect_conditions_total", "condition", "change"),
            rate("Revisions requested", "coldstream_revisions_requested_total", "reason"),
            gauge("Sensors kept", "sum(coldstream_detect_sensors)", "sensors", Unit.COUNT),
            gauge("Sensors with a run", "sum(coldstream_detect_running_sensors)", "running", Unit.COUNT),
            gauge("Oldest event that waits", "max(coldstream_outbox_oldest_seconds)", "seconds", Unit.SECONDS),
            rate("Events sent to the log", "coldstream_outbox_sent_total", "event"),
        ),
    ),
    Row(
        "Live",
        (
            gauge("WebSocket clients", "sum(coldstream_live_clients)", "clients", Unit.COUNT),
            rate("Events received from Redis", "coldstream_live_events_total", "event"),
            rate("Frames sent", "coldstream_live_frames_total"),
            rate("Readings dropped for slow clients", "coldstream_live_readings_dropped_total"),
            rate("Connections closed by us", "coldstream_live_closed_total", "code"),
            rate("Clients told to fetch again", "coldstream_live_resyncs_total", "cause"),
            rate("Events published by flows", "coldstream_live_published_total", "flow", "outcome"),
            quantiles("Accepted to published, alerts", "coldstream_live_accepted_to_published_seconds", '{event="alert"}'),
        ),
    ),
    Row(
        "Registry and replays",
        (
            rate("Changes of the registry", "coldstream_registry_changes_total", "kind", "action"),
            rate("Lines of imports", "coldstream_registry_import_lines_total", "outcome"),
            rate("Replays of dead letters", "coldstream_dead_letter_replays_total", "status"),
            rate("Dead letters stored", "coldstream_store_dead_letters_total", "reason"),
        ),
    ),
    Row(
        "Stages",
        (
            heatmap("Acknowledgement of ingest", "coldstream_ingest_ack_seconds"),
            heatmap("Age of uplinks when read by decode", "coldstream_flow_record_age_seconds", '{flow="decode_uplinks"}'),
            heatmap("Decode, a batch", "coldstream_decode_batch_seconds"),
            heatmap("Acknowledgement of the flows' records", "coldstream_kafka_ack_seconds"),
            heatmap("Age of readings when read by detect", "coldstream_flow_record_age_seconds", '{flow="detect_excursions"}'),
            heatmap("Judge, a batch", "coldstream_detect_batch_seconds"),
            heatmap("Snapshot of a partition", "coldstream_detect_snapshot_seconds"),
            heatmap("Commit of judgements", "coldstream_flow_commit_seconds", '{flow="detect_excursions"}'),
            heatmap("Age of readings when read by store", "coldstream_flow_record_age_seconds", '{flow="store_readings"}'),
            heatmap("Commit of readings", "coldstream_flow_commit_seconds", '{flow="store_readings"}'),
            heatmap("Accepted to published, readings", "coldstream_live_accepted_to_published_seconds", '{event="readings"}'),
            heatmap("Accepted to published, alerts", "coldstream_live_accepted_to_published_seconds", '{event="alert"}'),
        ),
    ),
    Row(
        "Parts and processes",
        (
            gauge("Parts the API reaches", "min by (part) (coldstream_api_part_up)", "{{part}}", Unit.COUNT),
            rate("Transactions tried again", "coldstream_database_retries_total", "user"),
            rate("Errors of Kafka's clients", "coldstream_kafka_errors_total", "during", "error"),
            rate("REST answers", "coldstream_api_answers_total", "status"),
            gauge("Memory", 'process_resident_memory_bytes{job=~"coldstream.*"}', "{{instance}}", Unit.BYTES),
            rate("CPU", "process_cpu_seconds_total", "instance", unit=Unit.SHARE),
            gauge("Open files", 'process_open_fds{job=~"coldstream.*"}', "{{instance}}", Unit.COUNT),
            gauge("Versions that run", "count by (version) (coldstream_build_version)", "{{version}}", Unit.COUNT),
        ),
    ),
)


def dashboard() -> str:
    """Return the JSON of the dashboard."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in ROWS:
        panels.append({"id": len(panels) + 1, "type": "row", "title": row.title, "gridPos": position(0, y, WIDTH, 1), "panels": []})
        y += 1
        columns = 4 if len(row.panels) % 4 == 0 else 3
        width = WIDTH // columns
        for index, panel in enumerate(row.panels):
            place = position(index % columns * width, y + index // columns * HEIGHT, width, HEIGHT)
            panels.append(drawn(len(panels) + 1, panel, place))
        y += -(-len(row.panels) // columns) * HEIGHT
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    content = {
        "uid": "coldstream-pipeline",
        "title": "Coldstream: the pipeline",
        "schemaVersion": SCHEMA_VERSION,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }
    return json.dumps(content, indent=1) + "\n"


def position(x: int, y: int, width: int, height: int) -> dict[str, int]:
    """Return a place of Grafana's grid."""
    return {"x": x, "y": y, "w": width, "h": height}


def drawn(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    """Return a panel as Grafana has it."""
    source = {"type": "prometheus", "uid": "${source}"}
    form = "heatmap" if panel.kind is Kind.HEATMAP else "time_series"
    targets = [
        {"refId": chr(ord("A") + index), "datasource": source, "expr": query.expression, "legendFormat": query.legend, "format": form}
        for index, query in enumerate(panel.queries)
    ]
    found: dict[str, Any] = {
        "id": number,
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.says,
        "datasource": source,
        "gridPos": place,
        "targets": targets,
    }
    if panel.kind is Kind.HEATMAP:
        found["options"] = {"calculate": False, "yAxis": {"unit": panel.unit.value}, "legend": {"show": False}}
    else:
        found["fieldConfig"] = {"defaults": {"unit": panel.unit.value, "min": 0}, "overrides": []}
    return found
