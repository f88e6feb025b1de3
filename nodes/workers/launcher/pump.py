"""From the pipes of a process into files: masked, counted, in constant memory, and never in the way of the process."""

from __future__ import annotations

import fcntl
import os

from .masking import Stream

_CHUNK = 1 << 16
# More than a pipe can hold: what a process wrote before it ended is all in there.
_DRAIN_MAX = 1 << 20


class Budget:
    """How many bytes of output may be kept, over all streams of a process."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.seen = 0
        self.crossed = False
        self.error = ""

    def take(self, data: bytes) -> bytes:
        """The part of `data` that may be kept."""
        kept = data[: max(0, self.limit_bytes - self.seen)]
        self.seen += len(kept)
        self.crossed = self.crossed or len(kept) < len(data)
        return kept


class Sink:
    """The file that one stream of output goes to."""

    def __init__(self, path: str, stream: Stream, budget: Budget) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._stream, self._budget = stream, budget
        self.written = 0

    def write(self, data: bytes) -> None:
        """Keep `data`, as far as the budget goes. An error of the disk is noted in the budget, not raised."""
        self._put(self._stream.feed(self._budget.take(data)))

    def close(self) -> None:
        """Write what was held back, and bring it all to the disk: a record is going to name the file."""
        self._put(self._stream.flush())
        try:
            if self.written:
                os.fsync(self._fd)
        except OSError as error:
            self._budget.error = error.strerror or str(error)
        os.close(self._fd)

    def _put(self, data: bytes) -> None:
        try:
            while data and not self._budget.error:
                size = os.write(self._fd, data)
                self.written += size
                data = data[size:]
        except OSError as error:
            self._budget.error = error.strerror or str(error)


def _widen(pipe: int) -> None:
    # Fewer and longer reads for a worker that prints a lot; without it everything works as well.
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _DRAIN_MAX // 4)
    except OSError:
        return


class Pump:
    """Pipes that are being read, each with its sink."""

    def __init__(self) -> None:
        self._sinks: dict[int, Sink] = {}
        self._open: set[int] = set()

    def pipe(self, sink: Sink) -> int:
        """A new pipe into `sink`; its writing end, which the caller closes once the process has it."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reader, False)
        _widen(writer)
        self._sinks[reader] = sink
        self._open.add(reader)
        return writer

    @property
    def fds(self) -> tuple[int, ...]:
        """The pipes that have not come to their end."""
        return tuple(self._open)

    def read(self, fd: int) -> int:
        """Move one piece; how many bytes it had, 0 where there is none now or nothing will come any more."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return 0
        if not data:
            self._open.discard(fd)
            return 0
        self._sinks[fd].write(data)
        return len(data)

    def drain(self) -> None:
        """Move what is in the pipes now, without waiting for more: somebody else may hold them open for ever."""
        for fd in self.fds:
            left = _DRAIN_MAX
            while left > 0 and (size := self.read(fd)):
                left -= size

    def close(self) -> None:
        """Close pipes and files."""
        for fd, sink in self._sinks.items():
            os.close(fd)
            sink.close()
        self._sinks.clear()
        self._open.clear()
