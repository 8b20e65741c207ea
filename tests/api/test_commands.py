"""`coldstream token` and `coldstream serve` say clearly what is missing."""

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from click.testing import CliRunner

from api.settings import local_sign_in
from infra.commands import serve, token


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    monkeypatch.chdir(tmp_path)
    for name in ("SANDBOX_URL", "KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL", "STACK_AUTH_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    yield
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


def test_token_prints_what_the_sandbox_minted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def post(url: str, *, json: dict[str, object], **_rest: object) -> httpx.Response:
        asked.append((url, json))
        return httpx.Response(200, json={"access_token": "abc"}, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", post)

    result = CliRunner().invoke(token.command, ["--user", "ada", "--sandbox-url", "http://127.0.0.1:9/"])

    assert (result.exit_code, result.output) == (0, "abc\n")
    assert asked == [("http://127.0.0.1:9/sandbox/stack-auth/token", {"user": "ada", "expires_in": 3_600})]


def test_token_without_a_sandbox_says_how_to_get_one() -> None:
    result = CliRunner().invoke(token.command, [])

    assert result.exit_code == 2
    assert "coldstream up" in result.output


def test_token_says_when_the_sandbox_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def post(url: str, **_rest: object) -> httpx.Response:
        return httpx.Response(500, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", post)

    result = CliRunner().invoke(token.command, ["--sandbox-url", "http://127.0.0.1:9"])

    assert result.exit_code == 1
    assert "minted no token" in result.output


def test_serve_names_the_setting_that_is_missing() -> None:
    result = CliRunner().invoke(serve.command, [], env={"LOG_PRETTY": "false"})

    assert result.exit_code == 2
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in result.output


def test_only_a_local_stack_has_a_sign_in_page_of_its_own() -> None:
    assert local_sign_in("") is None
    assert local_sign_in("http://127.0.0.1:9/") == "http://127.0.0.1:9/sandbox/sign-in"
