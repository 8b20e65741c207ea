"""The pinned partition function: which of the 64 partitions a device belongs to, chosen once for life.

Kafka clients differ in their default partitioners, so no default is ever used. Changing anything here orphans state.
"""

import zlib
from functools import lru_cache
from typing import Final

DEVICE_PARTITIONS: Final = 64
"""Partitions of `uplinks`, `readings` and `revisions`; partition = shard = state key."""

ALERTING_PARTITIONS: Final = 16
"""Partitions of `alerting`, which is keyed by organization."""


@lru_cache(maxsize=1 << 20)
def device_partition(dev_eui: str) -> int:
    """Return the partition of a device.

    `dev_eui` is 16 hexadecimal digits in either case; the CRC-32 (IEEE 802.3) of its 8 bytes, modulo 64, decides.
    Raises ValueError when it is not hexadecimal.
    """
    return zlib.crc32(bytes.fromhex(dev_eui)) % DEVICE_PARTITIONS


def organization_partition(organization: int) -> int:
    """Return the partition of `alerting` that holds an organization's ordered log."""
    return zlib.crc32(organization.to_bytes(8, "big")) % ALERTING_PARTITIONS
