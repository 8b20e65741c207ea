"""Every setting, command, topic, flow and table has its place in the docs; and a missing one is caught."""

import ast
import re
from pathlib import Path

from infra.cli import COMMANDS
from schemas.topics import TOPICS

ROOT = Path(__file__).parents[2]
READERS = frozenset({"setting", "flag", "whole_number"})


def settings_read(root: Path) -> set[str]:
    """Return the names of settings that the code reads through pipelines.connectors.settings."""
    names: set[str] = set()
    for folder in ("pipelines", "api", "infra"):
        for file in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in READERS and node.args:
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.isupper():
                        names.add(first.value)
    return names


def undocumented(names: set[str], text: str) -> list[str]:
    """Return the names that a text does not mention in code font."""
    mentioned = set(re.findall(r"`([A-Za-z_0-9]+)`", text))
    return sorted(names - mentioned)


def test_every_setting_has_a_row() -> None:
    names = settings_read(ROOT)

    assert {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "TICKS_ENABLED"} <= names
    assert undocumented(names, (ROOT / "docs" / "operating.md").read_text()) == []


def test_a_setting_without_a_row_is_caught() -> None:
    assert undocumented({"NEW_SETTING", "LOG_LEVEL"}, "`LOG_LEVEL` is there") == ["NEW_SETTING"]


def test_every_command_is_in_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    assert [name for name in COMMANDS if f"`{name}`" not in text and not re.search(rf"`coldstream {name}[ `]", text)] == []


def test_every_topic_and_flow_is_in_the_readme_drawing() -> None:
    text = (ROOT / "README.md").read_text()

    for topic in TOPICS:
        for name in (topic.name, *topic.writers, *topic.readers):
            assert name in text or name == "api", name


def broken_links(root: Path) -> list[str]:
    """Return the links of pages that lead to no file, or to no heading of a page."""
    broken = []
    for file in (*root.glob("*.md"), *(root / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", file.read_text(encoding="utf-8")):
            name, _, section = target.partition("#")
            page = file if not name else file.parent / name
            if "://" in target:
                continue
            if not page.exists() or (section and section not in sections(page.read_text(encoding="utf-8"))):
                broken.append(f"{file.name}: {target}")
    return broken


def sections(text: str) -> set[str]:
    """Return the names under which the headings of a page are found."""
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_every_link_in_the_docs_leads_somewhere() -> None:
    assert broken_links(ROOT) == []


def test_planted_broken_links_are_caught(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("# A page: of `things`\n\n```\n# no heading\n```\n")
    links = ["docs/page.md#a-page-of-things", "docs/gone.md", "docs/page.md#no-heading", "#here", "https://example.org/gone"]
    (tmp_path / "README.md").write_text("## Here\n" + " ".join(f"[text]({link})" for link in links))

    assert broken_links(tmp_path) == ["README.md: docs/gone.md", "README.md: docs/page.md#no-heading"]
