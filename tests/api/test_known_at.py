"""Asking what was known at an instant, at the border of REST: which instants are taken, what is looked for, and how it is told."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from api.commands.transaction import Changes
from api.database import Database
from api.errors import install_handlers
from api.routes import excursions
from api.routes.context import Context
from pipelines.connectors.timescale import DatabaseConfig
from tests.api.people import Map, People

ID, OTHER = UUID("6f1c53a8-5f0e-5b4c-9a53-c01d57ea3003"), UUID("6f1c53a8-5f0e-5b4c-9a53-c01d57ea3004")
STARTED = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
KNOWN = STARTED + timedelta(minutes=15, microseconds=123_456)
AT = "2026-11-24T04:20:00.123Z"


def version(number: int, **changes: object) -> dict[str, Any]:
    """A row of a version."""
    row: dict[str, object] = {
        "excursion_id": ID,
        "version": number,
        "reason": "opened",
        "superseded_by": None,
        "organization_id": 1,
        "site_id": 1,
        "unit_id": 10,
        "sensor_id": 5,
        "device_id": 4,
        "band": "warm",
        "kind": "sustained",
        "side": "high",
        "severity": "critical",
        "limit_hundredths": 800,
        "policy_version_id": 7,
        "started_at": STARTED,
        "opened_at": STARTED,
        "ended_at": None,
        "closed_at": None,
        "ended_by": None,
        "late": False,
        "known_at": KNOWN,
        "as_of": None,
        "peak": 900,
        "mean": 850.5,
        "degree_minutes": 1.5,
        "exposure_ms": 900_000,
        "known_ms": 900_000,
        "unknown_ms": 0,
        "samples": 15,
        "largest_gap_ms": 60_000,
    }
    return row | changes


class Tables:
    """A database that answers with what was laid ready, one answer a query, and then with nothing."""

    def __init__(self) -> None:
        self.ready: list[list[dict[str, Any]]] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def rows(self, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        self.asked.append((query, parameters))
        return self.ready.pop(0) if self.ready else []

    async def row(self, query: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        found = await self.rows(query, parameters)
        return found[0] if found else None


class Rest:
    """The routes of excursions alone; ada asks."""

    def __init__(self) -> None:
        people = People()
        self.tables = Tables()
        database = cast("Database", self.tables)
        changes = Changes(DatabaseConfig("postgresql://nowhere.invalid/"))
        self.app = FastAPI()
        install_handlers(self.app)
        self.app.include_router(excursions.router(Context(people.callers(), database, Map(), people.managers(), changes)))

    def get(self, path: str, *ready: list[dict[str, Any]]) -> httpx.Response:
        self.tables.ready = list(ready)

        async def run() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://api.example") as client:
                return await client.get(path, headers={"x-stack-access-token": "ada"})

        return asyncio.run(run())


@pytest.fixture
def rest() -> Rest:
    return Rest()


def told(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


@pytest.mark.parametrize("path", ["/excursions", f"/excursions/{ID}"])
def test_an_instant_in_the_future_is_refused_and_nothing_is_looked_for(rest: Rest, path: str) -> None:
    status, code, message = told(rest.get(f"{path}?known_at=2099-01-01T00:00:00Z"))

    assert (status, code) == (400, "bad_request")
    assert message.startswith("known_at: lies in the future")
    assert rest.tables.asked == []


def test_what_is_known_at_an_instant_is_what_was_written_before_its_millisecond_ended(rest: Rest) -> None:
    answer = rest.get(f"/excursions?known_at={AT}&unit=10&open=true", [version(1)])

    ((query, parameters),) = rest.tables.asked
    assert "excursion_versions" in query
    assert "current_excursions" not in query
    assert parameters["until"] == datetime(2026, 11, 24, 4, 20, 0, 124_000, tzinfo=UTC)
    assert (parameters["scope"], parameters["unit"], parameters["is_open"]) == ([1], 10, True)
    (item,) = answer.json()["items"]
    assert (item["version"], item["reason"], item["known_at"], item["as_of"]) == (1, "opened", "2026-11-24T04:15:00.123Z", None)


def test_without_an_instant_what_stands_is_told_with_its_reason(rest: Rest) -> None:
    answer = rest.get("/excursions", [version(2, reason="late")])

    ((query, _),) = rest.tables.asked
    assert "current_excursions" in query
    (item,) = answer.json()["items"]
    assert (item["version"], item["reason"]) == (2, "late")


def test_a_page_of_what_was_known_goes_on_where_the_one_before_ended(rest: Rest) -> None:
    first = rest.get(f"/excursions?known_at={AT}&limit=1", [version(1)]).json()
    rest.get(f"/excursions?known_at={AT}&limit=1&cursor={first['next']}")

    _, parameters = rest.tables.asked[-1]
    assert (parameters["after_at"], parameters["after_id"]) == (STARTED, ID)


@pytest.mark.parametrize(
    ("query", "until"),
    [(f"known_at={AT}&", datetime(2026, 11, 24, 4, 20, 0, 124_000, tzinfo=UTC)), ("", None)],
)
def test_voided_excursions_are_listed_apart_by_what_voided_them(rest: Rest, query: str, until: datetime | None) -> None:
    answer = rest.get(f"/excursions?{query}voided=true&unit=10", [version(3, reason="void")])

    ((asked, parameters),) = rest.tables.asked
    assert "c.reason = 'void'" in asked
    assert "c.reason <> 'void'" not in asked
    assert until is None or parameters["until"] == until
    assert abs(parameters["until"] - datetime.now(UTC)) < timedelta(minutes=1) or until is not None
    (item,) = answer.json()["items"]
    assert (item["version"], item["reason"]) == (3, "void")


def test_an_excursion_is_told_as_it_was_known_with_the_versions_known_then(rest: Rest) -> None:
    answer = rest.get(f"/excursions/{ID}?known_at={AT}", [version(1)], [version(1)])

    assert answer.status_code == 200
    assert (answer.json()["version"], [one["version"] for one in answer.json()["versions"]]) == (1, [1])
    (_, _), (_, versions) = rest.tables.asked
    assert versions["until"] == datetime(2026, 11, 24, 4, 20, 0, 124_000, tzinfo=UTC)


def test_an_excursion_found_later_was_not_known_yet_and_the_sentence_says_so(rest: Rest) -> None:
    bounds = {"first_known_at": KNOWN + timedelta(hours=1), "newest_known_at": None, "superseded_by": None}

    answer = rest.get(f"/excursions/{ID}?known_at={AT}", [], [bounds])

    assert told(answer) == (404, "not_known", f"This excursion was not known yet at {AT}: it was found at 2026-11-24T05:15:00.123Z.")


@pytest.mark.parametrize(
    ("query", "begins"),
    [
        (f"?known_at={AT}", f"This excursion did not stand at {AT}: it was voided at 2026-11-24T04:15:00.123Z in favour of {OTHER}."),
        ("", f"This excursion does not stand: it was voided at 2026-11-24T04:15:00.123Z in favour of {OTHER}."),
    ],
)
def test_an_excursion_that_was_voided_is_not_found_and_the_sentence_names_what_took_its_place(rest: Rest, query: str, begins: str) -> None:
    bounds = {"first_known_at": KNOWN, "newest_known_at": KNOWN, "superseded_by": OTHER}

    status, code, message = told(rest.get(f"/excursions/{ID}{query}", [], [bounds]))

    assert (status, code) == (404, "not_known")
    assert message.startswith(begins)


def test_an_excursion_that_never_was_is_not_found_at_any_instant(rest: Rest) -> None:
    nothing = {"first_known_at": None, "newest_known_at": None, "superseded_by": None}

    for path in (f"/excursions/{ID}", f"/excursions/{ID}?known_at={AT}"):
        assert told(rest.get(path, [], [nothing]))[:2] == (404, "not_found")
    assert told(rest.get(f"/excursions/{ID}/versions"))[:2] == (404, "not_found")


def test_a_version_names_the_fields_that_it_changed(rest: Rest) -> None:
    closed = {"reason": "closed", "ended_at": STARTED, "closed_at": STARTED, "ended_by": "recovery", "peak": 950, "samples": 20}
    rows = [version(1), version(2, **closed), version(3, **closed | {"reason": "void", "superseded_by": OTHER})]

    items = rest.get(f"/excursions/{ID}/versions", rows).json()["items"]

    assert [(item["version"], item["reason"], item["superseded_by"]) for item in items] == [
        (1, "opened", None),
        (2, "closed", None),
        (3, "void", str(OTHER)),
    ]
    assert [item["changed"] for item in items] == [[], ["ended_at", "closed_at", "ended_by", "peak_celsius", "samples"], []]


def test_a_page_of_versions_compares_its_first_with_the_last_of_the_page_before(rest: Rest) -> None:
    rows = [version(1), version(2, peak=950), version(3, peak=990)]

    first = rest.get(f"/excursions/{ID}/versions?limit=2", rows).json()
    second = rest.get(f"/excursions/{ID}/versions?limit=2&cursor={first['next']}", rows[1:]).json()

    assert [item["version"] for item in first["items"]] == [1, 2]
    assert rest.tables.asked[-1][1]["from_version"] == 2
    assert [(item["version"], item["changed"]) for item in second["items"]] == [(3, ["peak_celsius"])]
    assert second["next"] is None
