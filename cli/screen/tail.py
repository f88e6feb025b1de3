"""The newest lines that a worker or a check has printed, from the files it prints to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...nodes.plain_files import open_plain
from ...nodes.workers import PlainWorker, Worker
from ...nodes.workers.follow import Follower
from ..safe import output_line

_READ_BYTES = 8192


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a file that hold anything; none where it cannot be read."""
    try:
        with open_plain(path) as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _READ_BYTES))
            raw = file.read(_READ_BYTES)
    except OSError:
        return []
    lines = [output_line(line) for line in raw.split(b"\n")[-4 * count :]]
    return [line for line in lines if line.strip()][-count:]


def newest_of(paths: Iterable[Path]) -> Path | None:
    """The file that was written last; what is gone meanwhile was not."""
    found: list[tuple[int, Path]] = []
    for path in paths:
        with contextlib.suppress(OSError):
            found.append((path.stat(follow_symlinks=False).st_mtime_ns, path))
    return max(found, default=(0, None))[1]


class Tails:
    """What workers say while they work: their own typed progress where they have one, else their output."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._followers: dict[Path, tuple[Follower, list[str]]] = {}

    def of(self, folder: Path, worker: str, count: int) -> list[str]:
        """At most so many lines of the attempt in a folder, newest last."""
        one = self._workers.get(worker)
        if one is None or type(one).progress is PlainWorker.progress:
            newest = newest_of(folder / name for name in ("stdout.log", "stderr.log"))
            return last_lines(newest, count) if newest else []
        if folder not in self._followers:
            said: list[str] = []
            self._followers[folder] = Follower(folder / "stdout.log", one.progress, said.append), said
        follower, said = self._followers[folder]
        follower.poll()
        del said[:-count]
        return [output_line(line.encode()) for line in said]
