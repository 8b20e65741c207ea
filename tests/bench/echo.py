"""The baseline of ingest: reads the body and answers 202 with it, on the server settings of `coldstream serve`. Keeps nothing.

Run as `python -m tests.bench.echo PORT`.
"""

import sys

import uvicorn

from api.answers import Receive, Scope, Send
from api.ingest.body import NoBody, read_body
from infra.commands.serve import BACKLOG, KEEP_ALIVE_SECONDS, MAX_CONNECTIONS, DeadlineProtocol


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    assert scope["type"] == "http"
    body = await read_body(receive)
    content = b"" if isinstance(body, NoBody) else body
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", str(len(content)).encode())]})
    await send({"type": "http.response.body", "body": content})


def main() -> None:
    """Serve until killed."""
    uvicorn.run(
        echo,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http=DeadlineProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    main()
