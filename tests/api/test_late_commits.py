"""A commit that comes too late for what it promises is refused before, and logged behind it."""

import asyncio
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from api.commands import transaction as module
from api.commands.transaction import Transaction
from api.errors import ApiError
from pipelines.domain.registration.effective import LEAD_MS

NOW = 1_795_600_000_000


class At(Transaction):
    """A transaction whose database says a fixed time."""

    async def clock(self) -> int:
        return NOW


def checked(spare: int) -> Transaction:
    found = At(cast("Any", None), "ada", NOW, {1: True})
    found.promised.append(NOW + LEAD_MS + spare)
    asyncio.run(found.check_in_time())
    return found


@pytest.mark.parametrize(("took", "warnings"), [(0.9, 0), (1.5, 1)])
def test_a_commit_that_took_longer_than_it_might_is_logged(monkeypatch: pytest.MonkeyPatch, took: float, warnings: int) -> None:
    times = iter([100.0, 100.0 + took])
    monkeypatch.setattr(module, "monotonic", lambda: next(times))
    late = checked(1_000)

    with capture_logs() as logs:
        late.warn_if_late()

    assert [(one["event"], one["late_ms"]) for one in logs] == [("a change was committed late", 500)] * warnings


def test_a_change_that_promises_nothing_is_never_late() -> None:
    change = At(cast("Any", None), "ada", NOW, {1: True})
    asyncio.run(change.check_in_time())

    with capture_logs() as logs:
        change.warn_if_late()

    assert logs == []


def test_what_would_be_committed_too_late_is_asked_for_again() -> None:
    with pytest.raises(ApiError, match="try again"):
        checked(-1)
