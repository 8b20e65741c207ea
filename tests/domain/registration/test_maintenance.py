"""When a declared window holds, and from where its unit is judged again."""

import pytest

from pipelines.domain.registration.maintenance import DAY_MS, MAX_BACK_MS, MAX_LENGTH_MS, Window, declared, difference, ended
from pipelines.domain.registration.refusals import Refused

NOW = 1_000 * DAY_MS
EARLIEST = NOW + 8_000
HOUR = 3_600_000


def test_a_window_without_a_beginning_begins_as_soon_as_every_decoder_knows() -> None:
    assert declared(None, NOW + HOUR, NOW, EARLIEST) == Window(EARLIEST, NOW + HOUR)
    assert declared(NOW - HOUR, NOW + HOUR, NOW, EARLIEST) == Window(NOW - HOUR, NOW + HOUR)


@pytest.mark.parametrize(
    ("since", "until", "field", "words"),
    [
        (NOW, NOW, "to", "must be after from"),
        (None, NOW + 1_000, "to", "must be after 19"),
        (NOW - MAX_BACK_MS - 1, NOW, "from", "within 366 days"),
        (NOW + 367 * DAY_MS, NOW + 368 * DAY_MS, "from", "within a year"),
        (NOW, NOW + MAX_LENGTH_MS + 1, "to", "at most 31 days after its beginning: archive the unit"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused_with_what_to_do(since: int | None, until: int, field: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as found:
        declared(since, until, NOW, EARLIEST)

    assert found.value.field == field


def test_a_window_ends_sooner_than_declared_but_not_before_it_began_nor_later() -> None:
    window = Window(NOW - HOUR, NOW + HOUR)

    assert ended(window, None, EARLIEST) == Window(NOW - HOUR, EARLIEST)
    assert ended(window, NOW - 1_000, EARLIEST) == Window(NOW - HOUR, NOW - 1_000)
    with pytest.raises(Refused, match="revoke it"):
        ended(window, NOW - HOUR, EARLIEST)
    with pytest.raises(Refused, match="revoke it"):
        ended(Window(NOW + HOUR, NOW + 2 * HOUR), None, EARLIEST)
    with pytest.raises(Refused, match="declare another one"):
        ended(window, NOW + HOUR, EARLIEST)


def test_what_a_declaration_an_end_or_a_revocation_changes_is_a_stretch() -> None:
    window, shorter = Window(NOW - HOUR, NOW + HOUR), Window(NOW - HOUR, EARLIEST)

    assert difference(None, window) == difference(window, None) == window
    assert difference(window, shorter) == Window(EARLIEST, NOW + HOUR)
    assert difference(window, window) is difference(None, None) is None
