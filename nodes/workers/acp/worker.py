"""The worker that drives an agent over the Agent Client Protocol. The protocol itself is spoken by `runner`."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ....state.job import Job
from ....state.model import Record
from ..files import write_private
from ..health import Health
from ..typed import progress_text, read_report
from ..worker import Launch, Report, WorkerRefused

AGENT_VARIABLE = "WAYPOST_ACP_AGENT"
SETTINGS = "worker.json"

_RUNNER = f"{__package__}.runner"


class AcpSettings(Record):
    """What the runner is told besides the job.

    Attributes:
        argv: the agent's program, as an absolute path, and its arguments.
        pass_env: names of variables that the agent is given besides the harmless ones.
        handshake_timeout_s: limit for the agent to answer until it is ready for the prompt.
    """

    argv: tuple[str, ...]
    pass_env: tuple[str, ...] = ()
    handshake_timeout_s: float = 60.0


class AcpWorker:
    """Starts an agent over stdio, hands it the prompt, and answers what it asks by the scope of the step.

    Args:
        name: what it is called in messages.
        argv: how to start the agent, as in `("gemini", "--acp")`; None reads `WAYPOST_ACP_AGENT`, a command line.
        pass_env: names of the variables that the agent needs from the environment, such as its API key.
        handshake_timeout_s: limit for the agent to answer until it is ready for the prompt.
    """

    def __init__(
        self,
        name: str = "acp",
        argv: Sequence[str] | None = None,
        *,
        pass_env: Sequence[str] = (),
        handshake_timeout_s: float = 60.0,
    ) -> None:
        self.name = name
        self.pass_env = tuple(pass_env)
        self._argv = tuple(argv) if argv is not None else None
        self._handshake_timeout_s = handshake_timeout_s

    def prepare(self, job: Job, folder: Path) -> Launch:
        """A runner process over the agent. Raises WorkerRefused: no agent, not installed, or the extra is missing."""
        self._refuse_without_extra()
        settings = AcpSettings(
            argv=self._command(), pass_env=self.pass_env, handshake_timeout_s=self._handshake_timeout_s
        )
        write_private(folder / SETTINGS, settings.model_dump_json(indent=2).encode() + b"\n")
        # -P: the workspace, where it runs, must not be where its modules come from.
        return Launch(argv=(sys.executable, "-P", "-m", _RUNNER, str(folder)), pass_env=self.pass_env)

    def examine(self, name: str) -> Health:
        """Whether the extra is installed and the agent's program is there; the agent is not started."""
        variables = {variable: variable in os.environ for variable in (AGENT_VARIABLE, *self.pass_env)}
        found = Health(name=name, title="any agent that speaks ACP", usable=True, environment=variables)
        try:
            self._refuse_without_extra()
            return found.model_copy(update={"path": self._command()[0]})
        except WorkerRefused as why:
            return found.model_copy(update={"usable": False, "problem": why.what, "next_step": why.next_step})

    def report(self, job: Job, folder: Path, exit_code: int) -> Report:
        """The runner's typed result, and what the agent asked to be allowed."""
        return read_report(folder)

    def progress(self, line: bytes) -> str | None:
        """One update of the agent."""
        return progress_text(line)

    def _refuse_without_extra(self) -> None:
        if importlib.util.find_spec("acp") is None:
            raise WorkerRefused(
                f'worker "{self.name}" needs the package agent-client-protocol, which is not installed',
                next_step='pip install "waypost[acp]"',
            )

    def _command(self) -> tuple[str, ...]:
        argv = self._argv if self._argv is not None else tuple(shlex.split(os.environ.get(AGENT_VARIABLE, "")))
        if not argv:
            raise WorkerRefused(
                f'worker "{self.name}" is not told which agent to start',
                next_step=f'set {AGENT_VARIABLE} to its command, for example {AGENT_VARIABLE}="gemini --acp"',
            )
        # A relative path would be looked for in the workspace, which is not who decides what is started.
        found = None if "/" in argv[0] and not os.path.isabs(argv[0]) else shutil.which(argv[0])
        if found is None:
            raise WorkerRefused(
                f'the agent of worker "{self.name}" cannot be found: {argv[0]}',
                next_step="install it, or give its absolute path",
            )
        return (os.path.abspath(found), *argv[1:])
