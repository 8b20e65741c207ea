"""Records of the topic `dead_letters`: what could not be decoded or believed, with its reason and its raw bytes."""

import msgspec


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True, tag="dead_letter/1"):
    """One rejected uplink, or one rejected value of an uplink."""

    organization: int
    application: str
    kind: str
    """One of: rejected, unassigned."""
    reason: str
    """A name of schemas.reasons."""
    detail: str
    dev_eui: str
    """Empty where none could be read."""
    received_at: int
    """ms UTC; the broker's stamp of the uplink, or 0 for what never reached `uplinks` (then this record's own stamp counts)."""
    topic: str
    """`uplinks`, or `dead_letters` for what ingest put here directly."""
    partition: int
    offset: int
    part: int
    """Which rejected value of that uplink, from 0."""
    raw: bytes
    """Empty for what came of a replay: the first letter has the bytes."""
    replay_of: str = ""
    """Id of the first letter, for what came of its replay; empty otherwise."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(DeadLetter)


def encode_dead_letter(letter: DeadLetter) -> bytes:
    """Return the record's value."""
    return _ENCODER.encode(letter)


def decode_dead_letter(value: bytes) -> DeadLetter:
    """Return the dead letter of a record's value; raises msgspec.DecodeError on anything else."""
    return _DECODER.decode(value)
