"""One thread's folder in memory, for reading: as fast as a fuzzer needs it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

FOLDER = 3


class MemoryDisk:
    """The reading half of `waypost.checkpointing.disk.Disk`; whatever would change something is refused."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._names = list(files)
        self._files = list(files.values())

    def open_folder(self, path: Path) -> int:
        return FOLDER

    def open_file(self, folder: int, name: str, *, write: bool = False, create: bool = False) -> int:
        if write or name not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return FOLDER + 1 + self._names.index(name)

    def close(self, fd: int) -> None:
        pass

    def size(self, fd: int) -> int:
        return len(self._files[fd - FOLDER - 1])

    def identity(self, fd: int) -> tuple[int, int]:
        return 0, fd

    def named(self, folder: int, name: str) -> tuple[tuple[int, int], int] | None:
        if name not in self._names:
            return None
        fd = FOLDER + 1 + self._names.index(name)
        return (0, fd), self.size(fd)

    def read(self, fd: int, offset: int, size: int) -> bytes:
        return self._files[fd - FOLDER - 1][offset : offset + size]

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a reader called {name}")
