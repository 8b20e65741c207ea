"""The sandbox's sign-in page hands a token to a page of this machine and to no other."""

from pathlib import Path

import pytest

from infra.sandbox.application import create_app
from infra.sandbox.settings import SandboxSettings
from tests.infra.app_client import AppClient


@pytest.fixture
def client(tmp_path: Path) -> AppClient:
    return AppClient(create_app(SandboxSettings(tmp_path, "http://127.0.0.1:9999")))


def test_the_page_lists_the_users(client: AppClient) -> None:
    page = client.get("/sandbox/sign-in", params={"return_to": "http://127.0.0.1:7400/"})

    assert page.status_code == 200
    assert 'value="demo"' in page.text


def test_choosing_a_user_returns_to_the_page_with_a_token_in_the_fragment(client: AppClient) -> None:
    answer = client.get("/sandbox/sign-in/choose", params={"user": "demo", "return_to": "http://localhost:7400/?unit=3#old"})

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("http://localhost:7400/?unit=3#access_token=ey")
    assert "old" not in answer.headers["location"]


@pytest.mark.parametrize(
    "return_to",
    [
        "https://example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://example.com\\@127.0.0.1/",
        "javascript:alert(1)//127.0.0.1",
        "//127.0.0.1/",
        "http://[::1",
        "",
    ],
)
def test_no_other_machine_is_returned_to(client: AppClient, return_to: str) -> None:
    answers = [
        client.get("/sandbox/sign-in", params={"return_to": return_to}),
        client.get("/sandbox/sign-in/choose", params={"user": "demo", "return_to": return_to}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]


def test_names_are_escaped_on_the_page(client: AppClient) -> None:
    client.post("/sandbox/stack-auth/teams", json={"id": "t", "display_name": "<script>", "members": ['"><b>']})

    page = client.get("/sandbox/sign-in", params={"return_to": "http://127.0.0.1:7400/"})

    assert "<script>" not in page.text
    assert '"><b>' not in page.text
