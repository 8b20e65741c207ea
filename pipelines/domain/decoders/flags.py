"""What a device says about its own values: temperature_valid false, thermistorProperlyConnected false, probe_fault true.

A value so flagged is never believed. Decides about trust only, not what a value is.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipelines.domain.decoders import vocabulary as v
from pipelines.domain.decoders.leaves import Leaf
from pipelines.domain.decoders.names import words_of

_GOOD: Final = frozenset({"valid", "ok", "connected", "present", "fitted", "plugged"})
_FILLING: Final = frozenset({"is", "has", "properly", "status", "state", "flag", "reading", "value", "data", "not"})
_NO: Final = frozenset({"false", "no"})
_HARMLESS: Final = frozenset({"", "no", "none", "false", "ok", "normal", "0", "null", "no error", "no fault", "good"})
"""What a flag of something bad says where nothing is."""
_STATES: Final = frozenset({"status", "state", "exception"})
_TEXT: Final = 40
"""Characters of a state that are read."""


@dataclass(frozen=True, slots=True)
class Distrust:
    """Everything below `scope` whose names hold all of `words` is not believed."""

    scope: tuple[str, ...]
    words: frozenset[str]


def distrusts_of(found: list[Leaf]) -> list[Distrust]:
    """Return what the flags among some leaves say is not to be believed."""
    distrusts: list[Distrust] = []
    for leaf in found:
        flag = _flag(leaf.path[-1]) if leaf.path else None
        if flag is not None and _is_bad(leaf.value, is_good=flag[1]):
            # A flag about something by name may stand in an object of its own (`status`); one about all is about its own object.
            distrusts.append(Distrust((), flag[0]) if flag[0] else Distrust(leaf.path[:-1], flag[0]))
        elif (
            isinstance(leaf.value, str)
            and leaf.path
            and (about := _state_of(leaf.path[-1]))
            and v.BROKEN.intersection(words_of(leaf.value[:_TEXT]))
        ):
            distrusts.append(Distrust((), about))
    return distrusts


def is_distrusted(leaf: Leaf, distrusts: list[Distrust]) -> bool:
    """Return whether a leaf is not to be believed."""
    words = _all_words(leaf.path)
    return any(leaf.path[: len(distrust.scope)] == distrust.scope and distrust.words <= words for distrust in distrusts)


def is_flag(leaf: Leaf) -> bool:
    """Return whether a leaf's name makes it a flag about another value."""
    return bool(leaf.path) and _flag(leaf.path[-1]) is not None


@lru_cache(maxsize=4_096)
def _flag(name: str) -> tuple[frozenset[str], bool] | None:
    """Return what a name is a flag about, and whether true is good; None where it is no flag."""
    words = set(words_of(name))
    good, bad = words & _GOOD, words & v.BROKEN
    if not good and not bad:
        return None
    about = _canonical(words - _GOOD - v.BROKEN - _FILLING)
    about = about - {"sensor"} or about
    if not about and words not in ({"valid"}, {"invalid"}):
        return None
    return about, bool(good) != ("not" in words)


@lru_cache(maxsize=4_096)
def _state_of(name: str) -> frozenset[str]:
    """Return what a name is the state of, as temperature_sensor_status is of the temperature; empty where it is of nothing told."""
    words = set(words_of(name))
    return _canonical(words - _STATES - _FILLING - {"sensor"}) if words & _STATES else frozenset()


def _canonical(words: set[str]) -> frozenset[str]:
    """Return words with each word for temperature, humidity and outside made one."""
    folded = set()
    for word in words:
        folded.add("temperature" if word in v.TEMPERATURE else "humidity" if word in v.HUMIDITY else "external" if word == "ext" else word)
    return frozenset(folded)


@lru_cache(maxsize=4_096)
def _all_words(path: tuple[str, ...]) -> frozenset[str]:
    return _canonical({word for name in path for word in words_of(name)})


def _is_bad(value: object, *, is_good: bool) -> bool:
    """Return whether a flag's value speaks against what it is about."""
    if isinstance(value, bool):
        return value is not is_good
    if isinstance(value, str):
        text = value.strip().lower()
        return text in _NO if is_good else text not in _HARMLESS
    return isinstance(value, int) and (value == 0) is is_good
