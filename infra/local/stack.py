"""A whole stack: start its parts stage by stage, keep them running, stop them in reverse order.

It decides only order and which part is ours to start; what a part is stands in `parts.py` and the part's own file.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any, Final, assert_never

from infra.local import kafka, parts, postgres, redis
from infra.local.cells import Counts, flow_specs
from infra.local.children import Child, ChildSpec, Surroundings, no_probe
from infra.local.environment import EXISTING, resolve, write_environment
from infra.local.errors import NotReadyError, StackError
from infra.local.folders import Folders
from infra.local.parts import STAGES, STEPS, Part
from infra.local.ports import Ports
from infra.local.process import last_lines
from infra.local.progress import Progress

EXISTING_SECONDS: Final = 30.0
STEP_SECONDS: Final = 300.0
POLL_SECONDS: Final = 0.5


class Stack:
    """The parts of one data folder; the caller holds the folder's lock."""

    def __init__(
        self,
        folders: Folders,
        ports: Ports,
        wanted: Collection[Part],
        progress: Progress,
        *,
        given: Mapping[str, str],
        extra: Mapping[str, str] | None = None,
        restart: bool = True,
        patience: float = EXISTING_SECONDS,
        cells: Counts | None = None,
    ) -> None:
        """Describe the stack.

        `given` are settings from outside, among them the addresses of existing servers; `extra` goes to our own
        processes on top of all others; `patience` is how many seconds an existing server may take to answer; `cells` is how many processes a
        flow has, one where it is not named.
        """
        self.folders = folders
        self.ports = ports
        self.settings = resolve(folders, ports, given)
        self.children: dict[str, Child] = {}
        """By the name of the part, or of the cell where a flow has several."""
        self._for_children = self.settings | dict(extra or {})
        self.wanted = frozenset(wanted)
        self._existing = {part for part, name in EXISTING.items() if given.get(name)}
        self._progress = progress
        self._patience = patience
        self._cells = cells or {}
        self._names: dict[Part, list[str]] = {}
        self._around = Surroundings(folders.logs, folders.run, progress, restart)

    async def start(self) -> None:
        """Start every wanted part and return once all are ready.

        Raises StackError when one is missing, its port is taken, it does not get ready, or a flow ran as other cells
        before; those started keep running until `stop`.
        """
        for part in STAGES[0] + STAGES[2] + STAGES[3]:
            if part in self.wanted and part not in self._existing:
                specs = self._specs(part)
                self._names[part] = [spec.name for spec in specs]
                self.children |= {spec.name: Child(spec, self._around) for spec in specs}
        write_environment(self.folders, self.settings)
        for stage in STAGES:
            await _all_or_first_error([self._start_part(part) for part in stage if part in self.wanted])

    async def stop(self) -> None:
        """Stop every child, the last stage first."""
        for stage in reversed(STAGES):
            running = [child.stop() for part in stage for child in self._children_of(part)]
            await asyncio.gather(*running)

    def hurry(self) -> None:
        """Kill every child at once; `stop` then has nothing to wait for."""
        for child in self.children.values():
            child.kill()

    async def _start_part(self, part: Part) -> None:
        if part in self._existing:
            await self._see_existing(part)
        elif part in STEPS:
            await self._run_step(part)
        else:
            await _all_or_first_error([child.start() for child in self._children_of(part)])

    def _children_of(self, part: Part) -> list[Child]:
        return [self.children[name] for name in self._names.get(part, [])]

    def _specs(self, part: Part) -> list[ChildSpec]:
        match part:
            case Part.KAFKA:
                return [kafka.spec(self.folders, self.ports)]
            case Part.POSTGRES:
                return [postgres.spec(self.folders, self.ports, self._progress)]
            case Part.REDIS:
                return [redis.spec(self.folders, self.ports)]
            case Part.SANDBOX:
                return [parts.sandbox_spec(self.folders, self.ports, self._for_children)]
            case Part.DECODE_UPLINKS | Part.STORE_READINGS | Part.DETECT_EXCURSIONS | Part.REVISE_EXCURSIONS | Part.STORE_DEAD_LETTERS:
                return flow_specs(part, self.folders, self.ports, self._cells, self._for_children)
            case Part.API:
                return [parts.api_spec(self.folders, self.ports, self._for_children)]
            case Part.MIGRATIONS | Part.TOPICS:
                message = f"{part} is a step, not a child"
                raise AssertionError(message)
            case _:
                assert_never(part)

    async def _see_existing(self, part: Part) -> None:
        """Wait until an existing server answers."""
        name = EXISTING[part]
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            try:
                await _probe_existing(part, self.settings[name])
            except NotReadyError as reason:
                if asyncio.get_running_loop().time() > deadline:
                    raise StackError(
                        f"{reason}.",
                        f"{name} names that server: start it, or unset {name}.",
                    ) from reason
                await asyncio.sleep(POLL_SECONDS)
            else:
                self._progress.say(part, f"uses the server that {name} names")
                return

    async def _run_step(self, part: Part) -> None:
        """Run a command that ends, its output in its log."""
        log = self.folders.logs / f"{part}.log"
        spec = ChildSpec(
            name=part,
            command=STEPS[part],
            environment=self._for_children,
            folder=self.folders.data,
        )
        code = await Child(spec, self._around).run(STEP_SECONDS)
        if code != 0:
            raise StackError(
                f"{part} failed with exit code {code}.",
                f"The end of {log}:\n{last_lines(log, 12)}",
            )
        self._progress.say(part, "done")


async def _probe_existing(part: Part, address: str) -> None:
    if part is Part.KAFKA:
        await kafka.answers(address)
    elif part is Part.POSTGRES:
        await postgres.answers(address)
    elif part is Part.REDIS:
        await redis.answers(address)
    else:
        await no_probe()


async def _all_or_first_error(work: Collection[Coroutine[Any, Any, None]]) -> None:
    """Run all together; when one fails the others are cancelled, and its error goes on."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except* StackError as errors:
        first = errors.exceptions[0]
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
