"""A campaign: for each seed, stacks of real processes, scenarios one after another, and the checker after each of them."""

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.simulator.journal import JournalLine
from tests.faults.checker.evidence import read_lines
from tests.faults.checker.findings import Finding, Kind, counts_of
from tests.faults.clocks import jump_clocks, slow_disk
from tests.faults.deliveries import disturb_deliveries
from tests.faults.disks import fill_disks
from tests.faults.processes import kill_everything, kill_flows, pause_everything, restart_servers
from tests.faults.proxy import Proxy
from tests.faults.rig import Rig
from tests.faults.shim import Shim
from tests.faults.work import Recovery

SHIMMED: Final = "shimmed"
"""The stack whose processes were started with the shim."""
NO_SKIP: Final = {"SKIP_DONE": "false"}
KILLS_EACH: Final = 20
"""Of every process, over a campaign of three seeds."""
KILL_ROUNDS: Final = 7
"""Kills of each process in the run of one seed: three seeds are enough."""
BEFORE_SECONDS: Final = 5.0
AFTER_SECONDS: Final = 3.0
KEPT_SECONDS: Final = 60.0
"""What the network keeps is delivered within this after the last heal."""
BACK_SECONDS: Final = 10.0
"""A killed process does its work again within this: the budget of the design."""

Inject = Callable[[Rig, random.Random, int], list[Recovery]]
Say = Callable[[str], None]
Keep = Callable[[Sequence["Outcome"]], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done to a stack while a fleet posts; scenarios with the same `stack` share one within a seed."""

    name: str
    stack: str
    inject: Inject
    rounds: int = 1
    proxied: bool = False
    """The fleet posts through a bad network."""
    control: bool = False
    """Offsets done are not skipped: that must be found out, or the checker finds nothing."""


@dataclass(slots=True)
class Outcome:
    """What one scenario of one seed came to."""

    seed: int
    scenario: str
    seconds: float = 0.0
    acknowledged: int = 0
    excursions: int = 0
    told: int = 0
    left_out: int = 0
    recoveries: list[Recovery] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failure: str = ""
    """Why the scenario itself did not come to its end."""

    @property
    def faults(self) -> int:
        """How many were injected and measured."""
        return len(self.recoveries)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found and every part came back."""
        return not self.findings and not self.failure and all(one.seconds is not None for one in self.recoveries)

    def shown(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self) | {"counts": counts_of(self.findings), "is_clean": self.is_clean}


SCENARIOS: Final = (
    Scenario("kills", "plain", kill_everything, KILL_ROUNDS),
    Scenario("pauses", "plain", pause_everything),
    Scenario("restarts", "plain", restart_servers),
    Scenario("deliveries", "plain", disturb_deliveries, proxied=True),
    Scenario("control", "control", kill_flows, control=True),
    Scenario("clocks", SHIMMED, jump_clocks),
    Scenario("slow disk", SHIMMED, slow_disk),
    Scenario("full disk", SHIMMED, fill_disks),
)


def run_campaign(folder: Path, seeds: Sequence[int], scenarios: Sequence[Scenario], say: Say, keep: Keep) -> list[Outcome]:
    """Run every scenario with every seed; the folder of a stack on which something was found stays.

    `keep` is given all outcomes so far after each stack, so that a campaign which is broken off has not been for nothing.
    """
    outcomes: list[Outcome] = []
    for seed in seeds:
        for kind in dict.fromkeys(scenario.stack for scenario in scenarios):
            place = folder / f"seed-{seed}-{kind}"
            chosen = [scenario for scenario in scenarios if scenario.stack == kind]
            found = run_stack(place, seed, chosen, say)
            outcomes += found
            keep(outcomes)
            if all(outcome.is_clean for outcome in found):
                shutil.rmtree(place, ignore_errors=True)
    return outcomes


def run_stack(place: Path, seed: int, scenarios: Sequence[Scenario], say: Say) -> list[Outcome]:
    """Run some scenarios one after another on one stack; each has a fleet of its own and answers for what is new."""
    outcomes: list[Outcome] = []
    known: set[Finding] = set()
    with contextlib.ExitStack() as around:
        if scenarios[0].stack == SHIMMED:
            around.enter_context(Shim(place / "shim").loaded())
        rig = around.enter_context(Rig(place, NO_SKIP if scenarios[0].control else None))
        for number, scenario in enumerate(scenarios):
            outcome = Outcome(seed, scenario.name)
            began = time.monotonic()
            try:
                _run(rig, scenario, outcome, seed * 16 + number)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the campaign goes on and says so
                outcome.failure = f"{type(error).__name__}: {error}".partition("\n")[0]
            outcome.findings = [finding for finding in outcome.findings if finding not in known]
            known.update(outcome.findings)
            outcome.seconds = time.monotonic() - began
            outcomes.append(outcome)
            say(line_of(outcome))
            if not outcome.is_clean:
                say(f"  kept in {place}; again with: python -m tests.faults --seed {seed} --only '{scenario.name}'")
            if outcome.failure:
                break
        if all(outcome.is_clean for outcome in outcomes):
            rig.afterwards.callback(rig.stack.remove)
    return outcomes


def _run(rig: Rig, scenario: Scenario, outcome: Outcome, number: int) -> None:
    chance = random.Random(f"{outcome.seed}/{scenario.name}")
    with contextlib.ExitStack() as around:
        proxy = around.enter_context(Proxy(rig.stack.api_url, random.Random(f"{outcome.seed}/network"))) if scenario.proxied else None
        with rig.fleet(scenario.name, number, url=proxy.url if proxy else None):
            time.sleep(BEFORE_SECONDS)
            outcome.recoveries = scenario.inject(rig, chance, scenario.rounds)
            time.sleep(AFTER_SECONDS)
        if proxy is not None:
            proxy.settled(KEPT_SECONDS)
            rig.repeats += proxy.forwards - sum(line.tries for line in read_lines(rig.journals[-1], JournalLine))
    rig.quiesce()
    findings = rig.check()
    outcome.acknowledged, outcome.excursions, outcome.told = findings.acknowledged, findings.excursions, findings.told
    outcome.left_out = findings.left_out
    if not scenario.control:
        outcome.findings = findings.findings
    elif not findings.counts[Kind.DOUBLED]:
        outcome.failure = "offsets done were not skipped, and nothing doubled was found"


def line_of(outcome: Outcome) -> str:
    """Return one line about an outcome."""
    counts = ", ".join(f"{count} {kind}" for kind, count in counts_of(outcome.findings).items())
    times = [one.seconds for one in outcome.recoveries if one.seconds is not None]
    back = f"; {len(outcome.recoveries)} faults, back after at most {max(times):.1f} s" if times else ""
    stuck = [f"{one.part} after {one.fault}" for one in outcome.recoveries if one.seconds is None]
    ended = f"; did not come back: {', '.join(stuck)}" if stuck else ""
    failed = f"; FAILED: {outcome.failure}" if outcome.failure else ""
    return (
        f"seed {outcome.seed} {outcome.scenario}: {counts} ({outcome.acknowledged} uplinks, {outcome.seconds:.0f} s){back}{ended}{failed}"
    )
