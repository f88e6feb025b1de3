"""File systems of our own: small ones, and ones whose power can be cut."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.outcome import Skip

# EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same number; flag 2: nothing of the journal is flushed any more.
SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, 2
IMAGE_BYTES = 320 << 20


def _mount(*arguments: str) -> None:
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    ran = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if ran.returncode:
        raise Skip(f"mount {' '.join(arguments)}: {ran.stderr.strip()}")


def unmount(place: Path) -> None:
    """Unmount, also if a dead victim's files are still being closed."""
    subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


@contextmanager
def small(place: Path, size: int) -> Iterator[Path]:
    """A file system in memory that holds so many bytes."""
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield place
    finally:
        unmount(place)
        place.rmdir()


def resize(place: Path, size: int) -> None:
    """Make room."""
    _mount("-o", f"remount,size={size}", str(place))


class Powered:
    """A file system in a file, which survives cuts of its power.

    Args:
        folder: where the image and the mount point are made.
        kind: ext4 or xfs.

    Raises:
        Skip: this machine cannot make or mount it.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind = kind
        self.place = folder / f"{kind}-mounted"
        self._image = folder / f"{kind}.img"
        make = shutil.which(f"mkfs.{kind}", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
        if make is None:
            raise Skip(f"there is no mkfs.{kind} here")
        with self._image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run([make, "-q", str(self._image)], check=True, capture_output=True)
        self.place.mkdir()

    def mount(self) -> None:
        _mount("-o", "loop", str(self._image), str(self.place))

    def cut(self) -> None:
        """From now on nothing reaches the image."""
        fd = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, WITHOUT_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(fd)

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.place)], check=True, capture_output=True)

    def end(self) -> None:
        unmount(self.place)
