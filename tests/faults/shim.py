"""Building and steering the library that stands between a victim and the kernel; see shim.c."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from faults.outcome import Skip

SOURCE = Path(__file__).with_name("shim.c")
MODES = {"count": 0, "kill": 1, "torn": 2, "short": 3, "error": 4}
WRITES, SYNCS, NAMES, CUTS = 1, 2, 4, 8
EVERYTHING = WRITES | SYNCS | NAMES | CUTS


def build(folder: Path) -> Path:
    """Compile the library.

    Raises:
        Skip: there is no C compiler here.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise Skip("there is no C compiler (cc) to build the shim with")
    library = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(SOURCE), "-lpthread"]
    subprocess.run(command, check=True)
    return library


@lru_cache(maxsize=1)
def _loaded() -> ctypes.CDLL | None:
    """The library, if this process was started with it."""
    program = ctypes.CDLL(None)
    return program if hasattr(program, "waypost_arm") else None


def arm(
    folder: Path, mode: str = "count", *, at: int = 0, error: int = 0, sticky: bool = False, kinds: int = EVERYTHING
) -> None:
    """From now on count the changing calls below a folder, and do something to call number `at`."""
    program = _loaded()
    assert program is not None
    program.waypost_arm(os.fsencode(folder), MODES[mode], at, error, int(sticky), kinds)


def record(path: Path) -> None:
    """From now on write every changing call, with its bytes, to the end of a file."""
    program = _loaded()
    assert program is not None
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    program.waypost_record(fd)


def count() -> int:
    """How many changing calls were seen since `arm`."""
    program = _loaded()
    assert program is not None
    return int(program.waypost_count())


def mark(data: bytes) -> None:
    """Write something into the record between the calls; nothing happens where nothing is recorded."""
    program = _loaded()
    if program is not None:
        program.waypost_mark(data, len(data))
