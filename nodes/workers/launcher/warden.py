"""Stands between Waypost and its checks, one after the other: what one leaves behind is killed before its end is told.

The line to Waypost brings the checks. While one runs, `T` asks it to end, and the end of the line kills it: so a check
also ends where Waypost was killed.
"""

from __future__ import annotations

import os
import select

from .family import end_family, signal_family, spawn
from .line import Line, pairs, put
from .system import SIGKILL, SIGTERM, adopt_orphans

TOLD_END, TOLD_NO_START = "ended", "unstarted"
ASK_TO_END = b"T"
_NOTHING, _NOWHERE, _ERRORS = 0, 1, 2


def main(line: int) -> int:
    """Run checks to their ends until Waypost hangs up, or cannot be told the truth any more."""
    adopt_orphans()
    asking = Line(line)
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    put((os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), nowhere, nowhere))
    while True:
        try:
            (number, *fields), (output,) = asking.request()
        except (EOFError, OSError):
            return 0
        # What goes wrong in here stands where the check prints.
        os.dup2(output, _ERRORS)
        told, alone = _watched(fields, output, asking)
        os.dup2(_NOWHERE, _ERRORS)
        try:
            asking.say(b"%s %s" % (number, told.encode()))
        except OSError:
            return 0
        if not alone:
            return 0


def _watched(fields: list[bytes], output: int, line: Line) -> tuple[str, bool]:
    """How a check ended, and whether nothing of it is left."""
    umask, cwd, count, *rest = fields
    argv, environ = [os.fsdecode(word) for word in rest[: int(count)]], pairs(rest[int(count) :])
    os.umask(int(umask))
    try:
        check = spawn(argv, environ, (_NOTHING, output, output), cwd=os.fsdecode(cwd))
    except OSError as error:
        return f"{TOLD_NO_START} {error.errno}", True
    finally:
        os.close(output)
    _until_end(check, line)
    _, ended = os.waitpid(check, 0)
    alone = end_family()
    code = os.waitstatus_to_exitcode(ended)
    return f"{TOLD_END} {code if code >= 0 else 128 - code}", alone


def _until_end(check: int, line: Line) -> None:
    poll = select.poll()
    ended, asking = os.pidfd_open(check), line.fileno()
    poll.register(ended, select.POLLIN)
    poll.register(asking, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if asking in ready:
            asked = line.asked()
            signal_family(check, SIGTERM if asked else SIGKILL)
            if not asked:
                poll.unregister(asking)
        if ended in ready:
            os.close(ended)
            return
