"""Writing files so that a kill at any instant leaves the old one or the new one, never half of one."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Protocol

from ...state.errors import EvidenceError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LEFT_BEHIND = re.compile(r"\.[a-z.-]+\.[0-9a-f]{16}\.tmp")


class Sink(Protocol):
    """Where the bytes of one file go."""

    def write(self, data: bytes) -> None:
        """Append `data`."""
        ...

    def end(self) -> str:
        """Say that nothing comes any more, and get the SHA-256 of it all."""
        ...


class Draft:
    """A file being written, hashed as it grows."""

    def __init__(self, fd: int) -> None:
        self._stream = os.fdopen(fd, "wb")
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append `data`."""
        self._digest.update(data)
        self._stream.write(data)

    def end(self) -> str:
        """Hand it all to the system, which begins to bring it to the disk, and return its SHA-256."""
        self._stream.flush()
        # The sync of one file then finds the others on their way, and need not wait for each by itself.
        os.posix_fadvise(self._stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return self._digest.hexdigest()

    def sync(self) -> None:
        """Bring it all to the disk."""
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file. An error here is no loss: what counts was synced before."""
        with suppress(OSError):
            self._stream.close()


class Staging:
    """Drafts beside their targets in one folder; nothing is visible until `publish`."""

    def __init__(self, folder: int) -> None:
        self._folder = folder
        self._drafts: dict[str, tuple[str, Draft]] = {}

    @contextmanager
    def draft(self, name: str) -> Generator[Draft, None, None]:
        """A new draft of `name`, readable by its owner only."""
        hidden = f".{name}.{secrets.token_hex(8)}.tmp"
        draft = Draft(os.open(hidden, _NEW, 0o600, dir_fd=self._folder))
        self._drafts[name] = hidden, draft
        yield draft

    def publish(self) -> None:
        """Put every draft in the place of its target, in the order they were begun, once all are on the disk."""
        for _, draft in self._drafts.values():
            draft.sync()
        for name, (hidden, _) in self._drafts.items():
            os.replace(hidden, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        os.fsync(self._folder)

    def sweep(self) -> None:
        """Close all drafts, and remove those that were not published: our own, and what a killed writer left."""
        for _, draft in self._drafts.values():
            draft.close()
        for name in os.listdir(self._folder):
            if _LEFT_BEHIND.fullmatch(name):
                with suppress(OSError):
                    os.unlink(name, dir_fd=self._folder)


@contextmanager
def staging(folder: int) -> Generator[Staging, None, None]:
    """Stage files in an open folder; they are published if the block ends well, removed if it does not.

    Raises:
        EvidenceError: the disk refused.
    """
    staged = Staging(folder)
    try:
        yield staged
        staged.publish()
    except OSError as error:
        raise EvidenceError(f"the evidence cannot be written: {error.strerror or error}") from error
    finally:
        staged.sweep()
