"""The containers run with the same settings as the child processes."""

from typing import Final

import pytest

from infra.local import kafka, postgres
from infra.local.folders import REPOSITORY
from infra.local.ports import Ports

COMPOSE: Final = (REPOSITORY / "infra" / "compose.yaml").read_text()
OF_THE_PLACE: Final = frozenset(
    {
        "controller.quorum.bootstrap.servers",
        "inter.broker.listener.name",
        "listener.security.protocol.map",
        "listeners",
        "advertised.listeners",
        "log.dirs",
        "num.network.threads",
        "num.io.threads",
        "log.cleaner.dedupe.buffer.size",
    }
)
"""Settings that differ in a container: addresses, folders, and what is sized for two cores."""


def broker_settings() -> list[tuple[str, str]]:
    """Return the broker settings that must be the same in a container."""
    lines = (line.partition("=") for line in kafka.SERVER_PROPERTIES.splitlines())
    return [(name, value) for name, _, value in lines if name not in OF_THE_PLACE]


@pytest.mark.parametrize(("name", "value"), broker_settings())
def test_broker_in_a_container_has_the_setting(name: str, value: str) -> None:
    variable = f"KAFKA_{name.replace('.', '_').upper()}: "

    assert f"{variable}{value}" in COMPOSE.replace('"', "")


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, value in (postgres.SETTINGS | postgres.TIMESCALEDB_SETTINGS).items() if name != "listen_addresses"],
)
def test_database_in_a_container_has_the_setting(name: str, value: str) -> None:
    assert f"- -c{name}={value}".strip() in COMPOSE


def test_containers_answer_on_the_default_ports_of_loopback() -> None:
    ports = Ports()

    for port in (ports.kafka, ports.postgres, ports.redis):
        assert f'ports: ["127.0.0.1:{port}:' in COMPOSE


def test_container_runs_the_broker_that_the_jars_are_of() -> None:
    pom = (REPOSITORY / "infra" / "local" / "kafka-pom.xml").read_text()
    version = pom.partition("<artifactId>kafka_2.13</artifactId>")[2].partition("<version>")[2].partition("<")[0]

    assert f"image: apache/kafka:{version}\n" in COMPOSE
