"""The only door to the file system: every call the ledger makes, behind one small protocol.

Idea: the virtual file system of hashicorp/raft-wal, with a real and a fault-injecting implementation.
Files are named relative to an open folder, so a folder that is moved or replaced is never mistaken for another.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Protocol

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BASE = os.O_NOFOLLOW | os.O_CLOEXEC

Identity = tuple[int, int]
"""Device and inode: what a file is, whatever its name. No other file has it as long as this one is open."""


class Disk(Protocol):
    """What the ledger asks of the operating system. Every method raises OSError as the call under it does."""

    def make_folder(self, path: Path, *, sync: bool = True) -> bool: ...
    def open_folder(self, path: Path) -> int: ...
    def open_subfolder(self, folder: int, name: str, *, create: bool) -> int: ...
    def open_file(self, folder: int, name: str, *, write: bool = False, create: bool = False) -> int: ...
    def close(self, fd: int) -> None: ...
    def size(self, fd: int) -> int: ...
    def identity(self, fd: int) -> Identity: ...
    def named(self, folder: int, name: str) -> tuple[Identity, int] | None: ...
    def read(self, fd: int, offset: int, size: int) -> bytes: ...
    def write(self, fd: int, offset: int, data: bytes) -> None: ...
    def truncate(self, fd: int, size: int) -> None: ...
    def sync(self, fd: int) -> None: ...
    def sync_folder(self, fd: int) -> None: ...
    def lock(self, fd: int, *, wait: bool = True) -> bool: ...
    def unlock(self, fd: int) -> None: ...
    def names(self, folder: int) -> list[str]: ...
    def rename(self, folder: int, old: str, new: str) -> None: ...
    def remove(self, folder: int, name: str) -> None: ...
    def remove_folder(self, path: Path) -> None: ...
    def remove_subfolder(self, folder: int, name: str) -> None: ...


class PosixDisk:
    """The real one."""

    def make_folder(self, path: Path, *, sync: bool = True) -> bool:
        """Make one folder of mode 0700 and, if wanted, sync its parent; false if it is there already."""
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            return False
        os.chmod(path, 0o700)
        if not sync:
            return True
        parent = self.open_folder(path.parent)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)
        return True

    def open_folder(self, path: Path) -> int:
        """Open a folder that is not a symbolic link."""
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | _BASE)

    def open_subfolder(self, folder: int, name: str, *, create: bool) -> int:
        """Open a folder inside an open one, making it if asked to."""
        if create:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=folder)
                os.chmod(name, 0o700, dir_fd=folder)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | _BASE, dir_fd=folder)

    def open_file(self, folder: int, name: str, *, write: bool = False, create: bool = False) -> int:
        """Open a file that is not a symbolic link; a new one gets mode 0600 whatever the umask."""
        flags = (os.O_RDWR if write else os.O_RDONLY) | _BASE | os.O_NONBLOCK
        if not create:
            return os.open(name, flags, dir_fd=folder)
        try:
            fd = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        except FileExistsError:
            return os.open(name, flags, dir_fd=folder)
        os.fchmod(fd, 0o600)
        return fd

    def close(self, fd: int) -> None:
        """Close a file or folder."""
        os.close(fd)

    def size(self, fd: int) -> int:
        """The length of an open file."""
        return os.fstat(fd).st_size

    def identity(self, fd: int) -> Identity:
        """Which file an open one is."""
        found = os.fstat(fd)
        return found.st_dev, found.st_ino

    def named(self, folder: int, name: str) -> tuple[Identity, int] | None:
        """Which file a name in an open folder means now, and its length; None for no file."""
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return (found.st_dev, found.st_ino), found.st_size

    def read(self, fd: int, offset: int, size: int) -> bytes:
        """Read up to `size` bytes; fewer only at the end of the file."""
        data = os.pread(fd, size, offset)
        if len(data) == size or not data:
            return data
        parts = [data]
        while (missing := size - sum(map(len, parts))) and (more := os.pread(fd, missing, offset + size - missing)):
            parts.append(more)
        return b"".join(parts)

    def write(self, fd: int, offset: int, data: bytes) -> None:
        """Write all of it, going on after a short write."""
        written = os.pwrite(fd, data, offset)
        while written < len(data):
            written += os.pwrite(fd, data[written:], offset + written)

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Return when the file's bytes and length are on the disk."""
        if hasattr(os, "fdatasync"):
            os.fdatasync(fd)
        else:  # macOS, where fsync does not reach the medium
            fcntl.fcntl(fd, getattr(fcntl, "F_FULLFSYNC"))  # noqa: B009 - the name is unknown elsewhere

    def sync_folder(self, fd: int) -> None:
        """Return when the folder's names are on the disk."""
        os.fsync(fd)

    def lock(self, fd: int, *, wait: bool = True) -> bool:
        """Take the file lock; false if it is taken and we were not to wait."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def unlock(self, fd: int) -> None:
        """Give the file lock back."""
        fcntl.flock(fd, fcntl.LOCK_UN)

    def names(self, folder: int) -> list[str]:
        """What stands in an open folder."""
        return sorted(os.listdir(folder))

    def rename(self, folder: int, old: str, new: str) -> None:
        """Put a file in the place of another, atomically."""
        os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)

    def remove(self, folder: int, name: str) -> None:
        """Remove a file; it is no error if it is not there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)

    def remove_folder(self, path: Path) -> None:
        """Remove a folder if it is empty."""
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise

    def remove_subfolder(self, folder: int, name: str) -> None:
        """Remove a folder of ours with the files in it; one that is not there, or no folder, is left alone."""
        try:
            inner = self.open_subfolder(folder, name, create=False)
        except OSError:
            return
        try:
            for file in self.names(inner):
                self.remove(inner, file)
        finally:
            os.close(inner)
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=folder)
