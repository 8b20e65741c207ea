"""Alerts and dashboard name only what is served; each alert says what to do, and where that is written down."""

import re
from typing import Any, Final

import msgspec
import pytest

from infra.grafana.dashboard import DASHBOARD_FILE, ROWS, dashboard
from infra.local.folders import REPOSITORY
from infra.local.parts import FLOWS
from infra.local.ports import Ports
from tests.infra.monitoring_rules import SCRAPE_FILE, faults, queries, rules

OPERATING: Final = (REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8")
AT_ONCE: Final = frozenset({"Watchdog", "ColdstreamJobFails", "ColdstreamProcessRestarts", "ColdstreamEventsUnreadable"})
"""Rules without a `for`: one such event is enough, or they look back over a time of their own."""


def test_every_query_names_what_is_served() -> None:
    assert list(faults(queries())) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("sum(rate(coldstream_planted_total[5m]))", "coldstream_planted_total is served by nobody"),
        ("sum(rate(coldstream_flow_records[5m]))", "coldstream_flow_records is served by nobody"),
        ('coldstream_flow_lag_records{cell="a"}', "coldstream_flow_lag_records has no label cell"),
        ("sum by (reason) (coldstream_flow_lag_records)", "nothing has the label reason"),
        ("rate(coldstream_flow_lag_records[5m])", "coldstream_flow_lag_records may fall"),
        ("sum(coldstream_flow_lag_records", "sum(coldstream_flow_lag_records: "),
    ],
)
def test_a_planted_fault_in_a_query_is_caught(expression: str, said: str) -> None:
    found = list(faults([expression]))

    assert len(found) == 1
    assert found[0].startswith(said)


def test_every_alert_says_what_to_do_and_has_its_section() -> None:
    sections = {heading.lower() for heading in re.findall(r"^### (\w+)$", OPERATING, re.MULTILINE)}

    for rule in rules():
        page, _, section = rule.annotations["runbook"].partition("#")

        assert (page, section) == ("docs/operating.md", rule.alert.lower())
        assert section in sections
        assert {"summary", "description"} <= set(rule.annotations)
        assert rule.labels["severity"] in {"none", "warning", "critical"}


def test_only_the_named_few_fire_at_once() -> None:
    assert {rule.alert for rule in rules() if rule.lasts is None} == AT_ONCE


def test_the_watchdog_always_fires() -> None:
    assert [rule.expr for rule in rules() if rule.alert == "Watchdog"] == ["vector(1)"]


def test_every_process_of_the_local_stack_is_scraped() -> None:
    ports = Ports()
    scraped: Any = msgspec.yaml.decode(SCRAPE_FILE.read_bytes())

    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in scraped["scrape_configs"]}

    assert targets == {
        "coldstream_api": [f"127.0.0.1:{ports.api_metrics}"],
        "coldstream_flows": [f"127.0.0.1:{ports.metrics(place)}" for place in range(len(FLOWS))],
    }


def test_the_dashboard_is_the_one_of_the_code() -> None:
    assert DASHBOARD_FILE.read_text(encoding="utf-8") == dashboard(), "run `make golden` and read the diff"


def test_no_two_panels_stand_in_one_place() -> None:
    panels: Any = msgspec.json.decode(dashboard())["panels"]
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(panels) == sum(1 + len(row.panels) for row in ROWS)
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_containers_find_every_file_they_are_given() -> None:
    compose: Any = msgspec.yaml.decode((REPOSITORY / "infra" / "compose.yaml").read_bytes())

    mounted = [
        volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", ()) if volume[0] == "."
    ]

    assert len(mounted) == 3
    assert [path for path in mounted if not (REPOSITORY / "infra" / path).exists()] == []
