"""What a log line must never hold is masked, wherever it stands."""

import json
import logging

import pytest
import structlog

from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.logs import configure_logging, mask_fields, masked

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"refused {TOKEN}", "refused <token>"),
        ("postgresql://api:hunter2@db:5432/x", "postgresql://api:***@db:5432/x"),
        ("redis://:hunter2@host", "redis://:***@host"),
        ("told ada.lovelace@example.com", "told a***@example.com"),
        ("called +41791234567", "called +***67"),
        ("at 2026-11-25T04:22:00.123+00:00", "at 2026-11-25T04:22:00.123+00:00"),
        ("http://127.0.0.1:8000/api", "http://127.0.0.1:8000/api"),
    ],
)
def test_secrets_and_addresses_are_masked_in_texts(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize("name", ["secret", "access_token", "Authorization", "api_key", "x_downlink_apikey", "password"])
def test_fields_with_a_secrets_name_are_masked_whatever_they_hold(name: str) -> None:
    assert mask_fields(None, "info", {name: b"anything"}) == {name: "***"}


def test_lines_are_json_with_a_time_a_level_and_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    configure_logging("info", pretty=False)
    try:
        structlog.get_logger().info("uplink rejected", organization=7, url="postgresql://u:p@h/d")
        logging.getLogger("some.library").warning("lost %s", TOKEN)
        logging.getLogger("some.library").debug("chatter")
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()

    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())

    assert first["event"] == "uplink rejected"
    assert (first["level"], first["organization"], first["url"]) == ("info", 7, "postgresql://u:***@h/d")
    assert first["at"].endswith("Z")
    assert (second["event"], second["level"]) == ("lost <token>", "warning")


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(Misconfigured, match="LOG_LEVEL"):
        configure_logging("loud")
