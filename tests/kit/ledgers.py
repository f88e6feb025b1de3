"""Ledgers made step by step, and a disk that fails on cue."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import Checkpoint, CheckpointTuple, empty_checkpoint
from langgraph.checkpoint.base.id import uuid6
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.disk import PosixDisk
from waypost.checkpointing.names import folder_name


def config(thread: object, ns: str | None = "", id: str | None = None, **more: Any) -> dict[str, Any]:
    """A config; `ns` None leaves the namespace out."""
    configurable = {"thread_id": thread, **more}
    if ns is not None:
        configurable["checkpoint_ns"] = ns
    if id is not None:
        configurable["checkpoint_id"] = id
    return {"configurable": configurable}


def make_checkpoint(values: dict[str, Any], versions: dict[str, Any], id: str | None = None) -> Checkpoint:
    return {
        **empty_checkpoint(),
        "id": id or str(uuid6()),
        "channel_values": values,
        "channel_versions": versions,
        "updated_channels": sorted(values),
    }


class Talk:
    """Puts one checkpoint after the other on a thread, as a run does: only what changed gets a new version."""

    def __init__(self, saver: Any, thread: object = "t", ns: str = "") -> None:
        self.saver = saver
        self.thread = thread
        self.ns = ns
        self.values: dict[str, Any] = {}
        self.versions: dict[str, Any] = {}
        self.at: str | None = None
        self.step = -1

    def put(
        self, id: str | None = None, metadata: dict[str, Any] | None = None, gone: Sequence[str] = (), **changed: Any
    ) -> str:
        """Put a checkpoint in which these channels have changed, and those `gone` have no value; its id."""
        new = {ch: self.saver.get_next_version(self.versions.get(ch), None) for ch in [*changed, *gone]}
        self.values = {channel: value for channel, value in self.values.items() if channel not in gone}
        self.values |= changed
        self.versions |= new
        about = {"source": "loop", "step": self.step, "parents": {}, **(metadata or {})}
        made = make_checkpoint(dict(self.values), dict(self.versions), id)
        given = self.saver.put(config(self.thread, self.ns, self.at), made, about, new)
        self.at = given["configurable"]["checkpoint_id"]
        self.step += 1
        assert self.at
        return self.at

    def write(self, *writes: tuple[str, Any], task: str = "task", path: str = "") -> None:
        """Put writes at the newest checkpoint."""
        self.saver.put_writes(config(self.thread, self.ns, self.at), list(writes), task, path)

    def branch(self) -> Talk:
        """Another line of checkpoints from here."""
        other = Talk(self.saver, self.thread, self.ns)
        other.values, other.versions = dict(self.values), dict(self.versions)
        other.at, other.step = self.at, self.step
        return other

    def newest(self) -> CheckpointTuple:
        found = self.saver.get_tuple(config(self.thread, self.ns))
        assert found is not None
        return found


def ledger_of(root: Path, thread: object = "t") -> Path:
    return root / folder_name(str(thread)) / "ledger.jsonl"


def lines_of(root: Path, thread: object = "t") -> list[dict[str, Any]]:
    return [json.loads(line) for line in ledger_of(root, thread).read_bytes().splitlines()]


def forget_acknowledged(root: Path, thread: object = "t") -> None:
    """As if the watermark had never reached the disk: nothing is known to be acknowledged."""
    (ledger_of(root, thread).parent / "watermark").unlink(missing_ok=True)


def reopened(root: Path, **options: Any) -> LedgerSaver:
    """A saver that knows nothing of what other savers of this process have read: as after a restart."""
    return LedgerSaver(root, disk=PosixDisk(), **options)


def values_of(saver: LedgerSaver, thread: object = "t") -> list[dict[str, Any]]:
    """The values of all checkpoints, oldest first."""
    return [found.checkpoint["channel_values"] for found in saver.list(config(thread))][::-1]


class FaultyDisk(PosixDisk):
    """Counts the calls that change something, and makes some of them fail. Syncs are only counted: they are slow.

    Args:
        fail: (name of the call, which time, errno). A time of 0 is every time.
        short: writes write at most so many bytes at once.
    """

    CHANGING = ("make_folder", "write", "truncate", "sync", "sync_folder", "rename", "remove")

    def __init__(self, *fail: tuple[str, int, int], short: int | None = None) -> None:
        self.fail = list(fail)
        self.short = short
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in FaultyDisk.CHANGING:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            times = self.calls.count(name)
            for wanted, time, error in self.fail:
                if wanted == name and time in (0, times):
                    if name == "write":  # a part of it arrives
                        os.pwrite(args[0], args[2][: len(args[2]) // 2], args[1])
                    raise OSError(error, os.strerror(error))
            return None if name.startswith("sync") else found(*args, **kwargs)

        return call

    def write(self, fd: int, offset: int, data: bytes) -> None:
        if self.short is None:
            return super().write(fd, offset, data)
        for start in range(0, len(data), self.short):
            super().write(fd, offset + start, data[start : start + self.short])
        return None


NO_SPACE, IO_ERROR = errno.ENOSPC, errno.EIO


def run_python(
    script: str, *arguments: str | Path, failpoint: str | None = None, path: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """A script in a process of its own; it finds this module and the package as we do."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=environment_for(failpoint, path),
        capture_output=True,
        text=True,
        timeout=60,
    )


def environment_for(failpoint: str | None = None, path: Sequence[Path] = ()) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}
    environment["PYTHONPATH"] = os.pathsep.join([*map(str, path), *(place for place in sys.path if place)])
    if failpoint is not None:
        environment["WAYPOST_FAILPOINT"] = failpoint
    return environment
