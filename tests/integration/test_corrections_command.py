"""`coldstream corrections` over a real database: what it previews is what it makes, and the record names the operator."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from infra.local.local_stack import LocalStack
from tests.integration.api_rig import COLDSTREAM
from tests.integration.registry_rig import DAY, LATER, World, in_seconds, policy, rows, running_world, sensor, unit

Done = subprocess.CompletedProcess[str]

STORED = """
INSERT INTO readings (sensor_id, measured_at, organization_id, unit_id, assignment_id, policy_version_id, configuration_id, received_after_ms,
  uplink_partition, uplink_offset, temperature, late)
SELECT a.sensor_id, now() - n * interval '10 minutes', a.organization_id, a.unit_id, a.id, p.policy_version_id, c.id, 0, 1, n,
  CASE WHEN n BETWEEN 5 AND 8 THEN 700 ELSE 400 END, false
FROM generate_series(1, 20) n, assignments a JOIN unit_policies p USING (unit_id) JOIN sensor_configurations c USING (sensor_id)
WHERE a.sensor_id = %s
"""


@pytest.fixture(scope="module")
def world(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(stack, tmp_path_factory.mktemp("corrections"), "corrections_command_test") as found:
        yield found


def run(world: World, *words: object) -> Done:
    """Run `coldstream corrections`."""
    command = [COLDSTREAM, "corrections", *map(str, words)]
    environment = {"PATH": "/usr/bin:/bin"} | world.api.environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def said(done: Done) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_calibration_is_previewed_made_listed_shown_and_revoked(world: World) -> None:
    number = sensor(world, unit=unit(world, policy_version=policy(world)[1]), assigned_from=in_seconds(-2 * DAY))
    with world.api.connect() as connection:
        connection.execute(STORED.encode(), [number])
    order = ("calibration", "--sensor", number, "--celsius", 2, "--from", in_seconds(-DAY), "--to", in_seconds(-60))

    previewed = said(run(world, "preview", *order))
    untouched = world.ada.get(f"corrections?sensor={number}")["items"]
    made = said(run(world, "make", *order, "--comment", "certificate 7"))
    (kept,) = world.ada.get(f"corrections?sensor={number}")["items"]
    listed = said(run(world, "list", "--sensor", number))
    shown = json.loads("\n".join(said(run(world, "show", kept["id"]))))
    revoked = said(run(world, "revoke", kept["id"], "--comment", "of another probe"))
    standing = said(run(world, "list", "--sensor", number, "--standing"))

    assert previewed[0].startswith(f"It would say: sensor {number} was calibrated by +2.00 °C from ")
    assert previewed[1:3] == ["20 stored readings lie in it; 20 would be judged again.", "Excursions: 1 gained, 0 lost, 0 changed."]
    assert previewed[4].split()[:5] == ["gained", str(number), str(rows_unit(world, number)), "warm", "(high)"]
    assert "9.00 °C" in previewed[4]
    assert untouched == []
    assert made[0].startswith(f"correction {kept['id']}: sensor {number} was calibrated by +2.00 °C")
    assert made[1].startswith("What it touches is judged again at ")
    assert (kept["made_by"], kept["comment"], shown) == ("operator", "certificate 7", kept)
    assert listed[1].split()[0] == str(kept["id"])
    assert revoked[0].startswith(f"correction {kept['id']} is revoked: ")
    assert standing == []
    assert rows(world, f"SELECT count(*) FROM rejudgements WHERE sensor_id = {number}") == [(2,)]
    log = world.ada.get(f"registry-changes?kind=correction&thing={kept['id']}")["items"]
    assert [(one["action"], one["user"]) for one in log] == [("revoked", "operator"), ("made", "operator")]


def rows_unit(world: World, number: int) -> int:
    return int(world.ada.get(f"sensors/{number}/registration")["assignments"][0]["unit"])


def test_every_other_kind_becomes_the_order_that_the_api_knows(world: World) -> None:
    units = [unit(world, policy_version=policy(world)[1]) for _ in range(3)]
    one, other = (sensor(world, unit=watched, assigned_from=in_seconds(-2 * DAY)) for watched in units[:2])
    version = policy(world, LATER)[1]
    since = ("--from", in_seconds(-DAY))
    orders = [
        ("flag", "--sensor", one, *since),
        ("delete", "--sensor", one, *since, "--to", in_seconds(-DAY / 2)),
        ("policy", "--unit", units[0], "--policy-version", version, *since),
        ("swap", "--sensor", one, "--other", other, *since),
    ]

    made = [json.loads(said(run(world, "make", *order, "--comment", "x", "--json"))[0]) for order in orders]
    previewed = [json.loads(said(run(world, "preview", "move", "--sensor", one, "--unit", units[2], *since, "--json"))[0])]
    previewed.append(json.loads(said(run(world, "preview", "end", "--sensor", one, *since, "--json"))[0]))

    kinds = [[(item["kind"], item["sensor"], item["unit"]) for item in answer["items"]] for answer in made]
    assert kinds == [
        [("flag", one, None)],
        [("delete", one, None)],
        [("policy", None, units[0])],
        [("assignment", one, units[1]), ("assignment", other, units[0])],
    ]
    stretches = [[(item["kind"], item["sensor"], item["unit"]) for item in answer["corrections"]] for answer in previewed]
    assert stretches == [[("assignment", one, units[2])], [("assignment", one, None)]]


def test_what_cannot_be_done_says_what_to_do_instead_and_keeps_nothing(world: World) -> None:
    number = sensor(world, unit=unit(world), assigned_from=in_seconds(-DAY))
    since = ("--from", in_seconds(-3_600))

    unsaid = run(world, "make", "flag", "--sensor", number, *since)
    blank = run(world, "make", "flag", "--sensor", number, *since, "--comment", " ")
    to_come = run(world, "make", "flag", "--sensor", number, *since, "--to", in_seconds(3_600), "--comment", "x")
    unknown = run(world, "preview", "flag", "--sensor", 2**31 - 1, *since)
    elsewhere = run(world, "preview", "flag", "--sensor", number, *since, "--organization", world.theirs)
    unwatched = run(world, "make", "move", "--sensor", sensor(world), "--unit", unit(world), *since, "--comment", "x")
    unmade = run(world, "revoke", 2**31 - 1, "--comment", "x")

    assert (unsaid.returncode, blank.returncode) == (2, 1)
    assert "--comment" in unsaid.stderr
    assert "comment: is required: say why" in blank.stderr
    assert "to: must be after from, and not in the future" in to_come.stderr
    for refused in (unknown, elsewhere):
        assert refused.returncode == 1
        assert "There is no such sensor" in refused.stderr
        assert "`coldstream device EUI` shows the sensors of a device" in refused.stderr
    assert "watched nothing then: assign it" in unwatched.stderr
    assert "`coldstream corrections list` shows those that there are" in unmade.stderr
    assert world.ada.get(f"corrections?sensor={number}")["items"] == []
