"""Starts launchers and wardens by fork, so that what they are made of is loaded once and not at every start.

Each process of Waypost has one, and the line between the two is standard input: the server ends with its Waypost. What
it has started goes on. A request is its size and then fields, each behind its own size, sent with descriptors; the
answer is the pid, sent together with a descriptor of the process. How that process ended is written, once it is known,
to the last of the descriptors that came with the request.
"""

from __future__ import annotations

import _socket
import gc
import os
import select
import sys

from . import main as launcher
from . import warden
from .records import load
from .variables import SECRET_NAMES, masker_for

LAUNCHER, WARDEN = b"launcher", b"warden"
SIZE_BYTES = 4
_LINE = 0
_FD_BYTES = 4
_FDS_AT_MOST = 8


def packed(fields: list[bytes]) -> bytes:
    """The bytes of a request."""
    body = b"".join(len(field).to_bytes(SIZE_BYTES, "big") + field for field in fields)
    return len(body).to_bytes(SIZE_BYTES, "big") + body


def _fields(body: bytes) -> list[bytes]:
    fields: list[bytes] = []
    at = 0
    while at < len(body):
        begin = at + SIZE_BYTES
        at = begin + int.from_bytes(body[at:begin], "big")
        fields.append(body[begin:at])
    return fields


class _Server:
    def __init__(self) -> None:
        self._line = _socket.socket(fileno=os.dup(_LINE))
        self._poll = select.poll()
        self._poll.register(self._line.fileno(), select.POLLIN)
        self._open = True
        # Descriptor of a process -> its pid; the same -> who wants to know how it ended.
        self._pids: dict[int, int] = {}
        self._asking: dict[int, int] = {}

    def serve(self) -> None:
        """Until nobody asks for anything any more."""
        while self._open or self._asking:
            for fd, _ in self._poll.poll():
                if fd == self._line.fileno():
                    self._answer()
                elif fd in self._pids:
                    self._ended(fd)
                else:
                    self._nobody_asks(fd)

    def _answer(self) -> None:
        try:
            request, fds = self._request()
        except (EOFError, OSError):
            self._poll.unregister(self._line.fileno())
            self._open = False
            return
        try:
            pid = os.fork()
        except OSError as error:
            _close(fds)
            self._line.sendmsg([(-(error.errno or 1)).to_bytes(SIZE_BYTES, "big", signed=True)])
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
        said = handle.to_bytes(_FD_BYTES, sys.byteorder)
        try:
            self._line.sendmsg(
                [pid.to_bytes(SIZE_BYTES, "big", signed=True)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, said)]
            )
        except OSError:
            return

    def _request(self) -> tuple[list[bytes], list[int]]:
        room = _socket.CMSG_SPACE(_FDS_AT_MOST * _FD_BYTES)
        head, sent, _, _ = self._line.recvmsg(SIZE_BYTES, room, _socket.MSG_CMSG_CLOEXEC)
        data = b"".join(data for _, _, data in sent)
        fds = [int.from_bytes(data[at : at + _FD_BYTES], sys.byteorder) for at in range(0, len(data), _FD_BYTES)]
        head += self._read(SIZE_BYTES - len(head)) if head else b""
        if not head:
            raise EOFError
        return _fields(self._read(int.from_bytes(head, "big"))), fds

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._line.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _become(self, request: list[bytes], fds: list[int]) -> None:
        """In the child: everything of the server is closed, and what was asked for is done."""
        status = 1
        try:
            kind, umask, *given = request
            self._line.close()
            _close([*self._pids, *self._asking.values(), fds.pop()])
            os.setsid()
            os.umask(int(umask))
            status = _launch(fds, given) if kind == LAUNCHER else _watch(fds, given)
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
    (log,) = fds
    folder, *variables = given
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    _put((nothing, log, log))
    _be_given(_pairs(variables))
    return launcher.main(os.fsdecode(folder))


def _watch(fds: list[int], given: list[bytes]) -> int:
    control, output, told = fds
    cwd, count, *rest = given
    _put((control, output, output))
    argv = [os.fsdecode(word) for word in rest[: int(count)]]
    return warden.main(told, argv, _pairs(rest[int(count) :]), os.fsdecode(cwd))


def _pairs(fields: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(fields[0::2], fields[1::2], strict=True))


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


def _put(fds: tuple[int, int, int]) -> None:
    """Make these standard input, output and error; none of them has such a number yet."""
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
    _close(set(fds))


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
