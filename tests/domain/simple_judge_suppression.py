"""A second, slow reading of ADR 0013: which excursions of a sustained band are held back, until when, and why. For tests only.

It takes the excursions of the simple judge as if nothing were suppressed, and asks of each instant that could matter what the rules ask.
Like `simple_judge` it knows every row from the start and shares no code with the product: it may not import `pipelines` or `schemas`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from tests.domain.simple_judge import BandWalk, Excursion, Key, Piece, Row, Span, band_in, cut_into_pieces, numbers, standing

Stretch = tuple[int, int]
Tag = tuple[str, int, int]
"""(cause, from, to)."""
CAUSES = ("defrost", "door", "maintenance")


class Profile(TypedDict):
    """What a defrost may look like."""

    period: int
    peak: int
    duration: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the readings; stretches in any order, overlapping or not."""

    maintenance: Sequence[Stretch] = ()
    door: Sequence[Stretch] = ()
    defrost: Profile | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One excursion with what became of it. `would_open_at` is None where it was not held back."""

    excursion: Excursion
    suppressed: bool
    would_open_at: int | None
    tags: tuple[Tag, ...]


def judge_beside(
    readings: Sequence[Row],
    versions: Sequence[Sequence[Mapping[str, Any]]],
    until: int,
    assignment_end: int | None,
    beside: Beside,
) -> list[Verdict]:
    """Return every excursion of one sensor, told or suppressed, sorted by band, then `started_at`."""
    policies: Any = versions
    end = assignment_end if assignment_end is not None and assignment_end <= until else None
    pieces = cut_into_pieces(readings, until, end)
    keys = {(band["name"], band["side"]) for policy in versions for band in policy}
    found: list[Verdict] = []
    for key in keys:
        spans = sorted(BandWalk(key, policies, until, end).walk(pieces), key=lambda span: span.started_at)
        found += Story(key, policies, pieces, until, beside).verdicts(spans)
    return sorted(found, key=lambda one: (one.excursion["band"], one.excursion["started_at"]))


@dataclass(slots=True)
class Story:
    """The excursions of one band, one after the other: each defrost bears on the next."""

    key: Key
    versions: Any
    pieces: Sequence[Piece]
    until: int
    beside: Beside
    last_defrost: int | None = None

    def verdicts(self, spans: Sequence[Span]) -> Iterator[Verdict]:
        """Judge excursions in order of their start."""
        before: int | None = None
        for span in spans:
            if before is not None and self.was_gone(before, span.started_at):
                self.last_defrost = None
            before = span.started_at
            yield self.verdict(span)

    def was_gone(self, begin: int, end: int) -> bool:
        """Whether the band did not exist for a while: then it begins afresh."""
        readings = [piece for piece in self.pieces if piece.value is not None and begin <= piece.at <= end]
        return any(band_in(self.versions[piece.version], self.key) is None for piece in readings)

    def verdict(self, span: Span) -> Verdict:
        """Judge one excursion."""
        last_defrost = self.last_defrost
        end = self.until + 1 if span.ended_at is None else span.ended_at
        opens_at = next((at for at in self.instants(span) if at < end and not self.is_held(span, at, last_defrost)), None)
        if opens_at == span.opened_at:
            return Verdict(numbers(self.key, span, self.pieces, self.versions, self.until), suppressed=False, would_open_at=None, tags=())
        held_to = min(end, self.until) if opens_at is None else opens_at
        for at in self.instants(span):
            causes = self.causes_at(span, at, last_defrost)
            if not causes & {"door", "maintenance"}:
                if "defrost" in causes and at < (end if opens_at is None else opens_at):
                    self.last_defrost = span.started_at
                break
        tags = tuple(self.tags(span, held_to, last_defrost))
        if opens_at is None:
            excursion = numbers(self.key, span, self.pieces, self.versions, self.until)
            return Verdict(excursion, suppressed=True, would_open_at=span.opened_at, tags=tags)
        moved = Span(span.started_at, opens_at, span.ended_at, span.closed_at, span.ended_by)
        excursion = numbers(self.key, moved, self.pieces, self.versions, self.until)
        return Verdict(excursion, suppressed=False, would_open_at=span.opened_at, tags=tags)

    def instants(self, span: Span) -> list[int]:
        """Every instant from its opening on at which an excuse or a recovery may come to an end, in order."""
        start = self.reading_at(span.started_at)
        found = {span.opened_at, *(window_end for _, window_end in self.beside.maintenance), *(piece.at for piece in self.pieces)}
        found.add(span.started_at + self.suppress_of(start).get("door_grace", 0))
        if self.beside.defrost is not None:
            found.add(span.started_at + self.beside.defrost["duration"])
        return sorted(at for at in found if span.opened_at <= at <= self.until)

    def is_held(self, span: Span, at: int, last_defrost: int | None) -> bool:
        """Whether an excursion that is not told yet stays so at an instant."""
        return bool(self.causes_at(span, at, last_defrost)) or self.is_recovering(span, at)

    def is_recovering(self, span: Span, at: int) -> bool:
        """Whether a recovery is under way."""
        recovering = False
        for piece in self.pieces:
            if piece.value is None or not span.opened_at <= piece.at <= at:
                continue
            band = band_in(self.versions[piece.version], self.key)
            assert band is not None
            stands = standing(piece.value, band)
            if stands == "out":
                recovering = False
            elif stands == "recovered":
                recovering = True
        return recovering

    def causes_at(self, span: Span, at: int, last_defrost: int | None) -> set[str]:
        """Everything that excuses an excursion at an instant."""
        return {cause for cause in CAUSES if self.permits(span, at, cause) and self.excuses(span, at, cause, last_defrost)}

    def permits(self, span: Span, at: int, cause: str) -> bool:
        """Whether every version since the run's first reading suppresses for this cause."""
        since = [piece for piece in self.pieces if piece.value is not None and span.started_at <= piece.at <= at]
        return all(self.suppress_of(piece).get(cause, False) for piece in since)

    def excuses(self, span: Span, at: int, cause: str, last_defrost: int | None) -> bool:
        """Whether the circumstances are those of this cause."""
        if cause == "maintenance":
            return any(begin <= at < end for begin, end in self.beside.maintenance)
        start = span.started_at
        if cause == "door":
            terms = self.suppress_of(self.reading_at(start))
            near = any(begin <= start < end + terms["door_after"] for begin, end in self.beside.door)
            return near and at < start + terms["door_grace"]
        profile = self.beside.defrost
        if profile is None or at >= start + profile["duration"]:
            return False
        if last_defrost is not None and start - last_defrost < profile["period"]:
            return False
        return all(piece.value is None or piece.value <= profile["peak"] for piece in self.pieces if start <= piece.at <= at)

    def tags(self, span: Span, held_to: int, last_defrost: int | None) -> Iterator[Tag]:
        """Say what was at hand from the start of the run, and when: by asking between all instants at which it may change."""
        marks = {span.started_at, held_to, *(at for stretch in self.beside.maintenance for at in stretch)}
        marks |= {piece.at for piece in self.pieces}
        marks.add(span.started_at + self.suppress_of(self.reading_at(span.started_at)).get("door_grace", 0))
        if self.beside.defrost is not None:
            marks.add(span.started_at + self.beside.defrost["duration"])
        inside = sorted(at for at in marks if span.started_at <= at <= held_to)
        found: list[Tag] = []
        for cause in CAUSES:
            begun: int | None = None
            for at in inside:
                holds = at < held_to and cause in self.causes_at(span, at, last_defrost)
                if holds and begun is None:
                    begun = at
                elif not holds and begun is not None:
                    found.append((cause, begun, at))
                    begun = None
        yield from sorted(found, key=lambda tag: (tag[1], tag[0]))

    def reading_at(self, at: int) -> Piece:
        """Return the reading of an instant."""
        return next(piece for piece in self.pieces if piece.at == at)

    def suppress_of(self, piece: Piece) -> Mapping[str, Any]:
        """Return what a reading's version suppresses for the band."""
        band: Any = band_in(self.versions[piece.version], self.key)
        return (band or {}).get("suppress") or {}
