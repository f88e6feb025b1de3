"""What Linux offers to a parent: signals as a file, a death signal, adoption of orphans. `ctypes` is quick to load."""

from __future__ import annotations

import ctypes
import os
from functools import cache

SIGKILL, SIGPIPE, SIGTERM, SIGXFSZ = 9, 13, 15, 25
_SIG_DFL, _SIG_BLOCK, _SIG_UNBLOCK = 0, 0, 1
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_SFD_CLOEXEC = os.O_CLOEXEC
_SIGSET_BYTES = 128

_libc = ctypes.CDLL(None, use_errno=True)
# Looked up here, once: the first use of each takes long, and would be the first one in every process that is forked.
_prctl, _signal, _signalfd = _libc.prctl, _libc.signal, _libc.signalfd
_sigprocmask, _sigemptyset, _sigaddset = _libc.sigprocmask, _libc.sigemptyset, _libc.sigaddset


@cache
def _set_of(number: int) -> ctypes.Array[ctypes.c_char]:
    signals = ctypes.create_string_buffer(_SIGSET_BYTES)
    _sigemptyset(signals)
    _sigaddset(signals, number)
    return signals


_set_of(SIGTERM)


def signal_file(number: int) -> int:
    """Block a signal, and give a descriptor that can be read once one has come."""
    signals = _set_of(number)
    _sigprocmask(_SIG_BLOCK, signals, None)
    fd = _signalfd(-1, signals, _SFD_CLOEXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "signalfd")
    return fd


def adopt_orphans() -> None:
    """Whatever a descendant leaves in the background becomes our child, also behind setsid and a double fork."""
    if _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def become_worker(launcher: int, blocked: int) -> None:
    """In the child, before its program: die with the launcher, and hear signals as any program does.

    A worker whose launcher is gone could never be found again, and must not go on beside its successor.
    """
    _prctl(_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != launcher:
        os.kill(os.getpid(), SIGKILL)
    for number in (SIGPIPE, SIGXFSZ):
        _signal(number, _SIG_DFL)
    _sigprocmask(_SIG_UNBLOCK, _set_of(blocked), None)


def children_of(parent: int) -> list[int]:
    """The processes whose parent that is, ended ones that nobody waited for among them."""
    numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [number for number in numbers if _stat_field(number, 4) == parent]


def start_ticks(pid: int) -> int | None:
    """When a process started, in ticks since the machine did; with the pid it names a process for good."""
    return _stat_field(pid, 22)


def _stat_field(pid: int, number: int) -> int | None:
    # Fields of /proc/PID/stat are counted behind the last ')', because the program's name may hold anything.
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[number - 3])
    except (OSError, ValueError, IndexError):
        return None
