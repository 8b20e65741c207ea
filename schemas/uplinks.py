"""Records of the topic `uplinks`: a webhook's raw body, or a tick that carries only the broker's time.

The broker's LogAppendTime stamp is the record's `received_at`; nothing in the record repeats it.
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


def tick_headers(process: str) -> Headers:
    """Return the headers of a tick's record."""
    return [(TICK, process.encode())]
