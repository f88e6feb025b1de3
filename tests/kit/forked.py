"""`waypost` commands as processes that begin at once: a server that has everything imported forks one for each.

Each is a real process with its own orchestrator, workers and locks, and can be killed at any instant.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .ledgers import environment_for

_SERVER = "from kit.forked import serve; serve()"


class Forked:
    """One command that runs, or has run."""

    def __init__(self, server: subprocess.Popen[str], pid: int) -> None:
        self._server, self.pid = server, pid

    def kill(self) -> None:
        """SIGKILL. Its pid is kept until the next command begins, so no other process is ever hit."""
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> int:
        """Its exit code, negative for a signal."""
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())


class Commands:
    """Starts commands, one after the other."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server

    def start(self, program: str, *arguments: str, cwd: Path, failpoint: str = "", launcher: str = "") -> Forked:
        """Start `program` ("waypost", or another of `PROGRAMS`), dying at a failpoint if one is named."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        killed = {"failpoint": failpoint, "launcher": launcher}
        request = {"program": program, "arguments": arguments, "cwd": str(cwd), **killed}
        print(
            json.dumps({**request, "failpoint": failpoint, "launcher": launcher}), file=self._server.stdin, flush=True
        )
        return Forked(self._server, int(self._server.stdout.readline()))

    def run(self, program: str, *arguments: str, cwd: Path, failpoint: str = "", launcher: str = "") -> int:
        """Start, and wait for the end."""
        return self.start(program, *arguments, cwd=cwd, failpoint=failpoint, launcher=launcher).wait()


@contextlib.contextmanager
def commands() -> Iterator[Commands]:
    pipe = subprocess.PIPE
    environ = {name: value for name, value in environment_for().items() if not name.startswith("WAYPOST_")}
    server = subprocess.Popen([sys.executable, "-c", _SERVER], stdin=pipe, stdout=pipe, text=True, env=environ)
    try:
        yield Commands(server)
    finally:
        server.communicate()


def serve() -> None:
    """The server: a line with a request in, a line with the pid and later one with the exit code out."""
    import waypost.cli.commands  # noqa: F401
    from waypost.cli.main import app

    programs = {"waypost": lambda arguments: app(arguments)}
    with contextlib.suppress(ImportError):
        from storm.plain import run_plain

        programs["plain"] = run_plain
    ended_before = 0
    for line in sys.stdin:
        if ended_before:
            os.waitpid(ended_before, 0)
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(request, programs)
        print(child, flush=True)
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        print(code, flush=True)
        ended_before = child


def _become(request: dict, programs: dict) -> None:
    import waypost.failpoints as failpoints

    code = 70
    try:
        os.chdir(request["cwd"])
        said = os.open("../said.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        null = os.open(os.devnull, os.O_RDONLY)
        for target, fd in ((0, null), (1, said), (2, said)):
            os.dup2(fd, target)
        if request["failpoint"]:
            failpoints._armed = failpoints._Armed(request["failpoint"])
        if request["launcher"]:
            os.environ["WAYPOST_LAUNCHER_FAILPOINT"] = request["launcher"]
        programs[request["program"]](request["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        os._exit(code)


def until(pid: int, instant_s: float) -> bool:
    """Wait for that long; False where the process has ended before."""
    handle = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        deadline = time.monotonic() + instant_s
        return not poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
    finally:
        os.close(handle)
