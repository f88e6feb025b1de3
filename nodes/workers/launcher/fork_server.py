"""Starts launchers and wardens by fork, so that what they are made of is loaded once and not at every start.

Each process of Waypost has one, and the line between the two is standard input: the server ends with its Waypost. What
it has started goes on. A request is its size and then fields, each behind its own size, sent with descriptors; the
answer is the pid, sent together with a descriptor of the process. How that process ended is written, once it is known,
to the last of the descriptors that came with the request.
"""

from __future__ import annotations

import gc
import os
import select
import sys

from . import main as launcher
from . import warden
from .line import SIZE_BYTES, Line, pairs, put
from .records import load
from .variables import SECRET_NAMES, masker_for

LAUNCHER, WARDEN, STILL_THERE = b"launcher", b"warden", b"still there"
_LINE = 0


class _Server:
    def __init__(self) -> None:
        self._line = Line(os.dup(_LINE))
        self._poll = select.poll()
        self._poll.register(self._line.fileno(), select.POLLIN)
        self._open = True
        # Descriptor of a process -> its pid; the same -> who wants to know how it ended.
        self._pids: dict[int, int] = {}
        self._asking: dict[int, int] = {}

    def serve(self) -> None:
        """Until nobody asks for anything any more."""
        line = self._line.fileno()
        while self._open or self._asking:
            ready = {fd for fd, _ in self._poll.poll()}
            for fd in ready - {line}:
                if fd in self._pids:
                    self._ended(fd)
                elif fd in self._asking.values():
                    self._nobody_asks(fd)
            # Last: what is opened now could have the number of a descriptor that was ready and closed meanwhile.
            if line in ready:
                self._answer()

    def _answer(self) -> None:
        try:
            request, fds = self._line.request()
        except (EOFError, OSError):
            self._poll.unregister(self._line.fileno())
            self._open = False
            return
        if request[0] == STILL_THERE:
            self._line.say(bytes(SIZE_BYTES))
            return
        try:
            pid = os.fork()
        except OSError as error:
            _close(fds)
            self._line.say((-(error.errno or 1)).to_bytes(SIZE_BYTES, "big", signed=True))
            return
        if pid == 0:
            self._become(request, fds)
        *given, asking = fds
        _close(given)
        handle = os.pidfd_open(pid)
        self._pids[handle], self._asking[handle] = pid, asking
        self._poll.register(handle, select.POLLIN)
        # Without an event: told only where nobody is left to read.
        self._poll.register(asking, 0)
        try:
            self._line.say(pid.to_bytes(SIZE_BYTES, "big", signed=True), handle)
        except OSError:
            return

    def _become(self, request: list[bytes], fds: list[int]) -> None:
        """In the child: everything of the server is closed, and what was asked for is done."""
        status = 1
        try:
            kind, umask, *given = request
            self._line.close()
            _close([*self._pids, *self._asking.values(), fds.pop()])
            os.setsid()
            os.umask(int(umask))
            status = _launch(fds, given) if kind == LAUNCHER else warden.main(*fds)
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
        finally:
            os._exit(status)

    def _ended(self, handle: int) -> None:
        _, status = os.waitpid(self._pids.pop(handle), 0)
        self._poll.unregister(handle)
        os.close(handle)
        if (asking := self._asking.pop(handle, None)) is not None:
            self._poll.unregister(asking)
            _tell(asking, os.waitstatus_to_exitcode(status))
            os.close(asking)

    def _nobody_asks(self, fd: int) -> None:
        self._poll.unregister(fd)
        os.close(fd)
        self._asking = {handle: asking for handle, asking in self._asking.items() if asking != fd}


def _launch(fds: list[int], given: list[bytes]) -> int:
    log, go = fds
    folder, *variables = given
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    put((nothing, log, log))
    _be_given(pairs(variables))
    return launcher.main(os.fsdecode(folder), go)


def _be_given(variables: dict[bytes, bytes]) -> None:
    """Have these variables, most of which the server has as well: each that is set or taken away is a call."""
    for name in os.environb.keys() - variables.keys():
        del os.environb[name]
    for name, value in variables.items():
        if os.environb.get(name) != value:
            os.environb[name] = value


def _tell(asking: int, code: int) -> None:
    try:
        os.write(asking, str(code).encode())
    except OSError:
        return


def _close(fds: list[int] | set[int]) -> None:
    for fd in fds:
        os.close(fd)


def main() -> int:
    """Serve until Waypost has gone."""
    load()
    masker_for(os.environ, SECRET_NAMES)
    # What is loaded stays loaded: a collection in a child would copy all of its pages to look at it.
    gc.freeze()
    _Server().serve()
    return 0
