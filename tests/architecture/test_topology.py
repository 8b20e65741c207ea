"""The flow is visible several times, and they are equal: files in pipelines/flows, schemas.topics, the commands, the local stack."""

from pathlib import Path

from infra.commands.flow import PARTITIONS
from infra.local.parts import FLOWS
from schemas.topics import TOPICS, Topic

ROOT = Path(__file__).parents[2]
BESIDE_FLOWS = frozenset({"api"})


def flow_files(root: Path) -> set[str]:
    """Return the flows that have a file."""
    return {file.stem for file in (root / "pipelines" / "flows").glob("*.py") if file.stem != "__init__"}


def disagreements(files: set[str], topics: tuple[Topic, ...]) -> list[str]:
    """Say where the map of topics and the files differ."""
    named = {name for topic in topics for name in (*topic.writers, *topic.readers)} - BESIDE_FLOWS
    problems = [f"{name} is named by a topic and has no file" for name in sorted(named - files)]
    readers = {name for topic in topics for name in topic.readers}
    return problems + [f"{name} reads no topic of the map" for name in sorted(files - readers)]


def test_files_topics_command_and_stack_name_the_same_flows() -> None:
    files = flow_files(ROOT)

    assert disagreements(files, TOPICS) == []
    assert set(PARTITIONS) == files
    assert {part.value for part in FLOWS} == files


def test_a_planted_flow_without_a_topic_is_caught() -> None:
    assert disagreements(flow_files(ROOT) | {"paint_pictures"}, TOPICS) == ["paint_pictures reads no topic of the map"]


def test_each_flow_reads_the_topic_that_the_map_says() -> None:
    for topic in TOPICS:
        for reader in topic.readers:
            text = (ROOT / "pipelines" / "flows" / f"{reader}.py").read_text()
            assert f"LogSource(kafka, {topic.name.upper()}.name" in text, f"{reader} must read {topic.name}"
