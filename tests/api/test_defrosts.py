"""Above which band's limit defrosts are looked for, and when a profile that a person saw is still borne out."""

from dataclasses import replace
from typing import Any

import pytest

from api.commands.defrosts import is_borne_out
from api.errors import ApiError
from api.queries.defrosts import band_of
from pipelines.domain.policy_document import parse_policy
from pipelines.domain.suppression import DefrostProfile

SEEN = DefrostProfile(period_ms=20_000_000, peak_hundredths=-800, duration_ms=2_400_000)


def band(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "side": "high", "limit_celsius": 8, **fields}


OPERATIONAL = {"role": "operational"}
DEFROSTED = {"role": "operational", "suppress": {"defrost": True}}
COLD = band("cold", side="low")


@pytest.mark.parametrize(
    ("bands", "named", "meant"),
    [
        ([band("warm"), band("early", **OPERATIONAL), band("icy", **DEFROSTED), COLD], None, "icy"),
        ([band("warm"), band("early", **OPERATIONAL), COLD], None, "early"),
        ([band("warm"), band("early", **DEFROSTED)], "warm", "warm"),
    ],
)
def test_the_band_is_the_one_that_is_named_or_that_defrosts_suppress_or_the_operational_one(
    bands: list[dict[str, Any]], named: str | None, meant: str
) -> None:
    assert band_of(parse_policy({"bands": bands}), named).name == meant


@pytest.mark.parametrize(
    ("bands", "named", "words"),
    [
        ([band("warm"), band("hot"), COLD], None, "name one as band: warm, hot."),
        ([band("one", **DEFROSTED), band("two", **DEFROSTED)], None, "name one as band: one, two."),
        ([band("warm"), COLD], "cold", "no such band 'cold': name one as band: warm."),
        ([COLD], None, "it has none of kind sustained and side high."),
    ],
)
def test_where_it_is_not_plain_the_answer_names_those_that_could_be_meant(
    bands: list[dict[str, Any]], named: str | None, words: str
) -> None:
    with pytest.raises(ApiError) as found:
        band_of(parse_policy({"bands": bands}), named)

    assert (found.value.status, found.value.code) == (409, "no_band")
    assert words in found.value.message


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        ({}, True),
        ({"period_ms": 21_900_000, "duration_ms": 2_200_000, "peak_hundredths": -750}, True),
        ({"period_ms": 22_300_000}, False),
        ({"duration_ms": 2_700_000}, False),
        ({"peak_hundredths": -740}, False),
    ],
)
def test_a_profile_that_was_seen_is_taken_while_what_is_proposed_has_hardly_moved(changed: dict[str, int], is_same: bool) -> None:
    assert is_borne_out(SEEN, replace(SEEN, **changed)) is is_same
