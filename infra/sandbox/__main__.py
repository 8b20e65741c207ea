"""`python -m infra.sandbox --port P [--data FOLDER]`: serve the sandbox providers on the loopback address."""

import argparse
from pathlib import Path

import uvicorn

from infra.sandbox.application import create_app
from infra.sandbox.settings import SandboxSettings

HOST = "127.0.0.1"


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, default=Path(), help="Folder of keys and state. Default: the current one.")
    chosen = parser.parse_args()
    settings = SandboxSettings.from_environment(chosen.data, f"http://{HOST}:{chosen.port}")
    uvicorn.run(create_app(settings), host=HOST, port=chosen.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
