"""The drawings and the step ids say what the code does."""

import json

from tests.golden.drawings import FLOWS_PAGE, STEP_IDS, flows_page, step_ids


def test_the_drawings_are_those_of_the_code() -> None:
    assert FLOWS_PAGE.read_text() == flows_page(), "run `make golden` and read the diff"


def test_step_ids_are_pinned() -> None:
    assert json.loads(STEP_IDS.read_text()) == json.loads(step_ids()), "state is kept under step ids: a rename needs a migration note"
