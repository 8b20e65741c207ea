"""Every console snippet of the documentation shows what its commands print; a wrong one is caught."""

from pathlib import Path
from typing import Final

import pytest

from tests.handbook.snippets import Snippet, Step, agrees, differences, snippets

ROOT: Final = Path(__file__).parents[2]
ALL: Final = [snippet for page in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))) for snippet in snippets(page)]


@pytest.mark.parametrize("snippet", ALL, ids=lambda snippet: snippet.place)
def test_a_snippet_shows_what_its_commands_print(snippet: Snippet, tmp_path: Path) -> None:
    assert differences(snippet, tmp_path) == []


def test_the_pages_for_beginners_have_snippets() -> None:
    assert {"README.md", "quickstart.md", "adding-a-device.md"} <= {snippet.place.split(":")[0] for snippet in ALL}


def test_no_page_shows_a_prompt_outside_a_snippet_that_is_run() -> None:
    prompts = {page.name: page.read_text(encoding="utf-8").count("\n$ ") for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))}
    run = {name: sum(len(one.steps) for one in ALL if one.place.startswith(f"{name}:")) for name in prompts}

    assert prompts == run


def test_a_planted_wrong_output_is_caught(tmp_path: Path) -> None:
    wrong = Snippet("planted.md:1", (Step("echo 4.31", "4.32\n"),))

    assert differences(wrong, tmp_path) == ["planted.md:1: echo 4.31\n4.31\n"]


@pytest.mark.parametrize(
    ("output", "shown", "same"),
    [
        ("a\nb\nc\n", "a\n...c\n", True),
        ("a\nb\nc\n", "a\n...d\n", False),
        ("a b c\n", "a ... c\n", True),
        ("a\n", "a\nb\n", False),
        ("a.b\n", "a+b\n", False),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(output: str, shown: str, same: bool) -> None:
    assert agrees(output, shown) is same
