"""What a node is handed besides the state: live objects that must never be saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..state.events import Event
from ..state.ids import RunId
from .busy import Busy
from .checks.kinds import BUILTIN, Kinds
from .slots import Slots
from .workers import Worker, builtin_workers
from .workers.environment import Environment

DEFAULT_RUNS_DIR = ".artifacts/agent_runs"


def _nobody_listens(_event: Event) -> None:
    return None


@dataclass(frozen=True)
class RunContext:
    """The `context` of a run: pass it to `graph.invoke(..., context=RunContext(...))`.

    Attributes:
        runs_dir: folder of all runs; the files of a run stand in `runs_dir / run_id`.
        workers: name -> worker.
        prompt_template: a Jinja template for the prompt of every attempt; the shipped one if None.
        environment: which variables workers and checks are given, and which values are hidden in all that is written.
        kinds: name -> kind of check; `with_kinds(...)` adds your own to the built-in ones.
        slots: bounds how many steps of a run are worked on at the same time.
        busy: tells when the nodes of a run that was cancelled have ended.
        listen: hears every event of the run's nodes too, from any of their threads.
        drain: set it, and the run stops at its next checkpoint with workers left alive.
        hold: while it is set too, the run waits for the workers that are in flight before it stops.
    """

    runs_dir: Path = Path(DEFAULT_RUNS_DIR)
    workers: Mapping[str, Worker] = field(default_factory=builtin_workers)
    prompt_template: str | None = None
    environment: Environment = field(default_factory=Environment)
    kinds: Kinds = field(default_factory=lambda: BUILTIN)
    slots: Slots = field(default_factory=Slots)
    busy: Busy = field(default_factory=Busy)
    listen: Callable[[Event], None] = _nobody_listens
    drain: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)

    def run_dir(self, run: RunId) -> Path:
        """The folder that holds everything of one run, absolute."""
        return self.runs_dir.absolute() / run


@dataclass(frozen=True)
class Call:
    """One call of a node: the run's context and what only exists while the node runs.

    Attributes:
        say: receives progress events.
        draining: true once the run was asked to stop.
    """

    context: RunContext
    say: Callable[[Event], None] = _nobody_listens
    draining: Callable[[], bool] = field(default=lambda: False)

    def leaving(self) -> bool:
        """True once a worker that still runs is to be left alone."""
        return self.draining() and not self.context.hold.is_set()
