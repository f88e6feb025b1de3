"""Reading the report that a command has left outside of the workspace: whole, regular, and of this run."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .kind import NotKept

REPORT_MAX_BYTES = 16 << 20


def fresh_report(path: Path, made_ns: int) -> bytes | None:
    """The content of the report; None where there is none.

    Args:
        made_ns: when its folder was made, by the clock of the file system: nothing older was written into it.

    Raises:
        NotKept: it is a link, no regular file, too large, or older than this run.
    """
    try:
        # Without O_NONBLOCK a pipe in its place would hang the run.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotKept(f"the JUnit report is a link, or cannot be read: {error.strerror}") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise NotKept("the JUnit report is no regular file of its own")
        if found.st_mtime_ns < made_ns:
            raise NotKept("the JUnit report is older than this run of its tests")
        if found.st_size > REPORT_MAX_BYTES:
            raise NotKept(f"the JUnit report has {found.st_size} bytes, at most {REPORT_MAX_BYTES} are read")
        with open(handle, "rb", closefd=False) as file:
            return file.read(REPORT_MAX_BYTES + 1)
    finally:
        os.close(handle)
