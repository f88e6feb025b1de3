"""Who writes a ledger: a process named by pid, start time, host, boot and pid namespace, and whether it still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

from .lines import Data


@dataclass(frozen=True)
class Process:
    """One process, told apart from any later one with the same pid."""

    pid: int
    started: int
    host: str
    boot: str
    pids: str | None

    @property
    def name(self) -> str:
        """Its short name in each line it writes."""
        return f"{self.pid}-{self.started}"

    def json(self) -> Data:
        """The `by` of an open or lease line."""
        return {
            "pid": self.pid,
            "started": self.started,
            "host": self.host,
            "boot": self.boot,
            "pids": self.pids,
        }

    @classmethod
    def of(cls, by: Data) -> Process:
        """Read a `by`.

        Raises:
            KeyError, TypeError: it names no process.
        """
        pid, started, host, boot, pids = by["pid"], by["started"], by["host"], by["boot"], by.get("pids")
        if type(pid) is not int or type(started) is not int or pid < 0:
            raise TypeError(f"pid {pid!r}, started {started!r}")
        if not (isinstance(host, str) and isinstance(boot, str) and isinstance(pids, str | None)):
            raise TypeError(f"host {host!r}, boot {boot!r}, pids {pids!r}")
        return cls(pid, started, host, boot, pids)

    def alive(self) -> bool:
        """Whether it lives; true also where that cannot be known: on another host, or in another pid namespace."""
        if self.host != socket.gethostname():
            return True
        if self.boot != _boot():
            return False
        return self.pids not in (None, this_process().pids) or _started(self.pid) == self.started


@dataclass(frozen=True)
class WriterInfo:
    """The writer a ledger names: its process, the epoch of its lease, and whether it lives or has let go."""

    pid: int
    started: int
    host: str
    boot: str
    epoch: int
    alive: bool
    released: bool


def this_process() -> Process:
    """The process we run in; after a fork it is another."""
    return _this(os.getpid())


@lru_cache(maxsize=1)
def _this(pid: int) -> Process:
    return Process(pid, _started(pid) or 0, socket.gethostname(), _boot(), _pid_namespace())


def _pid_namespace() -> str | None:
    """Within which pids mean what they mean to us; None on systems that have only one."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))


def _started(pid: int) -> int | None:
    """Start time in the kernel's ticks since boot, which no clock change moves; None for no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _started_elsewhere(pid) if not Path("/proc/self/stat").exists() else None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _started_elsewhere(pid: int) -> int | None:
    try:
        return int(psutil.Process(pid).create_time() * 1000)
    except psutil.Error:
        return None
