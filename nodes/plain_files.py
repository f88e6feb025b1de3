"""Opening files that others write, or may have put where one of ours should be."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_plain(path: Path) -> BinaryIO:
    """Open a file that others may have put there, to read it: never through a link, and never a pipe.

    Raises:
        OSError: it is missing, or is no plain file.
    """
    # Without O_NONBLOCK a pipe in its place would hang whoever looks.
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{path} is no plain file")
    return file
