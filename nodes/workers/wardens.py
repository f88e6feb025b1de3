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


class Watch:
    """One check that a warden watches over. What it has said of this check stays, whatever the warden does next.

    Attributes:
        said: how the check ended, in the warden's words; None while it goes on, empty where it can tell no more.
    """

    def __init__(self, warden: Warden, number: bytes) -> None:
        self.said: str | None = None
        self.warden = warden
        self._number, self._asked_to_end = number, False

    def fileno(self) -> int:
        """A descriptor that can be read once the check has ended."""
        return self.warden.line.fileno()

    def has_ended(self, timeout_s: float = 0.0) -> bool:
        """Whether the check has ended; it is waited for."""
        if self.said is None and _readable(self.warden.line, timeout_s):
            said = b""
            with contextlib.suppress(OSError):
                said = self.warden.line.recv(_ANSWER_BYTES)
            number, _, told = said.partition(b" ")
            # The end of another check would be a verdict over what it has not seen.
            self.said = told.decode() if number == self._number else ""
        return self.said is not None

    def ask_to_end(self) -> None:
        """Ask the check to end."""
        self._asked_to_end = True
        with contextlib.suppress(OSError):
            self.warden.line.send(ASK_TO_END)

    @property
    def is_over(self) -> bool:
        """Whether it has ended in such a way that its warden can watch over another check."""
        return bool(self.said) and not self._asked_to_end


class Warden:
    """A process that watches over one check at a time.

    Attributes:
        line: the socket to it.
        server: whose child it is.
    """

    def __init__(self, line: socket.socket, process: Forked) -> None:
        self.server = process.server
        self.line, self._process = line, process
        self._checks = 0

    def begin(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str, output: int) -> Watch:
        """Start a check below it, whose output goes to the descriptor `output`. Raises OSError or ValueError."""
        self._checks += 1
        number, words = b"%d" % self._checks, [os.fsencode(word) for word in argv]
        request = packed([number, b"%d" % current_umask(), os.fsencode(cwd), b"%d" % len(words), *words, *flat(env)])
        sent = socket.send_fds(self.line, [request], [output])
        self.line.sendall(request[sent:])
        return Watch(self, number)

    @property
    def is_quiet(self) -> bool:
        """Whether it lives and has nothing to say."""
        return not _readable(self.line, 0.0)

    def dismiss(self) -> None:
        """End it, and what it watches over, which is gone when this returns, unless it cannot be killed."""
        self.line.close()
        if self._process.wait(_PATIENCE_S) is None:
            # It was stopped, or waits for a process that cannot be killed: the check dies with it.
            self._process.kill()
            self._process.wait(_PATIENCE_S)
        self._process.close()

    def forget(self) -> None:
        """Hang up without waiting for its end."""
        self.line.close()
        self._process.close()


def _readable(line: socket.socket, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


class Wardens:
    """The wardens of this process, for any thread."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._all: set[Warden] = set()
        self._idle: list[Warden] = []

    def watch(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str, output: int) -> Watch:
        """Start a check below one that is free, or below a new one.

        Args:
            output: the descriptor that its output goes to.

        Raises:
            OSError, ValueError: it could not be started.
        """
        warden = self._free() or self._new()
        try:
            return warden.begin(argv, env, cwd, output)
        except BaseException:
            self._dismiss(warden)
            raise

    def end(self, watch: Watch) -> None:
        """Nobody waits for this check any more: nothing of it is left. Its warden goes on to others if it can.

        Where the check has killed or stopped what started its warden, nothing that was said of it is believed.
        """
        warden = watch.warden
        if watch.said and not self._server.is_still_there(warden.server):
            watch.said = ""
        if watch.is_over and warden.is_quiet:
            with self._lock:
                if len(self._idle) < _IDLE_MOST:
                    self._idle.append(warden)
                    return
        self._dismiss(warden)

    def _free(self) -> Warden | None:
        server = self._server.begun()
        while (idle := self._popped()) is not None:
            if idle.server is server and idle.is_quiet:
                return idle
            self._forget(idle)
        return None

    def _new(self) -> Warden:
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

    def leave(self) -> None:
        """At our own end, and in a process that was forked from us: the wardens are not ours to wait for."""
        self._lock = threading.Lock()
        self._idle.clear()
        for warden in tuple(self._all):
            self._forget(warden)

    def _popped(self) -> Warden | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _dismiss(self, warden: Warden) -> None:
        warden.dismiss()
        self._all.discard(warden)

    def _forget(self, warden: Warden) -> None:
        warden.forget()
        self._all.discard(warden)


WARDENS = Wardens(FORK_SERVER)
atexit.register(WARDENS.leave)
os.register_at_fork(after_in_child=WARDENS.leave)
