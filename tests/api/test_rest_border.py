"""The border of REST: who is asked for a token, what a wrong parameter is answered, and what leaks of a failure (nothing)."""

import asyncio
import base64
from typing import Any, cast

import httpx
import pytest
import structlog

from api.commands.transaction import Changes
from api.database import Database
from api.health import Health, Part
from api.replays.ledger import Ledger
from api.replays.replaying import Replays
from api.rest import create_rest
from api.routes.context import Context
from pipelines.connectors.errors import Misconfigured, Retryable
from pipelines.connectors.kafka import KafkaConfig
from pipelines.connectors.timescale import DatabaseConfig
from tests.api.fake_log import FakeLog
from tests.api.people import Map, People

SIGNED_IN = {"x-stack-access-token": "ada"}
RANGE = "from=2026-11-01&to=2026-11-02"


class Tables:
    """A database whose queries find nothing, or fail as told."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked: list[dict[str, Any]] = []

    async def rows(self, _query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if self.failure is not None:
            raise self.failure
        self.asked.append(parameters)
        return []

    async def row(self, query: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        await self.rows(query, parameters)
        return None


class Border:
    """The REST app over nothing."""

    def __init__(self) -> None:
        self.people = People()
        self.tables = Tables()
        self.down: dict[Part, Exception] = {}
        self.health = Health({part: self._check(part) for part in Part})
        context = Context(
            self.people.callers(),
            cast("Database", self.tables),
            Map(),
            self.people.managers(),
            Changes(DatabaseConfig("postgresql://nowhere.invalid/")),
        )
        self.log = FakeLog()
        replays = Replays(context.database, cast("Ledger", None), self.log, KafkaConfig("127.0.0.1:9"))
        self.app = create_rest(context, self.health, "http://127.0.0.1:9/sign-in", replays)

    def forget(self) -> None:
        """Be as new; making the app anew for each test would take most of its time."""
        self.people.is_away = False
        self.people.manages.clear()
        self.tables.failure = None
        self.tables.asked.clear()
        self.down.clear()
        self.health.forget()

    def _check(self, part: Part) -> Any:
        async def check() -> None:
            if part in self.down:
                raise self.down[part]

        return check

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET", content: bytes | None = None) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api.example") as client:
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(run())

    def get(self, path: str) -> httpx.Response:
        return self.ask(f"/api/v1/{path}", SIGNED_IN)


@pytest.fixture(scope="module")
def made_once() -> Border:
    return Border()


@pytest.fixture
def border(made_once: Border) -> Border:
    made_once.forget()
    return made_once


def code(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


def paths(border: Border) -> list[str]:
    """The paths that can be read."""
    return [path for path, operations in border.app.openapi()["paths"].items() if path.startswith("/api/v1/") and "get" in operations]


def changes(border: Border) -> list[tuple[str, str]]:
    """Method and path of every route that changes something."""
    return [
        (method.upper(), path.replace("{", "").replace("}", "").replace("/site/", "/1/"))
        for path, operations in border.app.openapi()["paths"].items()
        if path.startswith("/api/v1/")
        for method in operations
        if method != "get"
    ]


def test_every_route_but_the_sign_in_address_asks_for_a_token(border: Border) -> None:
    open_to_all = set()
    for path in paths(border):
        answer = border.ask(path.replace("{", "").replace("}", ""))
        if answer.status_code != 401:
            open_to_all.add(path)
        else:
            assert code(answer) == "token_missing"

    assert open_to_all == {"/api/v1/sign-in"}
    assert border.tables.asked == []


def test_every_change_asks_for_a_token_and_for_the_permission(border: Border) -> None:
    for method, path in changes(border):
        assert code(border.ask(path, None, method)) == "token_missing", path
        answer = border.ask(path, SIGNED_IN, method)

        assert (answer.status_code, code(answer)) == (403, "forbidden"), path
        assert "coldstream:manage" in answer.json()["error"]["message"]
    assert len(changes(border)) > 25


def test_while_permissions_cannot_be_checked_nothing_is_changed(border: Border) -> None:
    border.people.is_away = True

    for method, path in changes(border):
        answer = border.ask(path, SIGNED_IN, method)
        assert (answer.status_code, code(answer)) == (503, "auth_unavailable"), path


def test_a_body_that_is_too_large_is_not_read(border: Border) -> None:
    border.people.manages["ada"] = {"team-1"}

    answer = border.ask("/api/v1/sites", SIGNED_IN, "POST", content=b"{" + b" " * 300_000)

    assert (answer.status_code, code(answer)) == (413, "body_too_large")


@pytest.mark.parametrize(("token", "expected"), [("expired", "token_expired"), ("forged", "token_invalid")])
def test_a_refused_token_says_why(border: Border, token: str, expected: str) -> None:
    answer = border.ask("/api/v1/me", {"x-stack-access-token": token})

    assert (answer.status_code, code(answer)) == (401, expected)


def test_while_tokens_cannot_be_checked_the_caller_is_told_to_come_back(border: Border) -> None:
    border.people.is_away = True

    answer = border.get("me")

    assert (answer.status_code, code(answer)) == (503, "auth_unavailable")
    assert "retry-after" in answer.headers


def test_every_query_is_held_to_the_callers_organizations(border: Border) -> None:
    for path in paths(border):
        border.get(path.removeprefix("/api/v1/").replace("{", "").replace("}", "") + f"?{RANGE}&seconds=60")
    for path in (
        f"readings?unit=10&{RANGE}",
        f"readings/buckets?unit=10&{RANGE}&seconds=3600",
        "sites/1",
        "units/10",
        "units/10/policy",
        "sensors/1",
        "units/10/registration",
        "sensors/1/registration",
        "policies/1",
        "excursions/6f1c53a8-5f0e-5b4c-9a53-c01d57ea3003",
        "excursions/6f1c53a8-5f0e-5b4c-9a53-c01d57ea3003/versions",
        "excursions?known_at=2026-11-02",
        "dead-letters/6f1c53a8-5f0e-5b4c-9a53-c01d57ea3003",
        "devices/A84041000181C061/story",
    ):
        border.get(path)

    asked_of_teams = [parameters for parameters in border.tables.asked if "teams" in parameters]
    asked = [parameters for parameters in border.tables.asked if "teams" not in parameters]
    assert len(asked) >= len(paths(border)) - 6
    assert all(parameters["scope"] == [1] for parameters in asked)
    assert asked_of_teams == [{"teams": ["team-1"]}]


@pytest.mark.parametrize(
    "path",
    [
        "sites?organization=2",
        "units?organization=2",
        "units?site=2",
        "sensors?organization=2",
        "sensors?site=2",
        "sensors?unit=20",
        "units/20/policy",
        f"readings?unit=20&{RANGE}",
        f"readings?sensor=200&{RANGE}",
        f"readings/buckets?unit=20&{RANGE}&seconds=3600",
        f"readings/buckets?sensor=200&{RANGE}&seconds=3600",
        "excursions?organization=2",
        "excursions?site=2",
        "excursions?unit=20",
        "excursions?sensor=200",
        "excursions?unit=20&known_at=2026-11-02",
        "dead-letters?organization=2",
        "uplink-ends?organization=2",
        "devices/A84041000181C061/story?organization=2",
        "units/999/policy",
        "units?site=999",
    ],
)
def test_what_is_somebody_elses_is_not_found_and_not_looked_for(border: Border, path: str) -> None:
    answer = border.get(path)

    assert (answer.status_code, code(answer)) == (404, "not_found")
    assert border.tables.asked == []


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("units/abc", "unit"),
        ("units/0", "unit"),
        ("units/99999999999999999999", "unit"),
        ("units?limit=0", "limit"),
        ("units?limit=10001", "limit"),
        ("units?site=1e3", "site"),
        ("units?cursor=%00", "cursor"),
        ("units?cursor=WyJhIl0", "cursor"),
        ("units?cursor=" + "A" * 300, "cursor"),
        ("excursions?cursor=WzFd", "cursor"),
        ("readings?unit=10", "from"),
        (f"readings?{RANGE}", "unit"),
        (f"readings?unit=10&sensor=1&{RANGE}", "unit"),
        ("readings?unit=10&from=2026-11-02&to=2026-11-01", "from"),
        ("readings?unit=10&from=yesterday&to=2026-11-01", "from"),
        ("readings?unit=10&from=0001-01-01&to=2026-11-01", "from"),
        ("readings?unit=10&from=2026-11-01&to=9999-12-31T23:59:59-10:00", "to"),
        ("readings?unit=10&from=NaN&to=2026-11-01", "from"),
        (f"readings?unit=10&{RANGE}&order=random", "order"),
        (f"readings?unit=10&{RANGE}&known_at=2099-01-01", "known_at"),
        (f"readings/buckets?unit=10&{RANGE}&seconds=3600&known_at=2099-01-01", "known_at"),
        (f"readings/buckets?unit=10&{RANGE}&seconds=0", "seconds"),
        (f"readings/buckets?unit=10&{RANGE}&seconds=1", "seconds"),
        (f"readings/buckets?unit=10&{RANGE}&seconds=NaN", "seconds"),
        ("excursions?open=maybe", "open"),
        ("excursions/not-a-uuid", "excursion"),
        ("excursions?known_at=yesterday", "known_at"),
        ("excursions/6f1c53a8-5f0e-5b4c-9a53-c01d57ea3003/versions?cursor=WyJhIl0", "cursor"),
        ("dead-letters?kind=other", "kind"),
        ("dead-letters?reason=%27;drop", "reason"),
        ("dead-letters?dev_eui=A840%00", "dev_eui"),
        ("units/10/policy?at=soon", "at"),
        ("devices/A840/story", "dev_eui"),
        ("devices/A84041000181C06Z/story", "dev_eui"),
    ],
)
def test_a_wrong_parameter_is_a_bad_request_that_names_it(border: Border, path: str, names: str) -> None:
    answer = border.get(path)

    assert (answer.status_code, code(answer)) == (400, "bad_request")
    assert names in answer.json()["error"]["message"]


def test_the_answer_to_a_wrong_parameter_does_not_repeat_it(border: Border) -> None:
    answer = border.get("units/%3Cscript%3E")

    assert "script" not in answer.text


def test_a_cursor_of_anything_but_numbers_in_range_is_refused(border: Border) -> None:
    for raw in (b"[-1]", b"[1e400]", b"[2147483648]", b"[1,2]", b'{"a":1}', b"[null]", b"[true]"):
        cursor = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        assert border.get(f"units?cursor={cursor}").status_code == 400, raw


def test_a_database_that_is_away_is_said_so(border: Border) -> None:
    border.tables.failure = Retryable("connection refused to 10.0.0.1")

    answer = border.get("sites")

    assert (answer.status_code, code(answer)) == (503, "database_unavailable")
    assert "10.0.0.1" not in answer.text


def test_a_failure_inside_tells_the_caller_nothing_of_it(border: Border) -> None:
    border.tables.failure = RuntimeError("secret detail")

    with structlog.testing.capture_logs() as lines:
        answer = border.get("sites")

    assert (answer.status_code, code(answer)) == (500, "internal_error")
    assert "secret detail" not in answer.text
    assert [line["log_level"] for line in lines] == ["error"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("DELETE", "/api/v1/sites", 405)])
def test_errors_of_the_framework_have_the_same_form(border: Border, method: str, path: str, status: int) -> None:
    answer = border.ask(path, SIGNED_IN, method)

    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message"}


def test_answers_about_people_and_places_are_not_cached(border: Border) -> None:
    assert border.get("me").headers["cache-control"] == "no-store"


def test_me_names_the_user_and_the_organizations(border: Border) -> None:
    assert border.get("me").json() == {
        "user": {"id": "ada", "name": "Ada", "email": "ada@example.com"},
        "token_expires_at": "2096-10-02T07:06:40.000Z",
        "organizations": [{"id": 1, "name": "One", "archived_at": None}],
    }


def test_the_schema_holds_no_answer_that_never_comes(border: Border) -> None:
    schema = border.app.openapi()

    assert "422" not in str(schema)
    assert "HTTPValidationError" not in schema["components"]["schemas"]


def test_no_docs_page_loads_scripts_from_elsewhere(border: Border) -> None:
    assert border.ask("/docs").status_code == 404
    assert border.ask("/redoc").status_code == 404
    assert border.ask("/api/openapi.json").status_code == 200


def test_the_page_may_load_from_this_host_only(border: Border) -> None:
    page = border.ask("/")
    script = border.ask("/static/main.js")

    assert page.status_code == 200
    for answer in (page, script):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/../rest.py", "/static/%2e%2e/rest.py", "/static/uplot/../../__init__.py"])
def test_no_other_file_can_be_had(border: Border, path: str) -> None:
    assert border.ask(path).status_code == 404


def test_alive_is_alive_whatever_is_down(border: Border) -> None:
    border.down.update({part: Retryable("away") for part in Part})

    assert border.ask("/health").json() == {"status": "alive"}


def test_ready_names_every_part(border: Border) -> None:
    answer = border.ask("/health/ready")

    assert answer.status_code == 200
    assert set(answer.json()["parts"]) == {"kafka", "secrets", "database", "redis", "auth_keys"}


def test_not_ready_says_which_part_is_down_and_why(border: Border) -> None:
    border.down[Part.REDIS] = Retryable("no answer")
    border.down[Part.KAFKA] = Misconfigured("run `coldstream topics --create`")

    answer = border.ask("/health/ready")

    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    parts = answer.json()["parts"]
    assert {name for name, state in parts.items() if not state["up"]} == {"redis", "kafka"}
    assert parts["kafka"]["detail"] == "run `coldstream topics --create`"


def test_ingest_can_be_asked_about_alone(border: Border) -> None:
    border.down[Part.DATABASE] = Retryable("away")

    assert border.ask("/health/ready?parts=kafka,secrets").status_code == 200
    assert border.ask("/health/ready?parts=database").status_code == 503
    assert border.ask("/health/ready?parts=printer").status_code == 400
