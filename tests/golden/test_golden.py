"""The golden files say what the code does."""

import json

from pipelines.engine.judgements import Judged
from pipelines.engine.shard import Shard, read_snapshot
from schemas.readings import encode_rows
from tests.engine.random_log import random_log, terms
from tests.golden.drawings import FLOWS_PAGE, STEP_IDS, flows_page, step_ids
from tests.golden.snapshot import ROWS, SNAPSHOT


def test_the_drawings_are_those_of_the_code() -> None:
    assert FLOWS_PAGE.read_text() == flows_page(), "run `make golden` and read the diff"


def test_step_ids_are_pinned() -> None:
    assert json.loads(STEP_IDS.read_text()) == json.loads(step_ids()), "state is kept under step ids: a rename needs a migration note"


def test_a_snapshot_of_version_1_still_loads_and_goes_on_as_if_nothing_had_happened() -> None:
    rows = [encode_rows(row) for row in random_log(7).rows]
    whole = Shard(3, terms())
    whole.on_records(rows[:ROWS])

    restored = Shard(3, terms(), SNAPSHOT.read_bytes())

    assert read_snapshot(SNAPSHOT.read_bytes()).version == 1
    assert restored.done == whole.done
    after = [output for output in restored.on_records(rows[ROWS:]) if isinstance(output, Judged)]
    assert after == [output for output in whole.on_records(rows[ROWS:]) if isinstance(output, Judged)]
    assert after
