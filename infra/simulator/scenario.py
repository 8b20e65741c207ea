"""Scenarios: what a simulation is made of and what happens in it, read from a TOML file. A file with a fault is refused whole.

The comment on top of a file is its documentation. The format is described in docs/simulator.md.
"""

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import msgspec

from infra.simulator.fleet import LARGEST, SITES, Mix
from infra.simulator.happenings import CLOCKS, Happening, What
from infra.simulator.lengths import milliseconds
from infra.simulator.mischief import Mischief

USUAL_INTERVAL: Final = 300_000
USUAL_HISTORY_INTERVAL: Final = 900_000
OWN: Final = "own"
"""Instead of an interval: each device at its model's own."""
SUFFIX: Final = ".toml"

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ScenarioError(Exception):
    """A scenario that is not there or cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated; lengths in ms."""

    name: str = ""
    about: str = ""
    """What the file's comment says of it."""
    units: int = 12
    mix: Mix = Mix.DEMO
    seed: int = 1
    interval: int = USUAL_INTERVAL
    """0: each device at its model's own interval."""
    quick: bool = False
    ramp: int = 0
    duration: int | None = None
    history: int = 0
    history_interval: int = USUAL_HISTORY_INTERVAL
    mischief: Mischief = field(default_factory=Mischief)
    happenings: tuple[Happening, ...] = ()

    @property
    def title(self) -> str:
        """The first line of what the file says of itself."""
        return self.about.partition("\n")[0]


class _Fleet(msgspec.Struct, forbid_unknown_fields=True):
    units: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)] = 12
    mix: Mix = Mix.DEMO
    seed: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 1


class _Pace(msgspec.Struct, forbid_unknown_fields=True):
    interval: str = "5m"
    quick: bool = False
    ramp: str = "0s"
    duration: str | None = None


class _History(msgspec.Struct, forbid_unknown_fields=True):
    length: str
    interval: str = "15m"


class _Oddities(msgspec.Struct, forbid_unknown_fields=True):
    duplicates: Share = 0
    statuses: Share = 0
    sentinels: Share = 0
    joins: Share = 0
    strangers: Share = 0
    garbage: Share = 0
    losses: Share = 0
    foreign: Share = 0
    retries: Share = 0
    held: Share = 0
    held_for: str = "30s"


class _Happening(msgspec.Struct, forbid_unknown_fields=True, rename={"length": "for"}):
    what: What
    at: str
    length: str = "0s"
    by: str = "0s"
    units: list[int] = []
    site: str = ""
    gateway: int = 0
    share: Share = 1.0
    during: str = "live"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    fleet: _Fleet = msgspec.field(default_factory=_Fleet)
    pace: _Pace = msgspec.field(default_factory=_Pace)
    history: _History | None = None
    oddities: _Oddities | None = None
    happenings: list[_Happening] = []


def load(name_or_path: str) -> Scenario:
    """Return a packaged scenario by its name, or that of a file by its path; raises ScenarioError."""
    packaged = files(__package__) / "scenarios" / f"{name_or_path}{SUFFIX}"
    if "/" not in name_or_path and packaged.is_file():
        return parse(name_or_path, packaged.read_text(encoding="utf-8"))
    path = Path(name_or_path)
    if not path.is_file():
        raise ScenarioError(f"there is no scenario {name_or_path!r}; there are {', '.join(names())}, or pass a file")
    return parse(path.stem, path.read_text(encoding="utf-8"))


def names() -> list[str]:
    """Return the names of the packaged scenarios."""
    folder = files(__package__) / "scenarios"
    return sorted(entry.name.removesuffix(SUFFIX) for entry in folder.iterdir() if entry.name.endswith(SUFFIX))


def parse(name: str, text: str) -> Scenario:
    """Return the scenario a file's text describes; raises ScenarioError."""
    try:
        read = msgspec.convert(tomllib.loads(text), _File)
        return _scenario(name, _comment(text), read)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise ScenarioError(f"scenario {name}: {error}") from error


def _comment(text: str) -> str:
    """Return the comment on top of a file, without its marks."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:].removeprefix(" "))
    return "\n".join(lines)


def _scenario(name: str, about: str, read: _File) -> Scenario:
    pace, history = read.pace, read.history
    return Scenario(
        name=name,
        about=about,
        units=read.fleet.units,
        mix=read.fleet.mix,
        seed=read.fleet.seed,
        interval=0 if pace.interval == OWN else _length("interval", pace.interval, least=50),
        quick=pace.quick,
        ramp=_length("ramp", pace.ramp),
        duration=None if pace.duration is None else _length("duration", pace.duration),
        history=_length("length", history.length) if history is not None else 0,
        history_interval=_length("interval", history.interval, least=1000) if history is not None else USUAL_HISTORY_INTERVAL,
        mischief=Mischief() if read.oddities is None else _mischief(read.oddities),
        happenings=tuple(_happening(place, one) for place, one in enumerate(read.happenings, 1)),
    )


def _mischief(read: _Oddities) -> Mischief:
    """Return the oddities of a file: what it does not name does not occur."""
    shares = {name: value for name, value in msgspec.structs.asdict(read).items() if name != "held_for"}
    return Mischief(**shares, held_ms=_length("held_for", read.held_for, least=1))


def _happening(place: int, read: _Happening) -> Happening:
    which = f"happening {place} ({read.what})"
    if read.site and read.site not in {site.name for site in SITES}:
        raise ValueError(f"{which}: there is no site {read.site!r}")
    if read.during not in {"live", "history"}:
        raise ValueError(f'{which}: during is "live" or "history", not {read.during!r}')
    by, length = milliseconds(read.by), _length("for", read.length)
    if (read.what in CLOCKS) != (by != 0):
        raise ValueError(f"{which}: a clock is off `by` something, and nothing else is")
    if read.what is What.REJOIN:
        length = length or milliseconds("1d")
    if not length:
        raise ValueError(f"{which}: say `for` how long")
    return Happening(
        what=read.what,
        begin=_length("at", read.at),
        length=length,
        by=by,
        units=frozenset(read.units),
        site=read.site,
        gateway=read.gateway,
        share=read.share,
        in_history=read.during == "history",
    )


def _length(name: str, text: str, least: int = 0) -> int:
    length = milliseconds(text)
    if length < least:
        raise ValueError(f"{name} is {text}, and may not be below {least} ms")
    return length
