"""The golden cases of the decoders: folders of `golden/` with one message (input.json) and what is taken from it (expected.json).

`python -m tests.domain.decoders.golden_cases` writes every expected.json anew; read the diff.
"""

import json
from pathlib import Path

from infra.commands.decode import line_of

FOLDER = Path(__file__).parent / "golden"


def cases() -> list[Path]:
    """Return the folders, sorted."""
    return sorted(path for path in FOLDER.iterdir() if path.is_dir())


def taken(case: Path) -> str:
    """Return what is taken from a case's message, as `coldstream decode` shows it."""
    shown = json.loads(line_of("input.json", (case / "input.json").read_bytes()))
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def rewrite() -> None:
    """Write every expected.json anew."""
    for case in cases():
        (case / "expected.json").write_text(taken(case), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
