"""The tools and resources of the server. Each asks the rules first, and tells errors as text that an agent can use."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import anyio
from anyio import to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from pydantic import Field

from .._version import __version__
from ..cli.answers import refuse_decision
from ..cli.driver import is_driving
from ..cli.sources import SourceOptions, open_source
from ..state.errors import InputError, WaypostError
from ..state.pipeline import PipelineState
from .jobs import Job, Jobs
from .reading import evidence_of, file_of, plan_of, runs_of, seen_of, status_of
from .rules import Rules

INSTRUCTIONS = """Waypost runs a task to done and can prove it: a worker does each step, and Waypost itself runs the
commands that prove its criteria. Look at a task file with plan, start it with run, follow it with status, read the
proof with evidence. DONE means that every criterion was proved; nothing else does. A BLOCKED run waits for a person."""
FOLLOW_MAX_S = 300.0
_LOOK_EVERY_S = 0.5
Task = Annotated[str | None, Field(description="Which task of the file; needed if it holds several.")]
TaskFile = Annotated[str, Field(description="Path of a task file in the project.")]
Run = Annotated[str, Field(description="Run id, as run returned it and status lists it.")]
Decision = Literal["approve", "reject", "recheck", "recover", "give_up"]
_T = TypeVar("_T")


class Desk:
    """What the tools do."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.jobs = Jobs(str(rules.root))

    async def plan(
        self,
        task_file: TaskFile,
        task: Task = None,
        format: Annotated[str | None, Field(description="Format of the file, if it is not recognised.")] = None,
    ) -> dict[str, Any]:
        """Show what a task file asks for, in which order, and what of it can be proved. Runs nothing.

        The digest names exactly this plan: run accepts it by that.
        """
        with _told(ToolError):
            return await _look(plan_of, self.rules.task_file(task_file), task, SourceOptions(format=format))

    async def run(
        self,
        ctx: Context,
        task_file: TaskFile,
        task: Task = None,
        accept: Annotated[str | None, Field(description="Digest of the plan, where you may accept it.")] = None,
        worker: Annotated[
            str | None, Field(description="Who does the work; the first allowed one if left out.")
        ] = None,
        isolate: Annotated[
            Literal["none", "worktree"], Field(description="Work in git worktrees of its own.")
        ] = "none",
        max_rework: Annotated[int, Field(ge=0, le=100, description="Reworks of a step before a person is asked.")] = 3,
        budget_s: Annotated[float | None, Field(gt=0, description="Time of all attempts and checks together.")] = None,
        max_cost_usd: Annotated[float | None, Field(gt=0, description="Cost of all attempts, as reported.")] = None,
    ) -> dict[str, Any]:
        """Start a task whose plan was accepted, and return its run id at once; follow it with status."""
        with _told(ToolError):
            rules = self.rules
            path, by = rules.task_file(task_file), rules.worker(worker or rules.workers[0])
            await _look(rules.unchanged)
            source = await _look(open_source, path, SourceOptions())
            words = ["run", f"--task={source.the_task(task).id}", f"--accept={rules.accept(source, accept)}"]
            words += [f"--worker={by}", f"--isolate={isolate}", f"--max-rework={max_rework}"]
            words += [f"--budget-s={budget_s}"] if budget_s else []
            words += [f"--max-cost-usd={max_cost_usd}"] if max_cost_usd else []
            words += [f"--workspace={rules.root}", *self._common(ctx), "--", str(path)]
            return _started(await self.jobs.start(words))

    async def resume(self, ctx: Context, run_id: Run) -> dict[str, Any]:
        """Go on with a run that was drained or interrupted. A BLOCKED one needs a decision instead."""
        with _told(ToolError):
            state = await self._at_rest(run_id)
            return _started(await self.jobs.start(["resume", *self._common(ctx), "--", state.run_id]))

    async def approve(
        self,
        ctx: Context,
        run_id: Run,
        note: Annotated[str, Field(min_length=1, max_length=2000, description="Why; kept in the ledger.")],
        decision: Annotated[Decision, Field(description="What status offers for this run.")] = "approve",
    ) -> dict[str, Any]:
        """Answer the question of a BLOCKED run. Refused unless the person who started the server allowed it."""
        with _told(ToolError):
            state = await self._at_rest(run_id)
            self.rules.decide(state.run_id, decision)
            refuse_decision(state, decision, runs=self.rules.runs)
            verb = [decision] if decision in ("approve", "reject") else ["resume", f"--{decision.replace('_', '-')}"]
            return _started(await self.jobs.start([*verb, f"--note={note}", *self._common(ctx), "--", state.run_id]))

    async def cancel(
        self,
        run_id: Run,
        stop_workers: Annotated[bool, Field(description="Stop its workers too; else they go on.")] = False,
    ) -> dict[str, Any]:
        """Drain a run that this server drives: it stops at its next checkpoint and can be resumed."""
        with _told(ToolError):
            job = self._driven(run_id)
            job.drain()
            if stop_workers:
                # Signals of one kind that wait are one: the first has to be heard before the second is sent.
                with anyio.move_on_after(2):
                    while job.running and not any(event.get("event") == "draining" for event in job.events):
                        await job.next_event(job.seen)
                job.drain()
            return {"run_id": run_id, "told": "to stop" + (" with its workers" if stop_workers else "")}

    async def status(
        self,
        ctx: Context,
        run_id: Annotated[str | None, Field(description="Run id; all runs, newest first, if left out.")] = None,
        follow_s: Annotated[
            float, Field(ge=0, le=FOLLOW_MAX_S, description="Wait so long for it to stop, with progress notifications.")
        ] = 0,
    ) -> dict[str, Any]:
        """Show where runs stand, and what is needed. Starts nothing."""
        with _told(ToolError):
            if run_id is None:
                return {"runs": await _look(runs_of, self.rules.runs)}
            job = self.jobs.of(run_id)
            if follow_s:
                with anyio.move_on_after(follow_s):
                    if job is not None:
                        await _follow(job, ctx)
                    await self._undriven(run_id)
            found = await _look(status_of, run_id, self.rules.runs)
            return {
                **found,
                "driven_here": job is not None and job.running,
                "events": list(job.events)[-20:] if job else [],
            }

    async def evidence(
        self,
        run_id: Run,
        file: Annotated[str | None, Field(description="One file of it; the report and an audit if left out.")] = None,
    ) -> dict[str, Any]:
        """Read the proof of a run: verdicts, an audit that works every hash and verdict out again, and the report."""
        with _told(ToolError):
            if file is not None:
                return {"run_id": run_id, "file": file, "text": await _look(file_of, run_id, file, self.rules.runs)}
            return await _look(evidence_of, run_id, self.rules.runs)

    async def runs_resource(self) -> str:
        """All runs, newest first."""
        with _told(ResourceError):
            return json.dumps(await _look(runs_of, self.rules.runs))

    async def run_resource(self, run_id: str) -> str:
        """Where a run stands, and what is needed."""
        with _told(ResourceError):
            return json.dumps(await _look(status_of, run_id, self.rules.runs))

    async def file_resource(self, run_id: str, name: str) -> str:
        """A file of the evidence of a run."""
        with _told(ResourceError):
            return await _look(file_of, run_id, name, self.rules.runs)

    def _common(self, ctx: Context) -> list[str]:
        return [f"--runs={self.rules.runs}", f"--who={_who(ctx)}", "--json"]

    async def _undriven(self, run: str) -> None:
        """Wait until no process drives a run, also none that was started elsewhere."""
        while is_driving((await _look(seen_of, run, self.rules.runs)).writer):
            await anyio.sleep(_LOOK_EVERY_S)

    def _driven(self, run: str) -> Job:
        job = self.jobs.of(run)
        if job is None or not job.running:
            raise InputError(f"run {run[:120]} is not driven by this server")
        return job

    async def _at_rest(self, run: str) -> PipelineState:
        """The state of a run that nobody drives here any more."""
        job = self.jobs.of(run)
        if job is not None and job.last:
            await job.ended()
        if job is not None and job.running:
            raise InputError(f"run {run} goes on already", next_step="follow it with status")
        return (await _look(seen_of, run, self.rules.runs)).state


def make_server(rules: Rules) -> MCPServer:
    """The server. Its end drains every run that it drives."""
    desk = Desk(rules)

    @asynccontextmanager
    async def life(_: MCPServer) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await desk.jobs.close()

    server = MCPServer("waypost", version=__version__, instructions=INSTRUCTIONS, lifespan=life, log_level="ERROR")
    for tool in (desk.plan, desk.run, desk.status, desk.evidence, desk.approve, desk.resume, desk.cancel):
        server.tool()(tool)
    server.resource("waypost://runs", mime_type="application/json")(desk.runs_resource)
    server.resource("waypost://runs/{run_id}", mime_type="application/json")(desk.run_resource)
    server.resource("waypost://runs/{run_id}/{name}", mime_type="text/plain")(desk.file_resource)
    return server


@contextmanager
def _told(kind: type[Exception]) -> Generator[None]:
    try:
        yield
    except WaypostError as error:
        raise kind(error.render()) from error


async def _look(read: Callable[..., _T], *arguments: Any) -> _T:
    return await to_thread.run_sync(partial(read, *arguments))


async def _follow(job: Job, ctx: Context) -> None:
    seen = job.seen
    while await job.next_event(seen):
        news, seen = job.events_after(seen), job.seen
        for number, event in enumerate(news, seen - len(news) + 1):
            parts = (event.get("event"), event.get("step"), event.get("outcome"), event.get("text"))
            await ctx.report_progress(number, message=" ".join(str(part) for part in parts if part)[:500])


def _started(job: Job) -> dict[str, Any]:
    return {"run_id": job.run_id, "running": job.running, "next": "follow it with status"}


def _who(ctx: Context) -> str:
    """In whose name: what the client calls itself, and that it is a program."""
    params = ctx.session.client_params
    name = "".join(c for c in params.client_info.name if c.isprintable())[:60] if params else ""
    return f"agent {name or 'of unknown name'} (MCP)"
