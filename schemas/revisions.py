"""Records of the topics `revisions` and `revised`: requests to judge a stretch of a sensor again, and the state that came of it."""

import msgspec


class RevisionRequest(msgspec.Struct, frozen=True, tag="revision_request/1", omit_defaults=True):
    """A late reading (or, later, a person's correction) asks that its sensor be judged again from an instant on."""

    sensor: int
    device: int
    organization: int
    measured_from: int
    """ms UTC: the earliest late reading."""
    partition: int
    offset: int
    """Offset in `uplinks` of the newest late reading; store_readings must have passed it first."""
    reason: str
    """`late`."""
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
