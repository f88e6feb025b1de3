"""A process that has everything loaded and forks victims: 5 ms each, where starting Python takes a second.

    python -m faults.nursery FD

listens on an inherited socket. Each request carries the pipe into which the victim tells what it does.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from faults import drivers, sessions
from faults.outcome import Skip
from faults.victims import JOBS, Teller

TESTS = Path(__file__).resolve().parents[1]
PATIENCE_S = 600
WITH_JOBS = (drivers, sessions)


class Victim:
    """A forked process, and what it has told so far."""

    def __init__(self, nursery: Nursery, pid: int, pipe: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._pipe = pipe
        self._rest = b""
        self._messages: deque[dict[str, Any]] = deque()
        self._ended = False

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.pid, number)

    def ready(self, timeout_s: float) -> bool:
        """Whether it tells something, or ends, within that time."""
        return bool(select.select([self._pipe], [], [], timeout_s)[0])

    def told(self) -> list[dict[str, Any]]:
        """What it has told by now and was not taken yet."""
        while not self._ended and self.ready(0):
            self._read()
        found = list(self._messages)
        self._messages.clear()
        return found

    def tells(self, last: str = "") -> Iterator[dict[str, Any]]:
        """Everything it tells until it ends, or until a message with that key."""
        deadline = time.monotonic() + PATIENCE_S
        while self._messages or not self._ended:
            while self._messages:
                message = self._messages.popleft()
                yield message
                if last in message:
                    return
            if not self._ended and not self.ready(max(0.0, deadline - time.monotonic())):
                self.kill()
                raise TimeoutError(f"victim {self.pid} did not come to an end within {PATIENCE_S} s")
            if not self._ended:
                self._read()

    def wait(self) -> int:
        """Its wait status, when it has ended."""
        os.close(self._pipe)
        return int(self._nursery.ask({"wait": self.pid})["status"])

    def _read(self) -> None:
        data = os.read(self._pipe, 1 << 16)
        self._ended = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._messages.extend(json.loads(line) for line in lines)


class Nursery:
    """Starts victims.

    Args:
        preload: a library that the victims are to have loaded.
    """

    def __init__(self, preload: Path | None = None) -> None:
        self._socket, theirs = socket.socketpair()
        environment = dict(os.environ) | ({"LD_PRELOAD": str(preload)} if preload else {})
        environment["PYTHONPATH"] = os.pathsep.join([str(TESTS), *(place for place in sys.path if place)])
        command = [sys.executable, "-m", "faults.nursery", str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment)
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()
        self._process.wait()

    def start(self, job: str, **details: Any) -> Victim:
        """Fork a victim that does a job of `faults.victims`."""
        reading, writing = os.pipe()
        answer = self.ask({"job": job, "details": details}, [writing])
        os.close(writing)
        return Victim(self, answer["pid"], reading)

    def ask(self, request: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any]:
        """Send a request and give the answer."""
        socket.send_fds(self._socket, [json.dumps(request).encode()], fds or [])
        answer = self._socket.recv(1 << 16)
        if not answer:
            raise Skip("the process that forks victims has died")
        return json.loads(answer)


def serve(door: socket.socket) -> None:
    """Fork and wait as asked, until nobody asks any more."""
    while True:
        data, fds, _, _ = socket.recv_fds(door, 1 << 16, 1)
        if not data:
            return
        request = json.loads(data)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = {"status": status}
        else:
            answer = {"pid": _fork(door, request, fds[0])}
            os.close(fds[0])
        door.send(json.dumps(answer).encode())


def _fork(door: socket.socket, request: dict[str, Any], pipe: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        door.close()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        JOBS[request["job"]](Teller(pipe), **request["details"])
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
