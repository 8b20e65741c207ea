"""Random suppressed series as the product takes them. For tests only."""

from pipelines.domain.evaluate import Judged, judge_beside
from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy
from pipelines.domain.suppression import Circumstances, DefrostProfile, in_order
from tests.domain.judged import policy_of
from tests.domain.random_suppressed import SuppressedSeries
from tests.domain.simple_judge_suppression import Beside


def circumstances(beside: Beside) -> Circumstances:
    """Return the product's circumstances of the simple judge's."""
    profile = beside.defrost
    return Circumstances(
        in_order(beside.maintenance),
        in_order(beside.door),
        None if profile is None else DefrostProfile(profile["period"], profile["peak"], profile["duration"]),
    )


def readings_of(case: SuppressedSeries) -> list[Reading]:
    """Return the rows in order of arrival."""
    return [Reading(at, value, max_gap, version) for at, value, version, max_gap in case.series.rows]


def policies_of(case: SuppressedSeries) -> dict[int, Policy]:
    """Return the policy versions by number."""
    return {number: policy_of(policy) for number, policy in enumerate(case.series.versions)}


def found_in(case: SuppressedSeries, rows: list[Reading] | None = None, until: int | None = None) -> Judged:
    """Judge a case, or other rows in its place, up to its horizon, or another one."""
    series = case.series
    horizon = series.until if until is None else until
    judged = readings_of(case) if rows is None else rows
    return judge_beside(judged, policies_of(case), horizon, circumstances(case.beside), series.assignment_end)
