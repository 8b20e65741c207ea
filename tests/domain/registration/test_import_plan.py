"""What an import would make of the registry, line by line, against what is there."""

from dataclasses import replace

import pytest

from pipelines.domain.registration.effective import ALLOWANCE_MS, LEAD_MS, from_the_start
from pipelines.domain.registration.import_file import read_file
from pipelines.domain.registration.import_known import (
    Known,
    KnownAssignment,
    KnownDevice,
    KnownPolicy,
    KnownSensor,
    KnownSite,
    KnownUnit,
)
from pipelines.domain.registration.import_lines import wanted_line
from pipelines.domain.registration.import_plan import Plan, When, plan_import
from pipelines.domain.registration.sensor_terms import SensorTerms

NOW = 1_790_000_000_000
EARLIEST = NOW + LEAD_MS + ALLOWANCE_MS
LONG_AGO = NOW - 90 * 86_400_000
EUI, OTHER = "A84041000181C061", "A84041000181C062"
TERMS = SensorTerms(900_000, 2_700_000, 2_700_000, 0)
SITE = KnownSite(1, "Europe/Oslo", is_archived=False)
UNIT = KnownUnit(11, "refrigerator", is_archived=False, policy_version=None, policy_at=None, is_watched=True)
SENSOR = KnownSensor(31, is_archived=False, terms=TERMS, terms_at=LONG_AGO, assignment=KnownAssignment(41, 11, LONG_AGO, None))
POLICY = KnownPolicy(51, 2, 52, is_archived=False)


def there(**changed: object) -> Known:
    """A site with two units, and a sensor in the first."""
    known = Known(
        sites={"S": SITE},
        units={("S", "U"): UNIT, ("S", "V"): replace(UNIT, id=12)},
        policies={"P": POLICY},
        devices={EUI: KnownDevice(21, "left", "dragino", "lht65")},
        sensors={(EUI, "main"): SENSOR},
    )
    return replace(known, **changed)  # type: ignore[arg-type]  # parts by name


def planned(text: str, known: Known | None = None, assigned_from: int | None = None) -> Plan:
    lines = [wanted_line(line) for line in read_file(text.encode())]
    return plan_import(lines, Known() if known is None else known, When(NOW, ALLOWANCE_MS, assigned_from))


def outcomes(plan: Plan) -> list[str]:
    return [result.outcome for result in plan.results]


def test_from_nothing_everything_is_made_once() -> None:
    plan = planned(f"site,time_zone,unit,kind,dev_eui,probe\nS,,U,freezer,{EUI},\nS,Europe/Rome,U,,{EUI},ambient\nS,,V,,{OTHER},\n")

    assert outcomes(plan) == ["created"] * 3
    assert (plan.new_sites, plan.new_units) == ({"S": "Europe/Rome"}, {("S", "U"): "freezer", ("S", "V"): "refrigerator"})
    assert plan.new_sensors == [(EUI, "main"), (EUI, "ambient"), (OTHER, "main")]
    assert list(plan.new_devices) == [EUI, OTHER]
    assert {at for _, at, _ in plan.configurations} == {from_the_start(NOW)}
    assert {(one.at, one.ends) for one in plan.assignments} == {(EARLIEST, None)}
    assert set(plan.promised) == {EARLIEST}


def test_first_assignments_begin_when_the_import_says() -> None:
    plan = planned(f"site,unit,dev_eui\nS,U,{EUI}\n", assigned_from=NOW - 1_000)

    assert [one.at for one in plan.assignments] == [NOW - 1_000]
    assert plan.promised == []


def test_what_is_there_already_is_left_alone() -> None:
    header = "site,time_zone,unit,kind,dev_eui,device_name,brand_id,model_id,expected_interval_seconds,max_gap_seconds"
    plan = planned(f"{header}\nS,Europe/Oslo,U,refrigerator,{EUI},left,dragino,lht65,900,2700\n", there())

    assert outcomes(plan) == ["unchanged"]
    assert set(plan.totals().values()) == {0}


@pytest.mark.parametrize(
    ("header", "line", "part", "expected"),
    [
        ("site,time_zone,unit,dev_eui", f"S,Europe/Rome,U,{EUI}", "site_zones", {"S": "Europe/Rome"}),
        ("site,unit,kind,dev_eui", f"S,U,freezer,{EUI}", "unit_kinds", {("S", "U"): "freezer"}),
        ("site,unit,policy,dev_eui", f"S,U,P,{EUI}", "unit_policies", {("S", "U"): (52, EARLIEST)}),
        (
            "site,unit,dev_eui,max_gap_seconds",
            f"S,U,{EUI},900",
            "configurations",
            [((EUI, "main"), EARLIEST, replace(TERMS, max_gap_ms=900_000))],
        ),
    ],
)
def test_a_cell_that_differs_changes_that_alone(header: str, line: str, part: str, expected: object) -> None:
    plan = planned(f"{header}\n{line}\n", there())

    assert outcomes(plan) == ["changed"]
    assert getattr(plan, part) == expected
    assert sum(plan.totals().values()) == 1


def test_a_sensor_named_at_another_unit_moves_at_one_instant() -> None:
    plan = planned(f"site,unit,dev_eui\nS,V,{EUI}\n", there())

    (move,) = plan.assignments
    assert (move.unit, move.at, move.ends) == (("S", "V"), EARLIEST, SENSOR.assignment)
    assert outcomes(plan) == ["changed"]


def test_a_sensor_whose_assignment_has_ended_is_assigned_again() -> None:
    ended = replace(SENSOR, assignment=KnownAssignment(41, 11, LONG_AGO, NOW + 1_000))
    plan = planned(f"site,unit,dev_eui\nS,U,{EUI}\n", there(sensors={(EUI, "main"): ended}))

    (again,) = plan.assignments
    assert (again.at, again.ends) == (EARLIEST, None)


def test_the_first_policy_of_a_unit_that_nobody_watched_holds_from_the_start() -> None:
    unwatched = {("S", "U"): replace(UNIT, is_watched=False)}
    known = there(units=unwatched, sensors={}, devices={})

    assert planned(f"site,unit,policy,dev_eui\nS,U,P,{EUI}\n", known).unit_policies == {("S", "U"): (52, from_the_start(NOW))}
    assert planned(f"site,unit,policy,dev_eui\nS,New,P,{EUI}\n", known).unit_policies == {("S", "New"): (52, from_the_start(NOW))}


def test_a_unit_that_is_judged_by_the_newest_version_already_stays_so() -> None:
    judged = {("S", "U"): replace(UNIT, policy_version=52, policy_at=LONG_AGO)}

    plan = planned(f"site,unit,policy,dev_eui\nS,U,P,{EUI}\n", there(units=judged))

    assert (outcomes(plan), plan.unit_policies) == (["unchanged"], {})


@pytest.mark.parametrize(
    ("known", "line", "words"),
    [
        (there(sites={"S": replace(SITE, is_archived=True)}), f"S,U,{EUI},", "sites/1/restore"),
        (there(units={("S", "U"): replace(UNIT, is_archived=True)}), f"S,U,{EUI},", "units/11/restore"),
        (there(sensors={(EUI, "main"): replace(SENSOR, is_archived=True)}), f"S,U,{EUI},", "sensors/31/restore"),
        (there(policies={"P": replace(POLICY, is_archived=True)}), f"S,U,{EUI},P", "policies/51/restore"),
        (there(), f"S,U,{EUI},Q", "no policy 'Q'"),
        (
            there(sensors={(EUI, "main"): replace(SENSOR, assignment=KnownAssignment(41, 11, NOW + 10**8, None))}),
            f"S,V,{EUI},",
            "is planned for",
        ),
    ],
)
def test_what_stands_against_a_line_is_said_with_what_to_do(known: Known, line: str, words: str) -> None:
    plan = planned(f"site,unit,dev_eui,policy\n{line}\n", known)

    assert outcomes(plan) == ["error"]
    assert plan.has_errors
    assert words in "; ".join(plan.results[0].errors)


@pytest.mark.parametrize(
    ("header", "first", "second", "column"),
    [
        ("site,unit,dev_eui,time_zone", f"N,A,{EUI},Europe/Rome", f"N,B,{OTHER},Europe/Oslo", "time_zone"),
        ("site,unit,dev_eui,kind", f"N,A,{EUI},freezer", f"N,A,{OTHER},cold_room", "kind"),
        ("site,unit,dev_eui,policy", f"S,A,{EUI},P", f"S,A,{OTHER},Q", "policy"),
        ("site,unit,dev_eui,probe,model_id", f"N,A,{EUI},main,lht65", f"N,A,{EUI},ambient,lht52", "model_id"),
    ],
)
def test_two_lines_that_say_different_things_of_one_thing_are_told(header: str, first: str, second: str, column: str) -> None:
    plan = planned(f"{header}\n{first}\n{second}\n", there(sensors={}, devices={}))

    assert outcomes(plan) == ["created", "error"]
    assert plan.results[1].errors[0].startswith(f"{column}: line 2 says")


def test_a_line_that_stands_twice_counts_once_and_one_that_contradicts_is_told() -> None:
    same = planned(f"site,unit,dev_eui\nS,U,{EUI}\nS,U,{EUI.lower()}\n")
    other = planned(f"site,unit,dev_eui\nS,U,{EUI}\nS,V,{EUI}\n")

    assert (outcomes(same), same.results[1].changes) == (["created", "unchanged"], ["the same as line 2"])
    assert len(same.assignments) == 1
    assert outcomes(other) == ["created", "error"]
    assert "line 2 has this device and probe already" in other.results[1].errors[0]


def test_every_line_has_its_outcome_and_the_counts_are_their_sum() -> None:
    plan = planned(f"site,unit,dev_eui\nS,U,{EUI}\nS,V,{OTHER}\nS,U,bad\n", there())

    assert outcomes(plan) == ["unchanged", "created", "error"]
    assert plan.counts() == {"created": 1, "changed": 0, "unchanged": 1, "error": 1}
