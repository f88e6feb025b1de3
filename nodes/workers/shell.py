"""The worker that needs no agent: it runs the `bash` blocks of a step, in order, in the workspace."""

from __future__ import annotations

from pathlib import Path

from ...state.job import Job
from ...state.task import ActionKind
from .files import write_private
from .health import Health
from .probe import Answer, ask, find_executable, version_in
from .worker import Launch, PlainWorker, WorkerRefused

_HEAD = "set -euo pipefail\n"


class ShellWorker(PlainWorker):
    """Runs a step's own commands; the first one that fails ends the attempt."""

    def prepare(self, job: Job, folder: Path) -> Launch:
        """One bash process over all `bash` blocks of the step. Raises WorkerRefused where there is none."""
        blocks = [action.text for action in job.step.actions if action.kind is ActionKind.BASH]
        if not any(block.strip() for block in blocks):
            raise WorkerRefused(
                f'step "{job.step.id}" has no commands for the shell worker',
                next_step='add a fenced "bash" block to its Concrete Actions, or choose a worker that reads prose',
            )
        script = folder / "actions.sh"
        write_private(script, (_HEAD + "\n".join(block.rstrip("\n") + "\n" for block in blocks)).encode())
        return Launch(argv=("bash", str(script)))

    def examine(self, name: str) -> Health:
        """Whether there is a bash, and which."""
        path = find_executable("bash")
        answer = ask(path, ("--version",)) if path else Answer(problem='"bash" is not in PATH')
        return Health(
            name=name,
            title="the bash blocks of a step",
            usable=path is not None and not answer.problem,
            path=path,
            version=version_in(answer.text),
            problem=answer.problem,
            next_step="install bash" if path is None else "",
        )
