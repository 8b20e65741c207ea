"""The immutable terms that readings name by number: policy versions and sensor configurations, loaded once each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pipelines.domain.policy import NO_POLICY, Policy

DEFAULT_MAX_GAP_MS: Final = 30 * 60 * 1000
"""For readings without a configuration: three times a common interval of 10 minutes."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A sensor-configuration version, as far as judging needs it."""

    max_gap_ms: int
    offline_after_ms: int
    """0: never offline."""


NO_CONFIGURATION: Final = Configuration(DEFAULT_MAX_GAP_MS, 0)


class Policies(dict[int, Policy]):
    """Policy versions by number; an unknown one is loaded when first asked for. 0 is no policy."""

    def __init__(self, load: Callable[[int], Policy]) -> None:
        """Take what loads a version by its number."""
        super().__init__({0: NO_POLICY})
        self._load = load

    def __missing__(self, number: int) -> Policy:
        """Load a version."""
        policy = self._load(number)
        self[number] = policy
        return policy


class Configurations(dict[int, Configuration]):
    """Sensor-configuration versions by number; an unknown one is loaded when first asked for. 0 is none."""

    def __init__(self, load: Callable[[int], Configuration]) -> None:
        """Take what loads a version by its number."""
        super().__init__({0: NO_CONFIGURATION})
        self._load = load

    def __missing__(self, number: int) -> Configuration:
        """Load a version."""
        configuration = self._load(number)
        self[number] = configuration
        return configuration


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything judging looks up by number."""

    policies: Policies
    configurations: Configurations
