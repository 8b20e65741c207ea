"""A campaign: for each seed, stacks of real processes, scenarios one after another, and the checker after each of them."""

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.simulator.journal import JournalLine
from tests.faults.checker.evidence import read_lines
from tests.faults.checker.findings import Delay, Finding, Findings, Kind, counts_of
from tests.faults.clocks import jump_clocks, slow_disk
from tests.faults.deliveries import disturb_deliveries
from tests.faults.disks import fill_disks
from tests.faults.places import remove_places
from tests.faults.processes import kill_everything, kill_flows, pause_everything, restart_servers
from tests.faults.proxy import Proxy
from tests.faults.rig import OFFLINE_SETTLE_SECONDS, SETTLE_SECONDS, Rig, now
from tests.faults.shim import Shim
from tests.faults.work import Recovery
from tests.faults.worst_day import check_stored, live_through

SHIMMED: Final = "shimmed"
"""The stack whose processes were started with the shim."""
NO_SKIP: Final = {"SKIP_DONE": "false"}
KILLS_EACH: Final = 20
"""Of every process, over a campaign of three seeds."""
CONTROL_ROUNDS: Final = 3
"""A kill right after a snapshot repeats nothing, as happened once in a campaign."""
KILL_ROUNDS: Final = 7
"""Kills of each process in the run of one seed: three seeds are enough."""
CALM_SECONDS: Final = 20.0
"""Each fleet posts so long before anything is broken: what happens then is held to 4 s."""
AFTER_SECONDS: Final = 3.0
KEPT_SECONDS: Final = 60.0
"""What the network keeps is delivered within this after the last heal."""
STRAGGLERS_SHARE: Final = 0.2
"""Of all sensors: those of the stragglers, whose uplinks overtake each other. Elsewhere no reading is late."""
LATE_SHARE: Final = 0.45
"""So many more behind a network that reorders the requests of 25 of 70 devices."""
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
    inject: Inject | None
    """None: the simulator's worst day, which brings its own load and is compared with what was stored."""
    rounds: int = 1
    proxied: bool = False
    """The fleet posts through a bad network."""
    control: bool = False
    """Offsets done are not skipped: that must be found out, or the checker finds nothing."""
    late_share: float = STRAGGLERS_SHARE
    """Of the sensors, those that may have late readings."""


@dataclass(slots=True)
class Outcome:
    """What one scenario of one seed came to."""

    seed: int
    scenario: str
    seconds: float = 0.0
    acknowledged: int = 0
    excursions: int = 0
    told: int = 0
    late_sensors: int = 0
    recoveries: list[Recovery] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    delays: list[Delay] = field(default_factory=list)
    shortfalls: list[str] = field(default_factory=list)
    """In which respects it showed less than it is to show."""
    failure: str = ""
    """Why the scenario itself did not come to its end."""

    @property
    def faults(self) -> int:
        """How many were injected and measured."""
        return len(self.recoveries)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found and every part came back."""
        return not (self.findings or self.failure or self.shortfalls) and all(one.seconds is not None for one in self.recoveries)

    def shown(self) -> dict[str, Any]:
        """Return it for JSON."""
        delays = {"delays": shown_delays(self.delays)}
        return asdict(self) | delays | {"counts": counts_of(self.findings), "is_clean": self.is_clean}


SCENARIOS: Final = (
    Scenario("kills", "plain", kill_everything, KILL_ROUNDS),
    Scenario("pauses", "plain", pause_everything),
    Scenario("restarts", "plain", restart_servers),
    Scenario("deliveries", "plain", disturb_deliveries, proxied=True, late_share=STRAGGLERS_SHARE + LATE_SHARE),
    Scenario("control", "control", kill_flows, CONTROL_ROUNDS, control=True),
    Scenario("clocks", SHIMMED, jump_clocks),
    Scenario("slow disk", SHIMMED, slow_disk),
    Scenario("full disk", SHIMMED, fill_disks),
    Scenario("worst day", "worst", None, late_share=1.0),
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
                remove_places(place)
    return outcomes


def run_stack(place: Path, seed: int, scenarios: Sequence[Scenario], say: Say) -> list[Outcome]:
    """Run some scenarios one after another on one stack; each has a fleet of its own and answers for what is new.

    Where the stack does not start or a scenario fails, those that are not run any more are named with the reason.
    """
    outcomes: list[Outcome] = []
    try:
        with contextlib.ExitStack() as around:
            if scenarios[0].stack == SHIMMED:
                around.enter_context(Shim(place / "shim").loaded())
            rig = around.enter_context(Rig(place, NO_SKIP if scenarios[0].control else None))
            _run_all(rig, seed, scenarios, outcomes, say)
            if all(outcome.is_clean for outcome in outcomes):
                rig.afterwards.callback(rig.stack.remove)
    except Exception as error:  # noqa: BLE001 - a stack that does not start or stop must not end the campaign
        reason = _said(error)
        if len(outcomes) == len(scenarios):
            outcomes[-1].failure = outcomes[-1].failure or f"the stack did not stop: {reason}"
    else:
        reason = f"{outcomes[-1].scenario} failed before it" if outcomes else ""
    for scenario in scenarios[len(outcomes) :]:
        outcomes.append(Outcome(seed, scenario.name, failure=f"not run: {reason}"))
        say(line_of(outcomes[-1]))
    return outcomes


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _run_all(rig: Rig, seed: int, scenarios: Sequence[Scenario], outcomes: list[Outcome], say: Say) -> None:
    """Run the scenarios until one fails, and add what each came to."""
    known, before = set[Finding](), Findings(0, 0, 0, 0, 0)
    for number, scenario in enumerate(scenarios):
        outcome, began = Outcome(seed, scenario.name), time.monotonic()
        outcomes.append(outcome)
        try:
            found = _run(rig, scenario, outcome, seed * 16 + number, is_last=scenario is scenarios[-1])
            count(outcome, scenario, before, found)
            before = found
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the campaign goes on and says so
            outcome.failure = _said(error)
        outcome.findings = [finding for finding in outcome.findings if finding not in known]
        known.update(outcome.findings)
        outcome.seconds = time.monotonic() - began
        say(line_of(outcome))
        if not outcome.is_clean:
            say(f"  kept in {rig.folder}; again with: python -m tests.faults --seed {seed} --only '{scenario.name}'")
        if outcome.failure:
            break


def _run(rig: Rig, scenario: Scenario, outcome: Outcome, number: int, *, is_last: bool) -> Findings:
    """Load, break, heal, wait and check; return what the checker says of everything since the stack began."""
    chance, began_at = random.Random(f"{outcome.seed}/{scenario.name}"), now()
    if scenario.inject is None:
        acknowledged, outcome.recoveries = live_through(rig, chance, outcome.seed)
        rig.quiesce(OFFLINE_SETTLE_SECONDS)
        return check_stored(rig.stack.database_url, acknowledged)
    with contextlib.ExitStack() as around:
        proxy = around.enter_context(Proxy(rig.stack.api_url, random.Random(f"{outcome.seed}/network"))) if scenario.proxied else None
        with rig.fleet(scenario.name, number, url=proxy.url if proxy else None):
            time.sleep(CALM_SECONDS)
            outcome.recoveries = scenario.inject(rig, chance, scenario.rounds)
            time.sleep(AFTER_SECONDS)
        if proxy is not None:
            proxy.settled(KEPT_SECONDS)
            rig.repeats += proxy.forwards - sum(line.tries for journal in rig.newest_journals for line in read_lines(journal, JournalLine))
    rig.quiesce(OFFLINE_SETTLE_SECONDS if is_last else SETTLE_SECONDS)
    found = rig.check()
    outcome.delays = [delay for delay in found.delays if delay.at >= began_at]
    return found


def count(outcome: Outcome, scenario: Scenario, before: Findings, found: Findings) -> None:
    """Put down what is new since the last look, and whether it is what the scenario is to show."""
    outcome.acknowledged = found.acknowledged - before.acknowledged
    outcome.excursions = found.excursions - before.excursions
    outcome.told = found.told - before.told
    outcome.late_sensors = found.late_sensors - before.late_sensors
    sensors = found.sensors - before.sensors
    if outcome.late_sensors > scenario.late_share * sensors:
        outcome.shortfalls.append(f"{outcome.late_sensors} of {sensors} sensors had late readings: more than were reordered")
    if not outcome.late_sensors:
        outcome.shortfalls.append("no reading was late: nothing was judged again")
    if not scenario.control:
        outcome.findings = found.findings
    elif not found.counts[Kind.DOUBLED]:
        outcome.failure = "offsets done were not skipped, and nothing doubled was found"


def shown_delays(delays: Sequence[Delay]) -> dict[str, int]:
    """Return how many alerts were held to which bound, and the p50, p99 and longest delay of each, in ms."""
    shown: dict[str, int] = {}
    for name, held in (("calm", True), ("faults", False)):
        values = sorted(delay.ms for delay in delays if delay.is_undisturbed is held)
        shown[f"{name}_alerts"] = len(values)
        if values:
            places = {"p50": len(values) // 2, "p99": min(len(values) - 1, len(values) * 99 // 100), "longest": len(values) - 1}
            shown |= {f"{name}_{key}_ms": values[place] for key, place in places.items()}
    return shown


def line_of(outcome: Outcome) -> str:
    """Return one line about an outcome."""
    counts = ", ".join(f"{count} {kind}" for kind, count in counts_of(outcome.findings).items())
    times = [one.seconds for one in outcome.recoveries if one.seconds is not None]
    back = f"; {len(outcome.recoveries)} faults, back after at most {max(times):.1f} s" if times else ""
    stuck = [f"{one.part} after {one.fault}" for one in outcome.recoveries if one.seconds is None]
    ended = f"; did not come back: {', '.join(stuck)}" if stuck else ""
    short = f"; SHORT: {'; '.join(outcome.shortfalls)}" if outcome.shortfalls else ""
    failed = f"; FAILED: {outcome.failure}" if outcome.failure else ""
    return f"seed {outcome.seed} {outcome.scenario}: {counts} ({outcome.acknowledged} uplinks, {outcome.seconds:.0f} s){back}{ended}{short}{failed}"
