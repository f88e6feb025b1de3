"""Stands between Waypost and a check: whatever the check leaves behind is killed before its end is told.

Standard input is the line to Waypost: `T` asks the check to end, its end kills it. So a check also ends where Waypost
was killed.
"""

from __future__ import annotations

import os
import select
from collections.abc import Mapping

from .family import end_family, signal_family, spawn
from .system import SIGKILL, SIGTERM, adopt_orphans

TOLD_END, TOLD_NO_START = "ended", "unstarted"
ASK_TO_END = b"T"
_CONTROL = 0


def main(status: int, argv: list[str], environ: Mapping[bytes, bytes], cwd: str) -> int:
    """Run a check to its end, end its family, and write how it ended to the descriptor `status`."""
    adopt_orphans()
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        check = spawn(argv, environ, (nothing, 1, 2), cwd=cwd)
    except OSError as error:
        os.write(status, f"{TOLD_NO_START} {error.errno}".encode())
        return 0
    _until_end(check)
    _, ended = os.waitpid(check, 0)
    end_family()
    code = os.waitstatus_to_exitcode(ended)
    os.write(status, f"{TOLD_END} {code if code >= 0 else 128 - code}".encode())
    return 0


def _until_end(check: int) -> None:
    poll = select.poll()
    ended = os.pidfd_open(check)
    poll.register(ended, select.POLLIN)
    poll.register(_CONTROL, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if _CONTROL in ready:
            asked = os.read(_CONTROL, 16)
            signal_family(check, SIGTERM if asked else SIGKILL)
            if not asked:
                poll.unregister(_CONTROL)
        if ended in ready:
            os.close(ended)
            return
