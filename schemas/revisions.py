"""Records of the topic `revisions`: requests to judge a stretch of a sensor again."""

import msgspec


class RevisionRequest(msgspec.Struct, frozen=True, tag="revision_request/1"):
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


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(RevisionRequest)


def encode_revision(request: RevisionRequest) -> bytes:
    """Return the record's value."""
    return _ENCODER.encode(request)


def decode_revision(value: bytes) -> RevisionRequest:
    """Return the request of a record's value; raises msgspec.DecodeError on anything else."""
    return _DECODER.decode(value)
