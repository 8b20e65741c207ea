"""Draws Mermaid fences as SVG while the site is built, so that a page needs no script and no other host to show them."""

import html
from functools import lru_cache
from typing import Any

from mermaid_render import mermaid_to_svg


def drawing(source: str, language: str, css_class: str, options: dict[str, Any], md: object, **_others: object) -> str:  # noqa: ARG001
    """Return a fence as an SVG that scrolls where it is too wide: a formatter of pymdownx.superfences."""
    return f'<div class="drawing" tabindex="0" role="img" aria-label="{html.escape(in_words(source))}">{svg(source)}</div>'


@lru_cache(maxsize=256)
def svg(source: str) -> str:
    """Return the drawing; raises ValueError and its like where the source is no diagram."""
    return str(mermaid_to_svg(source), "utf-8")


def in_words(source: str) -> str:
    """Return what a reader hears instead of the drawing: its source in one line."""
    return "Drawing: " + "; ".join(line.strip() for line in source.splitlines() if line.strip())
