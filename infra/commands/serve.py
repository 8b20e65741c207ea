"""`coldstream serve`: run one API process. Scale by running more of them."""

import resource
import sys
from asyncio import TimerHandle
from typing import Any, Final

import click
import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.app import create_app
from api.live.frames import MAX_FRAME_BYTES
from api.settings import ApiSettings
from infra.local.environment import load_environment
from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.logs import configure_logging
from pipelines.connectors.metrics import serve_metrics

DEFAULT_METRICS_PORT: Final = 9464

HEADER_SECONDS: Final = 10.0
"""From a connection's or request's first byte to the end of its headers; uvicorn itself would wait for ever."""

KEEP_ALIVE_SECONDS: Final = 75
"""An idle connection stays open this long, so that a network server's next uplink needs no new one."""

MAX_CONNECTIONS: Final = 4_000
"""HTTP connections and running requests; the next one is answered 503 at once. WebSockets do not count."""

GRACE_SECONDS: Final = 5
"""At the end: for running requests. An uplink's takes 1.5 s at most."""

BACKLOG: Final = 4_096


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for the headers of every request."""

    _headers_due: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Expect the first request."""
        super().connection_made(transport)
        self._expect_headers()

    def on_message_begin(self) -> None:
        """Expect the rest of this request's headers."""
        super().on_message_begin()
        if self._headers_due is None:
            self._expect_headers()

    def on_headers_complete(self) -> None:
        """Have them."""
        self._headers_are_here()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._headers_are_here()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        self._headers_due = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _headers_are_here(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None


def allow_open_files() -> None:
    """Raise this process's own limit of open files to what the system lets it have: every dashboard is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def server(settings: ApiSettings, host: str, port: int) -> uvicorn.Server:
    """Return the server of one API process."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=host,
            port=port,
            loop="uvloop",
            http=DeadlineProtocol,
            ws="websockets-sansio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ws_max_size=MAX_FRAME_BYTES,
            ws_ping_interval=20.0,
            ws_ping_timeout=20.0,
            ws_per_message_deflate=False,
        ),
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535))
def command(host: str, port: int) -> None:
    """Run the API: webhooks, REST, WebSocket and the live page."""
    load_environment()
    try:
        configure_logging()
        settings = ApiSettings.from_environment()
        serve_metrics(DEFAULT_METRICS_PORT)
    except Misconfigured as error:
        click.echo(f"coldstream serve: {error}", err=True)
        sys.exit(2)
    allow_open_files()
    structlog.get_logger().info("serving", address=f"http://{host}:{port}")
    running = server(settings, host, port)
    running.run()
    if not running.started:
        sys.exit(3)
