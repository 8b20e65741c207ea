"""Corrections of the past in the middle of a run, by `coldstream corrections`: what people find out while everything goes wrong.

Each is of another sensor, so that what one of them does is not undone by the next. Which sensors, and how long ago, is chance.
"""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import psycopg

from infra.local.parts import COLDSTREAM
from pipelines.domain.instants import format_instant
from tests.faults.rig import HarnessError, Rig, now

COMMAND_SECONDS: Final = 60.0
BUSY_TRIES: Final = 5
LONGEST_AGO_MS: Final = 90_000
MOST_RECENT_MS: Final = 15_000
WATCHED: Final = """
SELECT a.sensor_id, a.unit_id FROM assignments a
WHERE a.valid_to IS NULL AND EXISTS (SELECT FROM readings r WHERE r.sensor_id = a.sensor_id AND r.assignment_id = a.id
  AND r.measured_at < to_timestamp(%(before)s / 1000.0))
ORDER BY EXISTS (SELECT FROM current_excursions e WHERE e.sensor_id = a.sensor_id) DESC, a.sensor_id
"""
OTHER_POLICY: Final = """
SELECT p.id FROM policy_versions p, units u
WHERE u.id = %(unit)s AND p.organization_id = u.organization_id AND p.id NOT IN (SELECT policy_version_id FROM unit_policies WHERE unit_id = u.id)
ORDER BY p.id
"""


@dataclass
class Corrections:
    """What is corrected, one after the other, and what was."""

    rig: Rig
    chance: random.Random
    taken: set[int] = field(default_factory=set)
    made: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Put them in their order."""
        self._ahead: Iterator[Callable[[], list[str]]] = iter(
            (
                lambda: ["flag", *self.sensor(), *self.span()],
                lambda: ["calibration", *self.sensor(), "--celsius", "4.5", *self.span()],
                lambda: ["move", *self.sensor(), "--unit", str(self.place()[1]), "--from", self.earlier()],
                lambda: ["delete", *self.sensor(), *self.span()],
                self.policy,
                lambda: ["calibration", *self.sensor(), "--celsius", "-6", "--from", self.earlier()],
                lambda: ["end", *self.sensor(), "--from", self.earlier()],
                lambda: ["swap", *self.sensor(), "--other", str(self.place()[0]), "--from", self.earlier()],
                lambda: ["flag", *self.sensor(), *self.span()],
            ),
        )

    def next(self) -> None:
        """Make the next one, and revoke the first once all are made; nothing where that is done too."""
        words = next(self._ahead, None)
        if words is not None:
            order = words()
            self.numbers += self.run("make", *order, "--comment", "found out on the worst day")
            self.made.append(order[0])
        elif self.numbers:
            self.run("revoke", str(self.numbers[0]), "--comment", "it was right after all")
            self.made.append("revoke")
            self.numbers.clear()

    def run(self, *words: str) -> list[int]:
        """Run the command, again where another change is under way; return the numbers of the corrections. Raises HarnessError."""
        command = [COLDSTREAM, "corrections", *words, "--json"]
        for _ in range(BUSY_TRIES):
            ran = subprocess.run(
                command, env={**os.environ, **self.rig.stack.settings}, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
            )
            if ran.returncode == 0:
                return [int(one["id"]) for one in json.loads(ran.stdout)["items"]]
            if "again" not in ran.stderr:
                break
        raise HarnessError(f"`{' '.join(command)}` ended with {ran.returncode}: {ran.stderr}")

    def place(self) -> tuple[int, int]:
        """Return a sensor that nothing was corrected of, with its unit; rather one that had an excursion."""
        with psycopg.connect(self.rig.stack.database_url) as connection:
            found = connection.execute(WATCHED, {"before": now() - MOST_RECENT_MS}).fetchall()
        free = [(int(sensor), int(unit)) for sensor, unit in found if sensor not in self.taken]
        if not free:
            raise HarnessError("no sensor is left to correct")
        sensor, unit = self.chance.choice(free[:8])
        self.taken.add(sensor)
        return sensor, unit

    def policy(self) -> list[str]:
        """Return the words for a unit that should have been judged by another policy."""
        unit = self.place()[1]
        with psycopg.connect(self.rig.stack.database_url) as connection:
            others = connection.execute(OTHER_POLICY, {"unit": unit}).fetchall()
        if not others:
            raise HarnessError(f"there is no other policy for unit {unit}")
        return ["policy", "--unit", str(unit), "--policy-version", str(self.chance.choice(others)[0]), "--from", self.earlier()]

    def sensor(self) -> list[str]:
        """Return the words for a sensor."""
        return ["--sensor", str(self.place()[0])]

    def earlier(self) -> str:
        """Return an instant of the last minute and a half."""
        return format_instant(now() - self.chance.randrange(MOST_RECENT_MS, LONGEST_AGO_MS))

    def span(self) -> list[str]:
        """Return the words for a stretch that is over."""
        begin, end = sorted(self.chance.sample(range(1_000, LONGEST_AGO_MS, 500), 2))
        return ["--from", format_instant(now() - end), "--to", format_instant(now() - begin)]
