"""Requests with descriptors, from Waypost to what it has started: a size, then fields, each behind its own size."""

from __future__ import annotations

import _socket
import os
import sys

SIZE_BYTES = 4
_FD_BYTES = 4
_FDS_AT_MOST = 8


def packed(fields: list[bytes]) -> bytes:
    """The bytes of a request."""
    body = b"".join(len(field).to_bytes(SIZE_BYTES, "big") + field for field in fields)
    return len(body).to_bytes(SIZE_BYTES, "big") + body


class Line:
    """The end of a stream socket at which requests are read. It is not `socket`, which takes long to load."""

    def __init__(self, fd: int) -> None:
        self._socket = _socket.socket(fileno=fd)

    def fileno(self) -> int:
        """Its descriptor."""
        return self._socket.fileno()

    def request(self) -> tuple[list[bytes], list[int]]:
        """The fields and the descriptors of the next one. Raises EOFError or OSError where nobody asks any more."""
        room = _socket.CMSG_SPACE(_FDS_AT_MOST * _FD_BYTES)
        head, sent, _, _ = self._socket.recvmsg(SIZE_BYTES, room, _socket.MSG_CMSG_CLOEXEC)
        data = b"".join(data for _, _, data in sent)
        fds = [int.from_bytes(data[at : at + _FD_BYTES], sys.byteorder) for at in range(0, len(data), _FD_BYTES)]
        head += self._read(SIZE_BYTES - len(head)) if head else b""
        if not head:
            raise EOFError
        return _fields(self._read(int.from_bytes(head, "big"))), fds

    def asked(self) -> bool:
        """Whether something came in between; False where nobody asks any more."""
        try:
            return bool(self._socket.recv(16))
        except OSError:
            return False

    def say(self, data: bytes, fd: int | None = None) -> None:
        """Answer, together with a descriptor if there is one. Raises OSError where nobody listens."""
        more = [] if fd is None else [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, fd.to_bytes(_FD_BYTES, sys.byteorder))]
        self._socket.sendmsg([data], more)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def _fields(body: bytes) -> list[bytes]:
    fields: list[bytes] = []
    at = 0
    while at < len(body):
        begin = at + SIZE_BYTES
        at = begin + int.from_bytes(body[at:begin], "big")
        fields.append(body[begin:at])
    return fields


def pairs(fields: list[bytes]) -> dict[bytes, bytes]:
    """The variables that a request gives on: names and values by turns."""
    return dict(zip(fields[0::2], fields[1::2], strict=True))


def put(fds: tuple[int, int, int]) -> None:
    """Make these standard input, output and error; none of them has such a number yet."""
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
    for fd in set(fds):
        os.close(fd)
