"""The site is built without a warning, has every page, draws its diagrams, and loads nothing from other hosts."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

from infra.handbook.drawings import drawing, in_words
from infra.handbook.pages import ORDER, for_the_site, navigation, title_of

ROOT: Final = Path(__file__).parents[2]
LOADS: Final = frozenset({("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("object", "data")})
"""Where a page names something that a browser fetches by itself."""


class Loaded(HTMLParser):
    """Collects what a browser fetches for a page."""

    def __init__(self) -> None:
        """Know nothing."""
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an address."""
        self.addresses += [value for name, value in attrs if (tag, name) in LOADS and value]


def fetched_from_elsewhere(site: Path) -> list[str]:
    """Return the addresses of other hosts that pages and stylesheets of a site fetch."""
    found = []
    for page in sorted(site.rglob("*.html")):
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        found += [f"{page.name}: {address}" for address in loaded.addresses if re.match(r"(https?:)?//", address)]
    for sheet in sorted(site.rglob("*.css")):
        addresses = re.findall(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", sheet.read_text(encoding="utf-8"))
        found += [f"{sheet.name}: {address}" for address in addresses]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [str(Path(sys.executable).parent / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=120, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert built.stderr == ""
    return folder


def test_every_page_of_the_repository_is_on_the_site(site: Path) -> None:
    pages = [page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")]

    assert [str(page) for page in pages if not (site / page).exists()] == []
    assert (site / "index.html").exists()
    assert (site / "contributing.html").exists()


def test_the_site_fetches_nothing_from_other_hosts(site: Path) -> None:
    assert fetched_from_elsewhere(site) == []


def test_a_planted_address_is_caught(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<script src="https://cdn.example/mermaid.js"></script><a href="https://example.org">fine</a>')
    (tmp_path / "page.css").write_text('@import "//fonts.example/inter";')

    assert fetched_from_elsewhere(tmp_path) == ["page.html: https://cdn.example/mermaid.js", "page.css: //fonts.example/inter"]


def test_every_diagram_is_drawn(site: Path) -> None:
    fences = sum(text.count("```mermaid") for text in (page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md")))
    pages = [page.read_text(encoding="utf-8") for page in site.rglob("*.html") if page.name != "index.html"]

    assert sum(page.count('<div class="drawing"') for page in pages) == fences
    assert not any('class="mermaid"' in page for page in pages)


def test_a_diagram_is_heard_as_its_source() -> None:
    source = 'flowchart LR\n  a["A & B"] --> c\n'

    drawn = drawing(source, "mermaid", "mermaid", {}, None)

    assert in_words(source) == 'Drawing: flowchart LR; a["A & B"] --> c'
    assert 'aria-label="Drawing: flowchart LR; a[&quot;A &amp; B&quot;] --&gt; c"' in drawn
    assert "<svg" in drawn


def test_pages_that_nobody_ordered_come_last_and_none_is_left_out() -> None:
    pages = ["zebra.md", "concepts.md", "adr/0002-b.md", "adr/0001-a.md", "index.md"]

    found = navigation(pages, {"zebra.md": title_of("# Zebra\n"), "adr/0001-a.md": "0001"})

    assert found == [
        {"Overview": "index.md"},
        {"Concepts": "concepts.md"},
        {"Zebra": "zebra.md"},
        {"Decisions": [{"0001": "adr/0001-a.md"}, {"adr/0002-b.md": "adr/0002-b.md"}]},
    ]
    assert len({page for _, page in ORDER}) == len(ORDER)


@pytest.mark.parametrize(
    ("page", "link", "there"),
    [
        ("index.md", "docs/concepts.md#ticks-and-clocks", "concepts.md#ticks-and-clocks"),
        ("index.md", "CONTRIBUTING.md", "contributing.md"),
        ("index.md", "docs/adr/", "adr/0001-a.md"),
        ("operating.md", "../README.md#measured", "index.md#measured"),
        ("operating.md", "reference.md", "reference.md"),
        ("operating.md", "https://example.org/docs/", "https://example.org/docs/"),
    ],
)
def test_links_of_the_repository_lead_to_the_same_page_on_the_site(page: str, link: str, there: str) -> None:
    assert for_the_site(f"[text]({link})", page, ["adr/0002-b.md", "adr/0001-a.md"]) == f"[text]({there})"
