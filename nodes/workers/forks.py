"""The line to the process that starts launchers and wardens for us by fork; see `launcher/fork_server.py`."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .launcher.fork_server import LAUNCHER, STILL_THERE, WARDEN
from .launcher.line import SIZE_BYTES, packed

_HERE = Path(__file__).parent
# Not a file as the program: a program's own file is compiled again at every start.
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from launcher.fork_server import main; sys.exit(main())"
_ANSWER_S = 15.0
_UNTOLD = -signal.SIGKILL
_LIMITS = sorted(number for name, number in vars(resource).items() if name.startswith("RLIMIT_"))


class Forked:
    """A process that the server has started for us.

    Attributes:
        returncode: as `subprocess` has it; also where the server was killed and nobody can tell, it is not 0.
        server: whose child it is.
    """

    def __init__(self, pid: int, handle: int, told: int, server: subprocess.Popen[bytes]) -> None:
        self.pid = pid
        self.server = server
        self.returncode: int | None = None
        self._handle, self._told = handle, told

    def poll(self) -> int | None:
        """How it ended, None while it runs."""
        return self.returncode if self._has_ended(0) else None

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it has ended, and how it did; None where it has not in that time."""
        return self.returncode if self._has_ended(timeout_s) else None

    def fileno(self) -> int:
        """A descriptor that can be read once it has ended; until that was seen."""
        return self._handle

    def kill(self) -> None:
        """Kill it."""
        with contextlib.suppress(ProcessLookupError):
            if self.returncode is None:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self) -> None:
        """Ask no longer how it ends."""
        for fd in {self._handle, self._told} - {-1}:
            os.close(fd)
        self._handle = self._told = -1

    def _has_ended(self, timeout_s: float | None) -> bool:
        if self.returncode is None and _readable(self._handle, timeout_s):
            said = os.read(self._told, 16) if _readable(self._told, _ANSWER_S) else b""
            self.returncode = int(said) if said else _UNTOLD
            self.close()
        return self.returncode is not None


def _readable(fd: int, timeout_s: float | None) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))


class ForkServer:
    """Starts processes through the server of this process, from any thread. It is begun when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving: list[subprocess.Popen[bytes]] = []
        self._facts: tuple[Any, ...] = ()

    def warm_up(self) -> None:
        """Begin the server without waiting for it, as there will be something to start soon."""
        # Who needs it will be told what is wrong.
        with self._lock, contextlib.suppress(OSError):
            self._begun()

    def launcher(self, folder: str, log: int, go: int) -> Forked:
        """A launcher for the attempt in `folder`, with our variables as they are now. Raises OSError.

        Args:
            log: where it writes what goes wrong.
            go: what it reads one byte from before it starts a worker; without one it leaves.
        """
        return self._start(LAUNCHER, [os.fsencode(folder), *flat(os.environ)], (log, go))

    def warden(self, line: int) -> Forked:
        """A warden that is told through the socket `line` what to watch. Raises OSError."""
        return self._start(WARDEN, [], (line,))

    def begun(self) -> subprocess.Popen[bytes] | None:
        """The process that would be asked now; None where it is yet to be begun, or would be begun anew."""
        with self._lock:
            process = self._process
            return process if process and process.poll() is None and self._facts == _inherited() else None

    def is_still_there(self, server: subprocess.Popen[bytes]) -> bool:
        """Whether a server goes on: one that was killed, or is stopped, does not answer any more."""
        with self._lock:
            if self._line is None or server is not self._process:
                # Another one was begun since, and this one cannot be asked.
                return server.poll() is None
            try:
                self._line.sendall(packed([STILL_THERE]))
                answered = len(self._line.recv(SIZE_BYTES)) == SIZE_BYTES
            except OSError:
                answered = False
            if not answered:
                self._end(kill=True)
            return answered

    def _start(self, kind: bytes, given: list[bytes], fds: tuple[int, ...]) -> Forked:
        request = packed([kind, b"%d" % current_umask(), *given])
        told, asking = os.pipe2(os.O_CLOEXEC)
        try:
            with self._lock:
                pid, handle = self._asked(request, (*fds, asking))
                server = self._process
        except BaseException:
            os.close(told)
            raise
        finally:
            os.close(asking)
        assert server is not None
        return Forked(pid, handle, told, server)

    def _asked(self, request: bytes, fds: tuple[int, ...]) -> tuple[int, int]:
        line = self._begun()
        try:
            sent = socket.send_fds(line, [request], list(fds))
        except (BrokenPipeError, ConnectionResetError):
            # Somebody has killed the server; it has seen nothing of this.
            self._end()
            line = self._begun()
            sent = socket.send_fds(line, [request], list(fds))
        try:
            line.sendall(request[sent:])
            answer, handles, _, _ = socket.recv_fds(line, SIZE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            self._end(kill=True)
            raise
        if len(answer) < SIZE_BYTES:
            self._end(kill=True)
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        pid = int.from_bytes(answer, "big", signed=True)
        if pid < 0 or not handles:
            number = -pid if pid < 0 else errno.EMFILE
            raise OSError(number, os.strerror(number))
        return pid, handles[0]

    def _begun(self) -> socket.socket:
        """The line to a server that gives on what we would give on ourselves. Limits and priorities are inherited."""
        facts = _inherited()
        if self._line is not None and facts == self._facts:
            return self._line
        self._end()
        ours, theirs = socket.socketpair()
        with theirs:
            ours.settimeout(_ANSWER_S)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_HERE)],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        self._line, self._facts = ours, facts
        return ours

    def _end(self, *, kill: bool = False) -> None:
        """Hang up. The server goes on as long as somebody asks how one of its processes ends."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            if kill:
                self._process.kill()
            self._leaving.append(self._process)
        self._line = self._process = None
        self._leaving = [process for process in self._leaving if process.poll() is None]

    def leave(self) -> None:
        """At our own end, and in a process that was forked from us: the server is not ours to wait for."""
        self._lock = threading.Lock()
        self._end()
        for process in self._leaving:
            process.returncode = 0
        self._leaving.clear()


FORK_SERVER = ForkServer()
atexit.register(FORK_SERVER.leave)
os.register_at_fork(after_in_child=FORK_SERVER.leave)


def flat(variables: Mapping[str, str]) -> list[bytes]:
    """Names and values by turns, as a request has them."""
    return [os.fsencode(text) for pair in variables.items() for text in pair]


def current_umask() -> int:
    """Ours. Asked so because the call that tells it also sets it, for all threads."""
    with open("/proc/self/status", "rb") as file:
        return next(int(line.split()[1], 8) for line in file if line.startswith(b"Umask:"))


def _inherited() -> tuple[Any, ...]:
    """What a process gets from the one that starts it, as far as that can change and is not handed over."""
    limits = tuple(resource.getrlimit(number) for number in _LIMITS)
    who = (*os.getresuid(), *os.getresgid(), *os.getgroups())
    return (limits, who, os.getpriority(os.PRIO_PROCESS, 0), frozenset(os.sched_getaffinity(0)))
