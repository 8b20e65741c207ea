"""Random series of one kind, product against simple implementation, in every way a series can be judged."""

from tests.domain.compared import COMPARISONS, difference, truth
from tests.domain.random_series import Series, random_series, shrunk
from tests.truth.counted import Counted


def try_series(kind: str, seed: int) -> Counted:
    """Judge one series in every way."""
    series = random_series(seed, kind)
    wrong = differing(series)
    return Counted(kind, 1, len(truth(series)), failed=() if wrong is None else (seed,))


def differing(series: Series) -> str | None:
    """Return in words where any way of judging differs, None where all agree."""
    found = ((way, difference(series, compare)) for way, compare in COMPARISONS.items())
    return next((f"{way}: {words}" for way, words in found if words is not None), None)


def explained(kind: str, seed: int) -> str:
    """Return a failing series as small as it gets, what is wrong with it, and how to repeat it."""
    smallest = shrunk(random_series(seed, kind), lambda candidate: differing(candidate) is not None)
    return f"{smallest}\n{differing(smallest)}\nagain: python -m tests.truth --one-series {seed} --kind {kind}"
