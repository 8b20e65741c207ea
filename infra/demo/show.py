"""The order of a demo: seed, history without ticks, real time with ticks, settle, sum up.

History is posted while the API writes no ticks. A partition's clock is the broker's stamp of its newest tick: with ticks
it would be at now while readings of last month still arrive; each hold reached in them would pass as a deadline at once,
and the reading after it would be late. Without ticks the clock stands still, and readings alone carry time forward. Once
the flows have caught up, the API starts again with ticks, and the live part's policies and terms are in force.
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from infra.demo.ends import count_ends, count_excursions, disagreement
from infra.demo.listener import Listener, latency
from infra.demo.settling import until_ended, until_quiet
from infra.local.local_stack import LocalStack
from infra.local.parts import FLOWS, Part
from infra.seed import Seeded, seed_registry
from infra.simulator.fleet import Fleet, build_fleet
from infra.simulator.mischief import Mischief
from infra.simulator.physics import DAY, MINUTE
from infra.simulator.progress import Progress
from infra.simulator.registry import QUICK, USUAL, Pace, registry_of
from infra.simulator.run import Plan, Simulation, Span, summary
from infra.simulator.sender import Sender, target_of
from pipelines.connectors.clock import monotonic, now_ms

TICKS: Final = "TICKS_ENABLED"
TEAM: Final = "demo-team"
USER: Final = "demo"
APPLICATION: Final = "coldstream-demo"

LIVE_INTERVAL: Final = 2_000
LIVE_MAX_GAP: Final = 6_000
LIVE_OFFLINE_AFTER: Final = 30_000
HISTORY_INTERVAL: Final = 15 * MINUTE

SEED_SECONDS: Final = 6.0
"""Terms take effect at the earliest 5 s after they were committed, so that every process stamps alike."""
CATCH_UP_SECONDS: Final = 180.0
SETTLE_SECONDS: Final = 60.0
CONNECT_SECONDS: Final = 30.0
LAST_DEADLINES_SECONDS: Final = LIVE_MAX_GAP / 1000 + 6.0
"""After the last reading: its value is known for the gap; then the clock's grace of 2 s and 4 s for the telling."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What is shown; `seconds` None means until told to stop."""

    units: int
    seed: int
    history_days: int
    seconds: float | None


class Demo:
    """One demo on a stack that runs, its API without ticks."""

    def __init__(self, plan: DemoPlan, stack: LocalStack, tell: Tell) -> None:
        """Describe the demo."""
        self._plan = plan
        self._stack = stack
        self._tell = tell
        self._secret = secrets.token_hex(32)
        self._fleet: Fleet = build_fleet(plan.units, plan.seed)
        simulated = Plan(self._fleet, APPLICATION, Mischief(), LIVE_INTERVAL, quick=True)
        self._sender = Sender(target_of(stack.api_url, self._secret))
        self._simulation = Simulation(simulated, self._sender, Progress(tell))
        self._stopping = False

    def stop(self) -> None:
        """Stop sending; what is under way is finished and summed up."""
        self._stopping = True
        self._sender.stop()

    async def run(self) -> tuple[dict[str, Any], str | None]:
        """Show everything; return the summary and, where something is wrong, one line that says what."""
        began = monotonic()
        with psycopg.connect(self._stack.database_url, autocommit=True) as connection:
            span, seeded = await self._seed(connection)
            if self._plan.history_days and not self._stopping:
                await self._history(connection, span, seeded)
            await self._let_time_begin()
            listener = Listener(self._stack.api_url, self._stack.settings["SANDBOX_URL"], USER, list(seeded.sites.values()))
            try:
                await listener.start(CONNECT_SECONDS)
                live_from = now_ms()
                await self._live()
                problem = await self._settle(connection, seeded, listener, live_from)
            finally:
                await listener.stop()
            return self._summary(connection, seeded, listener, live_from, monotonic() - began), problem

    async def _seed(self, connection: psycopg.Connection[Any]) -> tuple[Span, Seeded]:
        """Fill the registry; the history ends, and the live terms begin, once every process knows them."""
        end = now_ms() + round(SEED_SECONDS * 1000)
        span = Span(end - self._plan.history_days * DAY, end, HISTORY_INTERVAL)
        paces = (
            Pace.usual(span.begin - DAY, span.interval, USUAL),
            Pace(span.end, LIVE_INTERVAL, QUICK, LIVE_MAX_GAP, LIVE_OFFLINE_AFTER),
        )
        registry = registry_of(
            self._fleet,
            team_id=TEAM,
            name="Coldstream demo",
            application=APPLICATION,
            secret=self._secret,
            valid_from=span.begin - DAY,
            paces=paces,
        )
        seeded = seed_registry(connection, registry)
        self._tell(f"registry seeded: {len(seeded.sites)} sites, {len(seeded.units)} units, {len(seeded.sensors)} sensors")
        await asyncio.sleep(SEED_SECONDS)
        return span, seeded

    async def _history(self, connection: psycopg.Connection[Any], span: Span, seeded: Seeded) -> None:
        """Post the history and wait until it is judged."""
        await self._simulation.history(span)
        if self._stopping:
            return
        taken = self._sender.tally.acknowledged
        ends = await until_ended(connection, seeded.organization, taken, CATCH_UP_SECONDS, self._tell)
        if ends.total < taken:
            self._tell(f"the flows are behind: {ends.total:,} of {taken:,} uplinks ended; going on")
        for part in (Part.DECODE_UPLINKS, Part.DETECT_EXCURSIONS):
            if not await until_quiet(self._metrics_url(part), SETTLE_SECONDS):
                self._tell(f"{part} has not caught up; going on")
        self._tell("the history is judged")

    async def _let_time_begin(self) -> None:
        """Start the API again, with ticks: children inherit our environment at each start."""
        self._tell("starting the API again, with ticks")
        os.environ[TICKS] = "true"
        await asyncio.to_thread(self._stack.stop_child, Part.API)
        await asyncio.to_thread(self._stack.start_child, Part.API)

    async def _live(self) -> None:
        if self._plan.seconds is None and not self._stopping:
            page = f"{self._stack.api_url}/"
            sign_in = f"{self._stack.settings['SANDBOX_URL']}/sandbox/sign-in?return_to={page}"
            self._tell(f"the page: {page}")
            self._tell(f"sign in as {USER}: {sign_in}")
            self._tell("Ctrl-C ends the demo")
        await self._simulation.live(self._plan.seconds)

    async def _settle(self, connection: psycopg.Connection[Any], seeded: Seeded, listener: Listener, live_from: int) -> str | None:
        """Wait for the last ends and the last deadlines; return what is wrong, if anything."""
        tally = self._sender.tally
        self._tell("sending has stopped; waiting for the last ends and deadlines")
        ends = await until_ended(connection, seeded.organization, tally.acknowledged, SETTLE_SECONDS, self._tell)
        await asyncio.sleep(LAST_DEADLINES_SECONDS)
        problem = disagreement(tally, ends)
        if problem is None and now_ms() - live_from > LIVE_INTERVAL * 10 and not listener.heard.readings:
            problem = "no reading reached the WebSocket"
        return problem

    def _summary(
        self, connection: psycopg.Connection[Any], seeded: Seeded, listener: Listener, live_from: int, seconds: float
    ) -> dict[str, Any]:
        ends = count_ends(connection, seeded.organization)
        heard = listener.heard
        return {
            "uplinks": {
                **summary(self._sender.tally, seconds),
                "ended": ends.shown(),
                "put_aside_by_ingest": ends.put_aside,
                "sums_agree": disagreement(self._sender.tally, ends) is None,
            },
            "excursions": {
                **count_excursions(connection, seeded.organization, 0),
                "live": count_excursions(connection, seeded.organization, live_from),
            },
            "websocket": {"events": dict(sorted(heard.events.items())), "readings": heard.readings},
            "accepted_to_websocket_ms": {"readings": latency(heard.reading_ms), "alerts": latency(heard.alert_ms)},
        }

    def _metrics_url(self, part: Part) -> str:
        return f"http://127.0.0.1:{self._stack.ports.metrics(FLOWS.index(part))}/metrics"
