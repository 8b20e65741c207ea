"""Which ports a stack takes, and what is said when one of them is taken."""

import pytest

from infra.local.ports import STEP, Holder, Ports, span, taken_message


def test_no_two_parts_share_a_port() -> None:
    ports = Ports(base=30_000)

    taken = [ports.api, ports.kafka, ports.kafka_controller, ports.postgres, ports.redis, ports.sandbox]
    taken += [ports.api_metrics, *(ports.metrics(place, cell) for place in range(STEP) for cell in range(4))]

    assert len(set(taken)) == len(taken)
    assert all(30_000 <= port < 30_000 + span(4) for port in taken)


def test_default_ports_keep_clear_of_the_packaged_servers() -> None:
    ports = Ports()

    assert {ports.postgres, ports.redis, ports.kafka}.isdisjoint({5432, 6379, 9092})


@pytest.mark.parametrize(
    ("holder", "told"),
    [
        (Holder("redis-server", 4711), "Port 7404, meant for redis, is taken by redis-server (pid 4711)."),
        (None, "Port 7404, meant for redis, is taken by a process that this user cannot see."),
    ],
)
def test_message_names_the_port_the_part_and_the_holder(holder: Holder | None, told: str) -> None:
    assert taken_message(7404, "redis", holder) == told
