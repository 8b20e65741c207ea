"""What MkDocs asks while it builds the site: pages from the root of the repository, the navigation, links within the site."""

import logging
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File

from infra.handbook.pages import DECISIONS, FROM_THE_ROOT, for_the_site, navigation, title_of

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it tells every table of every font


def on_config(config: Any) -> Any:
    """Make the navigation of the pages that are there."""
    texts = {page.relative_to(DOCS).as_posix(): page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md")}
    texts |= {name: (ROOT / source).read_text(encoding="utf-8") for source, name in FROM_THE_ROOT.items()}
    config.nav = navigation(texts, {page: title_of(text) for page, text in texts.items()})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that stand at the root of the repository."""
    for source, name in FROM_THE_ROOT.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001 - the name is MkDocs's
    """Make a page's links those of the site."""
    decisions = [file.src_uri for file in files.documentation_pages() if file.src_uri.startswith(DECISIONS)]
    return for_the_site(markdown, page.file.src_uri, decisions)
