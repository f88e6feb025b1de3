"""What a factory is handed to make a runnable from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool

from ....state.job import Job
from ..gate import Gate
from .models import NoModel, load_model
from .tools import workspace_tools


@dataclass(frozen=True)
class Assignment:
    """One attempt at one step.

    Attributes:
        job: the step, its attempt, and where it is to be done.
        folder: the folder of the attempt, with `prompt.md`.
        gate: decides what may be read, changed and run, and writes it down.
        model_name: the configured model, None where there is none.
        hidden_env: variables that commands are not given.
    """

    job: Job
    folder: Path
    gate: Gate
    model_name: str | None = None
    hidden_env: tuple[str, ...] = ()

    @property
    def workspace(self) -> Path:
        """Where the work is done."""
        return Path(self.job.workspace)

    def model(self) -> BaseChatModel:
        """The configured chat model. Raises NoModel."""
        if self.model_name is None:
            raise NoModel("no model is configured", next_step="give the worker one, or set WAYPOST_MODEL")
        return load_model(self.model_name, attempt=self.job.order.number)

    def tools(self) -> list[BaseTool]:
        """File and command tools that stay in the workspace and in the scope of the step."""
        return workspace_tools(self.gate, self.workspace, hidden_env=self.hidden_env)
