"""Wardens, each of which watches over one check at a time: those that are free are kept for the next check."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import socket
import threading
from collections.abc import Mapping

from .forks import FORK_SERVER, Forked, ForkServer, current_umask, flat
from .launcher.line import packed
from .launcher.warden import ASK_TO_END

# A warden reads at once what it is to watch.
_PATIENCE_S = 15.0
_IDLE_MOST = 4
_ANSWER_BYTES = 64


class Warden:
    """A process that has begun to watch, or is free to.

    Attributes:
        server: whose child it is.
        said: how its check ended, in its own words; None while it goes on, empty where it can tell no more.
    """

    def __init__(self, line: socket.socket, process: Forked) -> None:
        self.server = process.server
        self.said: str | None = ""
        self._line, self._process = line, process
        self._asked_to_end = False

    def begin(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str, output: int) -> None:
        """Start a check below it, whose output goes to the descriptor `output`. Raises OSError or ValueError."""
        self.said = None
        words = [os.fsencode(word) for word in argv]
        request = packed([b"%d" % current_umask(), os.fsencode(cwd), b"%d" % len(words), *words, *flat(env)])
        sent = socket.send_fds(self._line, [request], [output])
        self._line.sendall(request[sent:])

    def fileno(self) -> int:
        """A descriptor that can be read once the check has ended."""
        return self._line.fileno()

    def has_ended(self, timeout_s: float = 0.0) -> bool:
        """Whether its check has ended; it is waited for."""
        if self.said is None and _readable(self._line, timeout_s):
            with contextlib.suppress(OSError):
                self.said = self._line.recv(_ANSWER_BYTES).decode()
            self.said = self.said or ""
        return self.said is not None

    def ask_to_end(self) -> None:
        """Ask its check to end."""
        self._asked_to_end = True
        with contextlib.suppress(OSError):
            self._line.send(ASK_TO_END)

    @property
    def is_free(self) -> bool:
        """Whether it can be asked to watch another check."""
        return bool(self.said) and not self._asked_to_end and not _readable(self._line, 0.0)

    def dismiss(self) -> None:
        """End it, and what it watches over, which is gone when this returns, unless it cannot be killed."""
        self._line.close()
        if self._process.wait(_PATIENCE_S) is None:
            # It was stopped, or waits for a process that cannot be killed: the check dies with it.
            self._process.kill()
            self._process.wait(_PATIENCE_S)
        self._process.close()

    def forget(self) -> None:
        """Hang up without waiting for its end."""
        self._line.close()
        self._process.close()


def _readable(line: socket.socket, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


class Wardens:
    """The wardens of this process; any thread may take one that is free."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._all: set[Warden] = set()
        self._idle: list[Warden] = []

    def take(self) -> Warden:
        """One that is free, or a new one. Raises OSError."""
        server = self._server.begun()
        while (idle := self._popped()) is not None:
            if idle.server is server and idle.is_free:
                return idle
            self._forget(idle)
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                ours.settimeout(_PATIENCE_S)
                warden = Warden(ours, self._server.warden(theirs.fileno()))
        except BaseException:
            ours.close()
            raise
        self._all.add(warden)
        return warden

    def give_back(self, warden: Warden) -> None:
        """It is not needed any more. It watches over the next check if it can; else nothing of its check is left."""
        with self._lock:
            if len(self._idle) < _IDLE_MOST and warden.is_free:
                self._idle.append(warden)
                return
        warden.dismiss()
        self._all.discard(warden)

    def leave(self) -> None:
        """At our own end, and in a process that was forked from us: the wardens are not ours to wait for."""
        self._lock = threading.Lock()
        self._idle.clear()
        for warden in tuple(self._all):
            self._forget(warden)

    def _popped(self) -> Warden | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _forget(self, warden: Warden) -> None:
        warden.forget()
        self._all.discard(warden)


WARDENS = Wardens(FORK_SERVER)
atexit.register(WARDENS.leave)
os.register_at_fork(after_in_child=WARDENS.leave)
