"""A sensor's stamps between the instants at which something changes are what its timelines say at every instant."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.registered import NOTHING, Assignment, Stamp, Terms, Timeline

INSTANT = st.integers(0, 40)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    starts = sorted(draw(st.sets(INSTANT, max_size=4)))
    return Timeline(tuple(starts), tuple(draw(st.integers(1, 9)) for _ in starts))


@st.composite
def assignments(draw: st.DrawFn) -> tuple[Assignment, ...]:
    edges = sorted(draw(st.sets(INSTANT, max_size=6)))
    pairs = list(zip(edges[::2], [*edges[1::2], None], strict=False))
    return tuple(Assignment(number, draw(st.integers(1, 2)), start, end) for number, (start, end) in enumerate(pairs, 1))


@given(assignments(), timelines(), timelines(), st.dictionaries(st.integers(1, 2), timelines()), st.integers(-1, 42))
def test_the_stamp_at_an_instant_is_what_each_timeline_says_then(
    of_units: tuple[Assignment, ...],
    configurations: Timeline,
    calibrations: Timeline,
    policies: dict[int, Timeline],
    instant: int,
) -> None:
    sensor = Terms(of_units, configurations, calibrations, policies).sensor(7, "main")

    found = sensor.stamp(instant)

    holding = [one for one in of_units if one.valid_from <= instant and (one.valid_to is None or instant < one.valid_to)]
    assert found == (
        Stamp(
            holding[0].unit,
            holding[0].id,
            policies.get(holding[0].unit, NOTHING).at(instant),
            configurations.at(instant),
            calibrations.at(instant),
        )
        if holding
        else None
    )
