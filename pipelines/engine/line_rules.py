"""What a row is to the live state of its sensor, before it is judged: of further terms, of a further assignment, or nothing new. Pure."""

from pipelines.domain.sensor import SensorState, is_quiet
from pipelines.engine.sensor_batch import ASSIGNMENT_END, CORRECTION, FAULT, Line
from pipelines.engine.shard_table import Kept


def ends_unsaid(line: Line, state: SensorState, kept: Kept) -> bool:
    """Tell whether a row is of a further assignment though nothing has said yet when the one before ended, which has a run."""
    is_further = line.kind != ASSIGNMENT_END and kept.assignment not in {0, line.assignment}
    return is_further and state.newest is not None and not is_quiet(state)


def has_terms_of(line: Line, state: SensorState, kept: Kept) -> bool:
    """Tell whether a row that is quiet beside the rows around it is so after this state too: no run, and the same terms."""
    return (
        state.policy == line.policy
        and state.newest is not None
        and kept.configuration == line.configuration
        and kept.assignment == line.assignment
        and is_quiet(state)
        and (state.judged_at is None or line.measured_at > state.judged_at)
    )


def repeats(line: Line, state: SensorState, kept: Kept) -> bool:
    """Tell whether a late row says nothing new: the newest one again, or an end that was taken already.

    A reading takes a fault mark's place, and is something new.
    """
    newest = state.newest
    if line.kind == CORRECTION:
        return False
    if line.kind == ASSIGNMENT_END:
        return newest is None or kept.assignment != line.assignment
    if newest is None or newest.measured_at != line.measured_at:
        return False
    return newest.temperature is not None or line.kind == FAULT
