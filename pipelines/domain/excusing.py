"""What declared maintenance, or taking it back, changes of what people are told: the same rows judged beside the one and the other. Pure.

Only bands that something may suppress are looked at; the others are told in any case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipelines.domain.evaluate import judge_beside
from pipelines.domain.excursion_states import Reading
from pipelines.domain.figures import Figures
from pipelines.domain.policy import Policy, SustainedBand
from pipelines.domain.suppression import Circumstances


class Telling(StrEnum):
    """What becomes of an excursion's alarm."""

    SUPPRESSED = "suppressed"
    """It would be told to nobody any more."""
    TOLD = "told"
    """It was held back, and would be told."""
    MOVED = "moved"
    """It would be told at another instant."""


@dataclass(frozen=True, slots=True)
class Retold:
    """One excursion whose alarm changes; instants in ms UTC."""

    telling: Telling
    band: str
    started_at: int
    told_before: int | None
    """When it opened; None: it was held back."""
    told_after: int | None
    ended_at: int | None
    """None while it lasts."""
    figures: Figures


@dataclass(frozen=True, slots=True)
class _Seen:
    told_at: int | None
    ended_at: int | None
    figures: Figures


def retold(
    rows: Sequence[Reading], policies: Mapping[int, Policy], until: int, ends_at: int | None, before: Circumstances, after: Circumstances
) -> list[Retold]:
    """Return the excursions of one assignment of a sensor that are told otherwise beside `after` than beside `before`, by start and band.

    `rows` begin where no band has a run. `ends_at` is the assignment's end, if it has one (ms UTC).
    """
    was, will = (_seen(rows, policies, until, ends_at, beside) for beside in (before, after))
    found: list[Retold] = []
    for key in sorted(was.keys() | will.keys()):
        one, other = was.get(key), will.get(key)
        if one is None or other is None or one.told_at == other.told_at:
            continue
        telling = Telling.SUPPRESSED if other.told_at is None else Telling.TOLD if one.told_at is None else Telling.MOVED
        found.append(Retold(telling, key[1], key[0], one.told_at, other.told_at, other.ended_at, other.figures))
    return found


def _seen(
    rows: Sequence[Reading], policies: Mapping[int, Policy], until: int, ends_at: int | None, beside: Circumstances
) -> dict[tuple[int, str], _Seen]:
    """Return the excursions by start and band; that of a band which nothing suppresses is judged alike beside anything."""
    judged = judge_beside(rows, policies, until, beside, ends_at)
    names = {
        band.name for policy in policies.values() for band in policy.bands if isinstance(band, SustainedBand) and band.suppress is not None
    }
    told = {(one.started_at, one.band): _Seen(one.opened_at, one.ended_at, one.figures) for one in judged.excursions if one.band in names}
    held = {(one.started_at, one.band): _Seen(None, one.ended_at, one.figures) for one in judged.suppressed}
    return told | held
