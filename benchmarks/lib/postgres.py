"""A PostgreSQL server of our own for the length of a benchmark."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_USER = "postgres"
_START_S = 30


class NoPostgres(Exception):
    """Why there is no server."""


class Server:
    """A running server; each call of `database` makes an empty one and gives its address."""

    def __init__(self, port: int, version: str) -> None:
        self.version = version
        self._port = port
        self._made = 0

    def database(self) -> str:
        """The connection string of a new, empty database."""
        self._made += 1
        name = f"bench{self._made}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._address(name)

    def _address(self, name: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/{name}"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server whose data lies in a new folder, with its default durability; stopped at the end.

    Raises:
        NoPostgres: its programs or a user to run it as are missing, or it does not start.
    """
    programs = _programs()
    as_user = _as_user()
    folder.mkdir()
    if as_user:
        shutil.chown(folder, _USER)
    data = folder / "data"
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync"],
        capture_output=True, text=True, cwd=folder, **as_user,
    )  # fmt: skip
    if made.returncode:
        raise NoPostgres(made.stderr.strip())
    port = _free_port()
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", folder],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **as_user,
    )  # fmt: skip
    try:
        _wait(programs, port, process)
        version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True).stdout
        yield Server(port, version.strip())
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _programs() -> Path:
    for folder in _FOLDERS:
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    if found is None:
        raise NoPostgres("no initdb in PATH or /usr/lib/postgresql (Debian: apt-get install postgresql)")
    return Path(found).parent


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid():
        return {}
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        raise NoPostgres(f"running as root and there is no user {_USER}") from None
    return {"user": _USER, "group": _USER, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(programs: Path, port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        ready = subprocess.run([programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)])
        if ready.returncode == 0:
            return
        time.sleep(0.1)
    raise NoPostgres(f"the server did not start within {_START_S} s")
