"""`waypost` processes that begin at once: a server that has imported everything forks one for each command line.

Each is a real process with its own pid, signals, streams and environment. Only the second that Python takes to load the
libraries is not spent again; tests of just that start `python -m waypost` themselves.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO
from unittest import mock

_SERVER = "from kit.preloaded import serve; serve()"


class Process:
    """One command line that runs, or has run: the part of `subprocess.Popen` that tests use, output always in pipes."""

    def __init__(self, link: socket.socket, out: int, err: int) -> None:
        self._link = link
        self._replies = link.makefile("r")
        self.pid = int(self._replies.readline())
        self.returncode: int | None = None
        self.stdout, self.stderr = os.fdopen(out, encoding="utf-8"), os.fdopen(err, encoding="utf-8")
        self._texts = ["", ""]
        self._readers: list[threading.Thread] = []

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        if self.returncode is None and select.select([self._link], [], [], 0)[0]:
            self.returncode = int(self._replies.readline())
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        if self.returncode is None and not select.select([self._link], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("waypost", timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end, and for that of everybody who holds its output; what was written. Raises TimeoutExpired."""
        if not self._readers:
            streams = enumerate((self.stdout, self.stderr))
            self._readers = [threading.Thread(target=self._read, args=one, daemon=True) for one in streams]
            for reader in self._readers:
                reader.start()
        self.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired("waypost", timeout or 0)
        return self._texts[0], self._texts[1]

    def _read(self, which: int, stream: TextIO) -> None:
        with stream:
            self._texts[which] = stream.read()

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start(arguments: Sequence[str], *, cwd: Path, env: dict[str, str]) -> Process:
    """Start `waypost` with these arguments."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(_server())
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    request = json.dumps({"arguments": [*arguments], "cwd": str(cwd), "env": env}).encode()
    socket.send_fds(link, [len(request).to_bytes(4, "big")], [out_end, err_end])
    link.sendall(request)
    os.close(out_end)
    os.close(err_end)
    return Process(link, out, err)


@functools.cache
def _server() -> str:
    """The address of this process's server, in the abstract namespace."""
    address = f"\0waypost-tests-{os.getpid()}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(address)
    listening.listen(64)
    stays, ends = os.pipe()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
    fds = (listening.fileno(), stays)
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, *map(str, fds)], pass_fds=fds, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    listening.close()
    os.close(stays)
    atexit.register(lambda: (os.close(ends), server.wait()))
    return address


def serve() -> None:
    """The server: forks a child for each connection, and tells its pid and later its exit code."""
    import gc

    from typer.main import get_command
    from waypost.cli.main import app

    commands = get_command(app)

    listening, stays = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    links: dict[int, socket.socket] = {}
    waiting = selectors.DefaultSelector()
    for ready in (listening, woken, stays):
        waiting.register(ready, selectors.EVENT_READ)
    gc.freeze()
    while True:
        for key, _ in waiting.select():
            if key.fileobj is woken:
                woken.recv(1000)
                _tell(links)
            elif key.fileobj is listening:
                link, _ = listening.accept()
                request, fds = _request(link)
                child = os.fork()
                if child == 0:
                    for open_one in (listening, woken, wakes, link, *links.values()):
                        open_one.close()
                    with mock.patch("typer.main.get_command", return_value=commands):
                        _become(request, fds)
                    return
                for fd in fds:
                    os.close(fd)
                links[child] = link
                link.sendall(f"{child}\n".encode())
            else:
                return


def _request(link: socket.socket) -> tuple[dict, list[int]]:
    size, fds, _, _ = socket.recv_fds(link, 4, 2)
    with link.makefile("rb") as stream:
        return json.loads(stream.read(int.from_bytes(size, "big"))), fds


def _tell(links: dict[int, socket.socket]) -> None:
    for child in list(links):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with links.pop(child) as told:
                told.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(request: dict, fds: list[int]) -> None:
    import importlib

    import waypost.entry
    import waypost.failpoints

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for fd, target in zip(fds, (1, 2), strict=True):
        os.dup2(fd, target)
        os.close(fd)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    # It looks at the environment when it is imported.
    importlib.reload(waypost.failpoints)
    sys.argv = ["waypost", *request["arguments"]]
    waypost.entry.main()
