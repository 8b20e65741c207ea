"""A second, slow reading of the contract for `sustained` bands, to judge the product by. For tests only.

Sort the rows, walk them from left to right, and at each one ask what the contract asks. It knows every row from
the start, keeps no clock, shares no code with the product and must stay so: it may not import `pipelines` or
`schemas`. Temperatures are integer hundredths of a degree C, times and durations integer milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypedDict

Row = tuple[int, int | None, int, int]
"""(measured_at, temperature or None for a fault mark, index of the policy version, max_gap)."""

Side = Literal["high", "low"]
Standing = Literal["out", "margin", "recovered"]
EndedBy = Literal["recovery", "policy", "assignment"]
Key = tuple[str, Side]
"""What makes a band the same band in another version; kind and window never differ here."""


class Band(TypedDict):
    """One band of one policy version."""

    name: str
    side: Side
    limit: int
    inclusive: bool
    hold: int
    min_samples: int
    margin: int
    recovery_hold: int


Policy = Sequence[Band]


class Excursion(TypedDict):
    """One excursion with its numbers; mean is in hundredths, degree_ms in hundredths times milliseconds."""

    band: str
    started_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    ended_by: EndedBy | None
    peak: int
    mean: Fraction
    degree_ms: int
    exposure: int
    known: int
    unknown: int
    samples: int
    largest_gap: int


@dataclass(frozen=True, slots=True)
class Piece:
    """One row and the stretch up to the next: its value is known on [at, known_to), nothing is on [known_to, next)."""

    at: int
    value: int | None
    version: int
    known_to: int
    next_at: int | None
    """The time of the next row; None after the last one."""


@dataclass(slots=True)
class Run:
    """What a run has collected. `opened_at` is None while pending, `recovery_at` while not recovering."""

    started_at: int
    collected: int = 0
    out_samples: int = 1
    margin_time: int = 0
    opened_at: int | None = None
    recovery_at: int | None = None
    recovery_time: int = 0
    recovery_samples: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """An opened run from its start to its end; `ended_at` is None while open."""

    started_at: int
    opened_at: int
    ended_at: int | None
    closed_at: int | None
    ended_by: EndedBy | None


def judge(
    readings: Sequence[Row],
    versions: Sequence[Policy],
    until: int,
    assignment_end: int | None = None,
) -> list[Excursion]:
    """Return every excursion of one sensor, sorted by band, then `started_at`.

    Rows may come in any order and twice. An `assignment_end` after `until` has not happened yet; one that has
    leaves out the rows at and after it, which belong to the next assignment.
    """
    end = assignment_end if assignment_end is not None and assignment_end <= until else None
    pieces = cut_into_pieces(readings, until, end)
    keys = {(band["name"], band["side"]) for policy in versions for band in policy}
    found = [numbers(key, span, pieces, versions, until) for key in keys for span in BandWalk(key, versions, until, end).walk(pieces)]
    return sorted(found, key=lambda excursion: (excursion["band"], excursion["started_at"]))


def cut_into_pieces(readings: Sequence[Row], until: int, assignment_end: int | None) -> list[Piece]:
    """Drop duplicates and rows that do not count, sort the rest by time, and say how long each value is known."""
    kept: dict[int, Row] = {}
    for row in readings:
        counts = row[0] <= until and (assignment_end is None or row[0] < assignment_end)
        is_first = row[0] not in kept
        replaces_a_fault = not is_first and kept[row[0]][1] is None and row[1] is not None
        if counts and (is_first or replaces_a_fault):
            kept[row[0]] = row
    rows = [kept[at] for at in sorted(kept)]
    pieces = []
    for number, (at, value, version, max_gap) in enumerate(rows):
        next_at = rows[number + 1][0] if number + 1 < len(rows) else None
        last_moment = until if next_at is None else next_at
        known_to = at if value is None else min(at + max_gap, last_moment)
        pieces.append(Piece(at, value, version, known_to, next_at))
    return pieces


def band_in(policy: Policy, key: Key) -> Band | None:
    """Return the band of this name and side, or None where the policy has none."""
    return next((band for band in policy if (band["name"], band["side"]) == key), None)


def standing(value: int, band: Band) -> Standing:
    """Say whether a value is out of range, recovered, or neither: inside the margin."""
    beyond = distance_beyond(value, band)
    if beyond > 0 or (beyond == 0 and band["inclusive"]):
        return "out"
    return "recovered" if beyond <= -band["margin"] else "margin"


def distance_beyond(value: int, band: Band) -> int:
    """Return how far a value lies beyond the limit; below zero on the good side of it."""
    return value - band["limit"] if band["side"] == "high" else band["limit"] - value


@dataclass(slots=True)
class BandWalk:
    """Walks the pieces once for one band. At each row: the row itself, then the time that follows it."""

    key: Key
    versions: Sequence[Policy]
    until: int
    assignment_end: int | None
    run: Run | None = None
    spans: list[Span] = field(default_factory=list)

    def walk(self, pieces: Sequence[Piece]) -> list[Span]:
        """Return the opened runs in order of their start."""
        version: int | None = None
        for piece in pieces:
            if piece.value is None:
                band = None if version is None else band_in(self.versions[version], self.key)
                if band is not None:
                    self.at_fault(piece.at, band)
                continue
            is_new_version = version is not None and piece.version != version
            version = piece.version
            band = band_in(self.versions[version], self.key)
            if band is None:
                self.end_by("policy", piece.at)
            else:
                self.at_reading(piece.at, standing(piece.value, band), band, is_new_version)
                self.let_time_pass(piece, standing(piece.value, band), band)
        if self.assignment_end is not None:
            self.end_by("assignment", self.assignment_end)
        elif self.run is not None and self.run.opened_at is not None:
            self.spans.append(Span(self.run.started_at, self.run.opened_at, None, None, None))
        return self.spans

    def at_reading(self, at: int, stands: Standing, band: Band, is_new_version: bool) -> None:
        """Judge one reading: first what is due at its instant, then the reading."""
        if self.run is not None and self.recovery_is_complete(self.run, band):
            self.close(at)
        if self.run is None:
            if stands == "out":
                self.start(at, band)
        elif self.run.opened_at is None:
            self.at_reading_while_pending(self.run, at, stands, band, is_new_version)
        else:
            self.at_reading_while_open(self.run, at, stands, band)

    def at_reading_while_pending(self, run: Run, at: int, stands: Standing, band: Band, is_new_version: bool) -> None:
        """Section 4, rules 1 and 2, at a reading."""
        if stands == "recovered":
            self.run = None
            return
        out_samples = run.out_samples + (1 if stands == "out" else 0)
        would_open = run.collected >= band["hold"] and (band["hold"] == 0 or out_samples >= band["min_samples"])
        would_end = run.margin_time >= band["hold"]
        if would_end and not (would_open and is_new_version):
            self.run = None
            if stands == "out":
                self.start(at, band)
            return
        run.out_samples = out_samples
        if stands == "out":
            run.margin_time = 0
        if would_open:
            run.opened_at = at

    def at_reading_while_open(self, run: Run, at: int, stands: Standing, band: Band) -> None:
        """Section 4, rules 3 and 4, at a reading."""
        if stands == "out":
            run.recovery_at = None
        elif run.recovery_at is not None:
            run.recovery_samples += 1
        elif stands == "recovered":
            run.recovery_at, run.recovery_time, run.recovery_samples = at, 0, 1
        if self.recovery_is_complete(run, band):
            self.close(at)

    def at_fault(self, at: int, band: Band) -> None:
        """A fault mark changes nothing by itself, but what is due at its instant still happens."""
        run = self.run
        if run is None:
            return
        if self.recovery_is_complete(run, band):
            self.close(at)
        elif run.opened_at is None and self.hold_is_reached(run, band):
            run.opened_at = at
        elif run.opened_at is None and run.margin_time >= band["hold"]:
            self.run = None

    def let_time_pass(self, piece: Piece, stands: Standing, band: Band) -> None:
        """Let the value hold for its known time. What falls due at the next row's instant is left to that row."""
        run = self.run
        if run is None:
            return
        known = piece.known_to - piece.at
        if run.opened_at is None and stands == "out":
            due = piece.at + band["hold"] - run.collected
            run.collected += known
            if self.hold_is_reached(run, band) and self.falls_in(due, piece):
                run.opened_at = due
        elif run.opened_at is None:
            due = piece.at + band["hold"] - run.margin_time
            run.margin_time += known
            if run.margin_time >= band["hold"] and self.falls_in(due, piece):
                self.run = None
        elif run.recovery_at is not None:
            due = piece.at + band["recovery_hold"] - run.recovery_time
            run.recovery_time += known
            if self.recovery_is_complete(run, band) and self.falls_in(due, piece):
                self.close(due)

    def falls_in(self, due: int, piece: Piece) -> bool:
        """Whether an instant reached in a piece's known time comes before everything that follows the piece."""
        if piece.next_at is not None:
            return due < piece.next_at
        return due < self.assignment_end if self.assignment_end is not None else due <= self.until

    def hold_is_reached(self, run: Run, band: Band) -> bool:
        """Section 4, rule 2."""
        return run.collected >= band["hold"] and (band["hold"] == 0 or run.out_samples >= band["min_samples"])

    def recovery_is_complete(self, run: Run, band: Band) -> bool:
        """Section 4, rule 4."""
        if run.recovery_at is None:
            return False
        hold = band["recovery_hold"]
        return run.recovery_time >= hold and (hold == 0 or run.recovery_samples >= band["min_samples"])

    def start(self, at: int, band: Band) -> None:
        """Start a run; without a hold it is open from its first instant."""
        self.run = Run(started_at=at, opened_at=at if band["hold"] == 0 else None)

    def close(self, at: int) -> None:
        """Section 4, rule 5: it ended where the recovery started."""
        run = self.run
        assert run is not None
        assert run.opened_at is not None
        assert run.recovery_at is not None
        self.spans.append(Span(run.started_at, run.opened_at, run.recovery_at, at, "recovery"))
        self.run = None

    def end_by(self, why: EndedBy, at: int) -> None:
        """End a run from outside: a pending one leaves no trace."""
        if self.run is not None and self.run.opened_at is not None:
            self.spans.append(Span(self.run.started_at, self.run.opened_at, at, at, why))
        self.run = None


def numbers(
    key: Key,
    span: Span,
    pieces: Sequence[Piece],
    versions: Sequence[Policy],
    until: int,
) -> Excursion:
    """Work out the numbers of one excursion over [started_at, end), each value against its own version's limit."""
    start, end = span.started_at, until if span.ended_at is None else span.ended_at
    total = end - start
    inside: list[tuple[int, int]] = []
    known = weighted = degree_ms = exposure = 0
    for piece in pieces:
        before_end = piece.at <= end if span.ended_at is None else piece.at < end
        if piece.value is None or piece.at < start or not before_end:
            continue
        band = band_in(versions[piece.version], key)
        assert band is not None
        inside.append((piece.at, piece.value))
        held = min(piece.known_to, end) - piece.at
        known += held
        weighted += held * piece.value
        degree_ms += held * max(0, distance_beyond(piece.value, band))
        exposure += held if standing(piece.value, band) == "out" else 0
    values = [value for _, value in inside]
    marks = sorted([start, end, *(at for at, _ in inside)])
    return {
        "band": key[0],
        "started_at": start,
        "opened_at": span.opened_at,
        "ended_at": span.ended_at,
        "closed_at": span.closed_at,
        "ended_by": span.ended_by,
        "peak": max(values) if key[1] == "high" else min(values),
        "mean": Fraction(weighted, known) if known else Fraction(sum(values), len(values)),
        "degree_ms": degree_ms,
        "exposure": exposure,
        "known": known,
        "unknown": total - known,
        "samples": len(inside),
        "largest_gap": max((right - left for left, right in pairwise(marks)), default=0),
    }
