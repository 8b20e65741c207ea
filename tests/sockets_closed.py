"""A pytest plugin: sockets are closed but for the folders of tests that talk to servers of their own on this machine."""

from pathlib import Path
from typing import Final

import pytest
from pytest_socket import disable_socket, enable_socket

TALKING: Final = frozenset({"api", "connectors", "e2e", "faults", "infra", "integration", "bench"})
"""Folders whose tests open sockets, all of them to loopback."""

TESTS: Final = Path(__file__).parent


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close sockets before a test that has no business with them."""
    folder = item.path.relative_to(TESTS).parts[0]
    if folder in TALKING:
        enable_socket()
    else:
        disable_socket(allow_unix_socket=True)


def pytest_runtest_teardown() -> None:
    """Open them again, for whatever the session still has to close."""
    enable_socket()
