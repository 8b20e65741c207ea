"""Hypothesis strategies: series of rows and policy versions on a coarse grid, so that ties and exact holds are common.

For tests only. Times are a few units apart and every hold and gap is a few units long.
"""

from hypothesis import strategies as st

from pipelines.domain.excursion_states import Reading
from pipelines.domain.policy import Policy, Side, SustainedBand

UNIT = 1000

TEMPERATURES = (150, 199, 200, 230, 260, 500, 740, 770, 799, 800, 801, 900)

temperatures = st.sampled_from(TEMPERATURES)
durations = st.integers(0, 6).map(lambda units: units * UNIT)
gaps = st.integers(1, 5).map(lambda units: units * UNIT)
margins = st.sampled_from([0, 30, 60])


@st.composite
def bands(draw: st.DrawFn, name: str) -> SustainedBand:
    """Draw a band of the given name near 2 or 8 °C."""
    side = draw(st.sampled_from(Side))
    return SustainedBand(
        name=name,
        side=side,
        limit_hundredths=draw(st.sampled_from([780, 800] if side is Side.HIGH else [200, 240])),
        inclusive=draw(st.booleans()),
        hold_ms=draw(durations),
        min_samples=draw(st.integers(1, 3)),
        margin_hundredths=draw(margins),
        recovery_hold_ms=draw(durations),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy of one to three bands, whose names recur from version to version."""
    names = draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True))
    return Policy(tuple(draw(bands(name)) for name in names))


policy_versions = st.lists(policies(), min_size=1, max_size=3).map(lambda found: dict(enumerate(found, start=1)))


@st.composite
def series(draw: st.DrawFn, versions: int = 1, *, min_size: int = 0) -> list[Reading]:
    """Draw rows in order of time, one for each instant, with fault marks among them; versions only go up."""
    at, version, rows = 0, 1, list[Reading]()
    for _ in range(draw(st.integers(min_size, 14))):
        at += draw(st.one_of(st.integers(1, 6).map(lambda units: units * UNIT), st.integers(1, 3 * UNIT)))
        version = min(versions, version + draw(st.sampled_from([0, 0, 0, 1])))
        temperature = draw(st.one_of(temperatures, temperatures, temperatures, st.none()))
        rows.append(Reading(at, temperature, draw(gaps), version))
    return rows


@st.composite
def judgements(draw: st.DrawFn) -> tuple[list[Reading], dict[int, Policy], int]:
    """Draw rows in order, the policy versions they name, and a horizon."""
    versions = draw(policy_versions)
    rows = draw(series(len(versions)))
    newest = rows[-1].measured_at if rows else 0
    until = draw(st.one_of(st.integers(0, newest + 1), st.integers(0, 12).map(lambda units: newest + units * UNIT)))
    return rows, versions, until
