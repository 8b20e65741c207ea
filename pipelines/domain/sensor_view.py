"""What may be shown of a sensor at an instant: open excursions with running figures, its state, what is only possible.

Reads a state and changes nothing. An instant before the newest row is taken as that row's: what is judged is judged.
"""

from typing import assert_never

import msgspec

from pipelines.domain import suppressing
from pipelines.domain.excursion import advance
from pipelines.domain.excursion_facts import HeldBack, Suppressed
from pipelines.domain.excursion_states import Breaching, InRange, Open, Recovering
from pipelines.domain.figures import Figures, figures
from pipelines.domain.policy import SustainedBand
from pipelines.domain.sensor import Policies, SensorState
from pipelines.domain.suppressing_states import Excusable, OpenedLate, Remembering, SuppressingState, Withheld
from pipelines.domain.suppression import NOTHING_BESIDE, Circumstances
from pipelines.domain.windowed import figures_at
from pipelines.domain.windowed_states import BandState, CumulativeIdle, CumulativeOpen, MeanIdle, MeanOpen, MktIdle, MktOpen
from schemas.events import UnitState, worst


class OpenExcursion(msgspec.Struct, frozen=True):
    """An excursion that is open at an instant, a recovery under way or not; figures over [started_at, that instant)."""

    band: str
    started_at: int
    opened_at: int
    recovering_since: int | None
    figures: Figures
    held_back: HeldBack | None = None


def open_excursions(
    state: SensorState, until: int, policies: Policies, beside: Circumstances = NOTHING_BESIDE
) -> tuple[OpenExcursion, ...]:
    """Return the open excursions as of `until` (ms UTC), in the policy's order; deadlines up to it must have been passed.

    One that is held back is not open: `held_back` has those.
    """
    if state.newest is None or state.policy is None:
        return ()
    end = max(until, state.newest.measured_at)
    found: list[OpenExcursion] = []
    for band, shown in zip(policies[state.policy].bands, state.bands, strict=True):
        if isinstance(shown, Withheld):
            continue
        run = shown.run if isinstance(shown, SuppressingState) else shown
        match run:
            case Open() | Recovering():
                assert isinstance(band, SustainedBand)
                since = run.recovered_at if isinstance(run, Recovering) else None
                numbers = figures(advance(run, state.newest, band, end).tally, run.started_at, end)
                late = suppressing.held_back(shown, beside) if isinstance(shown, OpenedLate) else None
                found.append(OpenExcursion(band.name, run.started_at, run.opened_at, since, numbers, late))
            case CumulativeOpen() | MeanOpen() | MktOpen():
                assert not isinstance(band, SustainedBand)
                started_at = run.started_at if isinstance(run, MeanOpen) else run.opened_at
                found.append(OpenExcursion(band.name, started_at, run.opened_at, None, figures_at(run, state.newest, band, end)))
            case InRange() | Breaching() | CumulativeIdle() | MeanIdle() | MktIdle():
                continue
            case _:
                assert_never(run)
    return tuple(found)


def held_back(state: SensorState, until: int, policies: Policies, beside: Circumstances) -> tuple[Suppressed, ...]:
    """Return the excursions that are held back as of `until` (ms UTC), in the policy's order; deadlines up to it must have been passed."""
    if state.newest is None or state.policy is None:
        return ()
    end = max(until, state.newest.measured_at)
    found: list[Suppressed] = []
    for band, run in zip(policies[state.policy].bands, state.bands, strict=True):
        if isinstance(run, Withheld):
            assert isinstance(band, SustainedBand)
            found.append(suppressing.suppressed_so_far(run, state.newest, band, end, beside))
    return tuple(found)


def state_at(state: SensorState, until: int) -> UnitState:
    """Return the sensor's state as of `until` (ms UTC): the worst of its bands', and unknown where nothing is known.

    Offline is the device's, and not judged here.
    """
    newest = state.newest
    if newest is None or newest.temperature is None or until >= newest.measured_at + newest.max_gap_ms:
        return worst([UnitState.UNKNOWN, *map(_shown, state.bands)])
    return worst([UnitState.IN_RANGE, *map(_shown, state.bands)])


def possible_excursions(state: SensorState, until: int, policies: Policies) -> tuple[str, ...]:
    """Return the bands with a pending run whose collected and unknown time together have reached the hold by `until`."""
    if state.newest is None or state.policy is None:
        return ()
    end = max(until, state.newest.measured_at)
    possible: list[str] = []
    for band, shown in zip(policies[state.policy].bands, state.bands, strict=True):
        run = shown.run if isinstance(shown, SuppressingState) else shown
        if isinstance(run, Breaching):
            assert isinstance(band, SustainedBand)
            pending = advance(run, state.newest, band, end)
            assert isinstance(pending, Breaching)
            unknown_ms = end - pending.started_at - pending.tally.known_ms
            if pending.out_ms + unknown_ms >= band.hold_ms:
                possible.append(band.name)
    return tuple(possible)


def _shown(run: BandState) -> UnitState:
    match run:
        case Withheld(run=Open()):
            return UnitState.BREACHING
        case Remembering() | Excusable() | Withheld() | OpenedLate():
            return _shown(run.run)
        case InRange() | MeanIdle() | MktIdle():
            return UnitState.IN_RANGE
        case CumulativeIdle():
            return UnitState.BREACHING if run.is_out else UnitState.IN_RANGE
        case Breaching():
            return UnitState.BREACHING
        case Open() | CumulativeOpen() | MeanOpen() | MktOpen():
            return UnitState.EXCURSION
        case Recovering():
            return UnitState.RECOVERING
        case _:
            assert_never(run)
