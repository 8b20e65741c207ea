"""Records of the topics `revisions` and `revised`: requests to judge a stretch of a sensor again, and the state that came of it."""

from typing import Final

import msgspec

LATE: Final = "late"

REASONS: Final = (LATE, "policy", "assignment", "correction")
"""Why a sensor is judged again, the weightiest last; where several come together that one is given. Never give a place a new meaning."""


def weightier(one: str, other: str) -> str:
    """Return the weightier of two reasons."""
    return max(one, other, key=REASONS.index)


class RevisionRequest(msgspec.Struct, frozen=True, tag="revision_request/1", omit_defaults=True):
    """A late reading, or a person's correction, asks that its sensor be judged again from an instant on."""

    sensor: int
    device: int
    organization: int
    measured_from: int
    """ms UTC: the earliest late reading, or from where on a person corrected."""
    partition: int
    offset: int
    """Offset in `uplinks` of the newest late reading, or of the tick behind which a correction holds; store_readings must have passed it first."""
    reason: str
    """One of REASONS."""
    clock: int = 0
    """The partition's clock when it was asked (ms UTC): deadlines up to it have passed. 0 in records of before there were answers."""


class Revised(msgspec.Struct, frozen=True, tag="revised/1"):
    """A sensor was judged again: its state as of an offset, from which detect_excursions goes on."""

    sensor: int
    partition: int
    offset: int
    """In `uplinks`: every row of the sensor up to it was judged, none behind it."""
    measured_from: int
    """ms UTC: from where it was judged again."""
    until: int
    """ms UTC: deadlines up to it have passed."""
    state: bytes
    """A snapshot of the machine's state (engine.awaiting)."""
    reason: str = LATE
    """One of REASONS: why it was judged again."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(RevisionRequest)


_REVISED_DECODER = msgspec.msgpack.Decoder(Revised)


def encode_revised(revised: Revised) -> bytes:
    """Return the record's value."""
    return _ENCODER.encode(revised)


def decode_revised(value: bytes) -> Revised:
    """Return the answer of a record's value; raises msgspec.DecodeError on anything else."""
    return _REVISED_DECODER.decode(value)


def encode_revision(request: RevisionRequest) -> bytes:
    """Return the record's value."""
    return _ENCODER.encode(request)


def decode_revision(value: bytes) -> RevisionRequest:
    """Return the request of a record's value; raises msgspec.DecodeError on anything else."""
    return _DECODER.decode(value)
