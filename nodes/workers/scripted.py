"""The deterministic worker: it does what its script says, so that tests and examples can succeed, lie and crash on cue.

A script is the `scripted` block of a step: a YAML list of cues, one action each, played from the top:

    - write: {path: out/a.txt, text: "hello"}    # also append
    - delete: out/a.txt
    - say: working on it                         # to stdout; complain: to stderr
    - sleep_s: 0.5
    - lie: all tests passed                      # say it, exit 0, do nothing else
    - crash: true                                # SIGKILL itself; hang: true waits for ever
    - usage: {turns: 3, cost_usd: 0.25}          # what it reports to have used
    - exit: 3

A cue with `attempt: 2` or `attempt: [2, 3]` is played in those attempts only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from ...state.job import Job
from ...state.model import Record
from ...state.records import Usage
from ...state.task import ActionKind
from .files import write_private
from .health import Health
from .worker import Launch, PlainWorker, Report, WorkerRefused


class FileText(Record):
    """A file relative to the workspace, and the text for it."""

    path: str = Field(min_length=1)
    text: str


class Cue(Record):
    """One thing to do; exactly one field besides `attempt` is set."""

    attempt: int | tuple[int, ...] | None = None
    write: FileText | None = None
    append: FileText | None = None
    delete: str | None = None
    say: str | None = None
    complain: str | None = None
    sleep_s: float | None = Field(default=None, ge=0)
    lie: str | None = None
    crash: Literal[True] | None = None
    hang: Literal[True] | None = None
    usage: Usage | None = None
    exit: int | None = Field(default=None, ge=0, le=255)

    @model_validator(mode="after")
    def _one_action(self) -> Cue:
        actions = [name for name in self.model_fields_set if name != "attempt"]
        if len(actions) != 1:
            raise ValueError(f"a cue has exactly one action, this one has {len(actions)}")
        return self

    def plays_on(self, number: int) -> bool:
        """True where this cue belongs to that attempt."""
        return self.attempt is None or number in ((self.attempt,) if isinstance(self.attempt, int) else self.attempt)


_SCRIPT = TypeAdapter(tuple[Cue, ...])
_PLAYER = Path(__file__).with_name("scripted_player.py")


class ScriptedWorker(PlainWorker):
    """Plays the `scripted` blocks of a step in a process of its own."""

    def prepare(self, job: Job, folder: Path) -> Launch:
        """A player process over the cues of this attempt. Raises WorkerRefused where there is no valid script."""
        blocks = [action for action in job.step.actions if action.kind is ActionKind.SCRIPTED]
        if not blocks:
            raise WorkerRefused(
                f'step "{job.step.id}" has no script for the scripted worker',
                next_step='add a fenced "scripted" block to its Concrete Actions',
            )
        cues = [cue for block in blocks for cue in _read(job, block.text, block.line)]
        script = folder / "script.json"
        played = tuple(cue for cue in cues if cue.plays_on(job.order.number))
        write_private(script, _SCRIPT.dump_json(played, exclude_unset=True, exclude={"__all__": {"attempt"}}))
        return Launch(argv=(sys.executable, "-I", "-S", str(_PLAYER), str(script)))

    def examine(self, name: str) -> Health:
        """Needs nothing but the Python that runs us."""
        version = ".".join(str(part) for part in sys.version_info[:3])
        return Health(name=name, title="for tests and examples", usable=True, path=sys.executable, version=version)

    def report(self, job: Job, folder: Path, exit_code: int) -> Report:
        """What its script says that it used; nothing is known where it does not say, or was stopped before."""
        try:
            return Report(usage=Usage.model_validate_json((folder / "usage.json").read_bytes()))
        except (OSError, ValidationError):
            return Report()


def _read(job: Job, text: str, line: int | None) -> tuple[Cue, ...]:
    try:
        return _SCRIPT.validate_python(yaml.safe_load(text) or ())
    except (yaml.YAMLError, ValidationError) as error:
        where = f" (line {line} of the task file)" if line else ""
        raise WorkerRefused(
            f'the script of step "{job.step.id}"{where} is not a list of cues', facts={"found": error}
        ) from None
