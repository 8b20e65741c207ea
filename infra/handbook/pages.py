"""Which pages the documentation site has, in which order, and how links of the repository become links of the site.

Pure: names and texts in, names and texts out. Pages that the order does not name come last, so that none is left out.
"""

import re
from collections.abc import Collection
from typing import Final

Nav = list[dict[str, "str | Nav"]]
"""What MkDocs calls its navigation: titles with a page's file, or with more of the same."""

ORDER: Final[tuple[tuple[str, str], ...]] = (
    ("Overview", "index.md"),
    ("Quick start", "quickstart.md"),
    ("Concepts", "concepts.md"),
    ("The live page", "page.md"),
    ("Operating", "operating.md"),
    ("Setting up", "setup.md"),
    ("Tuning", "tuning.md"),
    ("Adding a device", "adding-a-device.md"),
    ("Simulator", "simulator.md"),
    ("API", "api.md"),
    ("Measurements", "bench.md"),
    ("Truth", "truth.md"),
    ("Faults", "faults.md"),
    ("Soak", "soak.md"),
    ("Flows and topics", "flows.md"),
    ("Reference", "reference.md"),
    ("Contributing", "contributing.md"),
    ("Changelog", "changelog.md"),
)

FROM_THE_ROOT: Final = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages of the site that stand at the root of the repository."""

DECISIONS: Final = "adr/"
TITLE: Final = re.compile(r"^# (.+)$", re.MULTILINE)
LINK: Final = re.compile(r"(\]\()([^)\s]+)(\))")


def navigation(pages: Collection[str], titles: dict[str, str]) -> Nav:
    """Return the navigation over some pages (files of the site), each under the order's title or its own."""
    named = [(title, page) for title, page in ORDER if page in pages]
    known = {page for _, page in named}
    decisions = sorted(page for page in pages if page.startswith(DECISIONS))
    others = sorted(page for page in pages if page not in known and page not in decisions)
    entries: Nav = [{title: page} for title, page in named]
    entries += [{titles.get(page, page): page} for page in others]
    if decisions:
        entries.append({"Decisions": [{titles.get(page, page): page} for page in decisions]})
    return entries


def title_of(text: str) -> str:
    """Return a page's first heading, or nothing."""
    found = TITLE.search(text)
    return found.group(1) if found is not None else ""


def for_the_site(text: str, page: str, decisions: Collection[str]) -> str:
    """Return a page's text with links that lead to the same pages within the site.

    Pages of the root link to `docs/...`; pages below `docs` link to `../README.md` and its like. A link to the folder of decisions
    leads to the first of them.
    """
    first = min(decisions, default="")
    at_the_root = page in FROM_THE_ROOT.values()

    def link(found: re.Match[str]) -> str:
        target, hash_sign, section = found.group(2).partition("#")
        if at_the_root:
            target = FROM_THE_ROOT.get(target, target.removeprefix("docs/"))
        elif target.startswith("../"):
            target = FROM_THE_ROOT.get(target.removeprefix("../"), target)
        if target == DECISIONS and first:
            target = first
        return found.group(1) + target + hash_sign + section + found.group(3)

    return LINK.sub(link, text)
