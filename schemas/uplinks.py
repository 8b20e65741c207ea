"""Records of the topic `uplinks`: a webhook's raw body, or a tick that carries only the broker's time.

The broker's LogAppendTime stamp orders the log and is the record's `received_at`; nothing in the record repeats it. Only a replayed
dead letter says by headers when it was first received, and which letter it is.
"""

from typing import Final

TICK: Final = "tick"
"""A record with this header is a tick. Its value is empty; the header's value names the process that wrote it."""

ORGANIZATION: Final = "organization"
"""Header: the organization the webhook's secret belongs to, as decimal digits."""

APPLICATION: Final = "application"
"""Header: the application id the webhook's secret belongs to, UTF-8."""

SOURCE: Final = "source"
"""Header: the network server's kind; today always `ttn`."""

REPLAY_OF: Final = "replay_of"
"""Header of a replay: id of the dead letter whose bytes these are (of the first one, however often it is replayed)."""

RECEIVED_AT: Final = "received_at"
"""Header of a replay: the broker's stamp of the uplink when it first came, ms UTC as decimal digits."""

MAX_BODY_BYTES: Final = 256 * 1024
"""A larger webhook body is refused with 413 (The Things Stack's own are 1 to 4 kB, some 700 bytes per gateway)."""

Headers = list[tuple[str, bytes]]


def uplink_headers(organization: int, application: str, source: str = "ttn") -> Headers:
    """Return the headers of an uplink's record."""
    return [
        (ORGANIZATION, str(organization).encode()),
        (APPLICATION, application.encode()),
        (SOURCE, source.encode()),
    ]


def replay_headers(organization: int, application: str, *, replay_of: str, received_at: int) -> Headers:
    """Return the headers of a dead letter's uplink that is written again."""
    return [
        *uplink_headers(organization, application),
        (REPLAY_OF, replay_of.encode()),
        (RECEIVED_AT, str(received_at).encode()),
    ]


def tick_headers(process: str) -> Headers:
    """Return the headers of a tick's record."""
    return [(TICK, process.encode())]
