"""The worker that runs a LangChain runnable or LangGraph agent in a process of its own, through `runner`."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from ....state.job import Job
from ....state.model import Record
from ..files import write_private
from ..health import Health
from ..typed import progress_text, read_report
from ..worker import Launch, Report, WorkerRefused

MODEL_VARIABLE = "WAYPOST_MODEL"
READY_AGENT = f"{__name__.partition('.nodes.')[0]}.graphs.tool_agent:make_agent"
SCRIPTED = "scripted:"
SETTINGS = "worker.json"

Takes = Literal["auto", "messages", "text"]

_RUNNER = f"{__package__}.runner"
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class LangChainSettings(Record):
    """What the runner is told besides the job.

    Attributes:
        factory: `module:name` of a runnable, or of a function that makes one from an `Assignment`.
        model: name of the chat model that an assignment gives out, None for none.
        takes: whether the runnable takes messages or a text; `auto` asks its input schema.
        max_turns: how often models may be called.
        search_path: folders that modules are looked for first.
        pass_env: names of variables that commands of the agent are not given.
    """

    factory: str
    model: str | None = None
    takes: Takes = "auto"
    max_turns: int = Field(default=50, ge=1)
    search_path: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()


class LangChainWorker:
    """Runs what a factory makes on the prompt of the step.

    Args:
        factory: `module:name` of a runnable, or of a function that is handed an `Assignment` and returns one. It is
            imported in the worker's process. The ready agent with file and command tools if not given.
        model: name of a chat model as `init_chat_model` has it ("openai:gpt-..."), or `scripted:FILE`. The variable
            `WAYPOST_MODEL` if not given.
        takes: what the runnable is given: `messages` for `{"messages": [...]}`, `text` for the prompt alone.
        max_turns: how often models may be called in one attempt; less where the run's budget leaves less.
        search_path: folders to look for the factory's module first.
        pass_env: names of the variables that the models need, such as API keys; commands of the agent do not see them.
    """

    def __init__(
        self,
        factory: str = READY_AGENT,
        *,
        model: str | None = None,
        takes: Takes = "auto",
        max_turns: int = 50,
        search_path: Sequence[str | Path] = (),
        pass_env: Sequence[str] = (),
    ) -> None:
        self.pass_env = tuple(pass_env)
        self._model = model
        self._settings = LangChainSettings(
            factory=factory,
            takes=takes,
            max_turns=max_turns,
            search_path=tuple(os.path.abspath(folder) for folder in search_path),
            pass_env=self.pass_env,
        )

    def prepare(self, job: Job, folder: Path) -> Launch:
        """A runner process. Raises WorkerRefused: no such reference, no model, or the extra for it is missing."""
        if not _REFERENCE.fullmatch(self._settings.factory):
            raise WorkerRefused(
                f"{self._settings.factory!r} is no reference to a factory",
                next_step='write it as "package.module:name"',
            )
        turns = min(self._settings.max_turns, job.max_turns or self._settings.max_turns)
        settings = self._settings.model_copy(update={"model": self._checked_model(), "max_turns": turns})
        write_private(folder / SETTINGS, settings.model_dump_json(indent=2).encode() + b"\n")
        # -P: the workspace, where it runs, must not be where its modules come from.
        return Launch(argv=(sys.executable, "-P", "-m", _RUNNER, str(folder)), pass_env=self.pass_env)

    def examine(self, name: str) -> Health:
        """Whether a model is named and its extra installed; no model is called."""
        variables = {variable: variable in os.environ for variable in (MODEL_VARIABLE, *self.pass_env)}
        found = Health(name=name, title="a LangChain runnable or agent", usable=True, environment=variables)
        try:
            return found.model_copy(update={"path": sys.executable, "version": self._checked_model()})
        except WorkerRefused as why:
            return found.model_copy(update={"usable": False, "problem": why.what, "next_step": why.next_step})

    def report(self, job: Job, folder: Path, exit_code: int) -> Report:
        """The runner's typed result, and what the agent was allowed and denied."""
        return read_report(folder)

    def progress(self, line: bytes) -> str | None:
        """One step of the agent."""
        return progress_text(line)

    def _checked_model(self) -> str | None:
        model = self._model or os.environ.get(MODEL_VARIABLE) or None
        if model is None:
            if self._settings.factory == READY_AGENT:
                raise WorkerRefused(
                    "the ready agent is not told which model to use",
                    next_step=f'set {MODEL_VARIABLE}, for example {MODEL_VARIABLE}="openai:gpt-4.1"',
                )
            return None
        if not model.startswith(SCRIPTED) and importlib.util.find_spec("langchain") is None:
            raise WorkerRefused(
                f'the model "{model}" needs the package langchain, which is not installed',
                next_step='pip install "waypost[llm]", and the package of its provider, such as langchain-openai',
            )
        return model
