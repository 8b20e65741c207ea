"""How Chromium is started: Debian's own, without a window, and without its calls home."""

from typing import Final

from playwright.sync_api import Browser, Playwright

EXECUTABLE: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch(playwright: Playwright) -> Browser:
    """Return a running Chromium; the driver gives it a new empty profile."""
    return playwright.chromium.launch(executable_path=EXECUTABLE, args=list(FLAGS), headless=True)
