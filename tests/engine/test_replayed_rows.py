"""Rows of replayed dead letters in a shard: judged as readings; they say nothing of a device that was heard since."""

import random

from schemas.readings import RowFlag, RowKind, Rows, blank_rows
from tests.engine.random_log import START_AT, STEP_MS, one_row, random_log, tick
from tests.engine.test_shard import SERIES, offline_facts

DEVICE = 101


def heard(offset: int, at: int, *, flags: int = 0) -> Rows:
    row = blank_rows(1)
    row["offset"], row["measured_at"], row["received_at"], row["kind"], row["flags"] = offset, at, at, RowKind.HEARD, flags
    row["sensor"], row["device"], row["unit"], row["organization"], row["configuration"] = 1, DEVICE, 7, 1, 1
    return row


def silent_then(row: Rows) -> list[tuple[int, int, int, int | None]]:
    """Return what is told of a device that was heard once, fell silent, and then had one more row."""
    ticks = [tick(offset, START_AT + offset * STEP_MS) for offset in range(1, 21)]
    rows = [heard(0, START_AT), *ticks, row]
    return offline_facts(rows, [1] * len(rows))


def test_a_replay_from_before_the_silence_does_not_bring_a_device_back() -> None:
    told = silent_then(heard(30, START_AT - 5_000, flags=RowFlag.REPLAYED))

    assert [(fact[1], fact[3]) for fact in told] == [(DEVICE, None)]


def test_an_uplink_held_back_since_before_the_silence_does_not_bring_a_device_back_to_be_offline_again_at_once() -> None:
    ticks = [tick(offset, START_AT + offset * STEP_MS) for offset in range(1, 21)]
    held = [heard(30, START_AT - 5_000), tick(31, START_AT + 31 * STEP_MS), heard(32, START_AT), tick(33, START_AT + 33 * STEP_MS)]
    rows = [heard(0, START_AT), *ticks, *held, heard(40, START_AT + 34 * STEP_MS)]

    told = offline_facts(rows, [1] * len(rows))

    assert [(fact[0], fact[3]) for fact in told] == [(told[0][0], None), (40, START_AT + 34 * STEP_MS)]
    assert told == offline_facts(rows, [len(rows)])


def test_an_uplink_measured_in_the_silence_brings_a_device_back_however_late_it_comes() -> None:
    back = silent_then(heard(30, START_AT + 5_000))

    assert [fact[3] is None for fact in back] == [True, False]


def test_a_replay_from_after_the_last_uplink_is_heard_like_any_other() -> None:
    back = silent_then(heard(30, START_AT + 50_000, flags=RowFlag.REPLAYED))

    assert [fact[3] for fact in back] == [None, START_AT + 50_000]


def test_terms_of_a_replay_do_not_replace_those_of_an_uplink_before_it_in_the_batch() -> None:
    newest, replay = heard(1, START_AT + 9_000), heard(2, START_AT + 6_000, flags=RowFlag.REPLAYED)
    replay["configuration"], replay["unit"] = 2, 8
    rows = [heard(0, START_AT), newest, replay, *[tick(offset, START_AT + offset * STEP_MS) for offset in range(3, 30)]]

    together, apart = offline_facts(rows, [len(rows)]), offline_facts(rows, [1] * len(rows))

    assert together == apart
    assert len(together) == 1


def test_replays_among_a_log_are_judged_alike_in_any_batches() -> None:
    told = 0
    for seed in range(SERIES // 3):
        chance = random.Random(seed)
        rows = []
        for row in random_log(seed, sensors=2, steps=60).rows:
            rows.append(row)
            if chance.random() < 0.15:
                at = int(row["measured_at"][0]) - chance.choice([0, 5_000, 60_000, 600_000])
                again = one_row(int(row["offset"][0]), at, chance.randint(1, 2), 1, 1, chance)
                again["flags"] = RowFlag.REPLAYED
                rows.append(again)
        for offset, row in enumerate(rows):
            row["offset"], row["configuration"] = offset, 1
        thinned = [row for row in rows if row["kind"][0] == RowKind.TICK or random.Random(int(row["offset"][0]) // 40).random() < 0.4]

        whole = offline_facts(thinned, [len(thinned)])
        told += len(whole)

        assert whole == offline_facts(thinned, [1] * len(thinned)), f"seed {seed}"
    assert told > SERIES // 3
