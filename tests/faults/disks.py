"""A disk as a power cut leaves it, computed from a record of every call that changed it.

The states are those of ALICE (Pillai et al., OSDI 2014): whatever was not synced may be there, be missing, be torn, or
be there although something earlier is not. A failed sync leaves bytes that are seen but never arrive, unless their page
is written again (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("=IIQQII")
MARK, WRITE, CUT, SYNC, SYNC_FAILED, CREATE, MKDIR, RENAME, UNLINK, RMDIR, GROW = range(11)
PAGE = 4096


class Call(NamedTuple):
    """One recorded call; `data` is what was written, the new name, or the text of a mark."""

    kind: int
    path: str
    inode: int
    offset: int
    data: bytes


def calls_in(record: Path) -> list[Call]:
    """Read a record of the shim."""
    raw, at, found = record.read_bytes(), 0, list[Call]()
    while at < len(raw):
        kind, path_size, inode, offset, size, _ = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        path = raw[at : at + path_size].decode()
        found.append(Call(kind, path, inode, offset, raw[at + path_size : at + path_size + size]))
        at += path_size + size
    return found


class Change(NamedTuple):
    """A change of a file's bytes that is not on disk yet. `size` is set for a cut or a growth."""

    offset: int
    data: bytes
    size: int | None = None
    grows: bool = False

    def apply(self, content: bytearray) -> None:
        if self.size is None:
            content.extend(bytes(max(0, self.offset - len(content))))
            content[self.offset : self.offset + len(self.data)] = self.data
        elif not self.grows:
            del content[self.size :]
            content.extend(bytes(self.size - len(content)))
        else:
            content.extend(bytes(max(0, self.size - len(content))))

    def before(self, size: int) -> Change | None:
        """What of it lies before a length; None if nothing does."""
        if self.size is not None:
            return self if self.size <= size else None
        return self._replace(data=self.data[: size - self.offset]) if self.offset < size else None

    def touches(self, other: Change) -> bool:
        """Whether both lie in one page."""
        if self.size is not None or other.size is not None:
            return False
        first, last = self.offset // PAGE, (self.offset + len(self.data)) // PAGE
        return first <= (other.offset + len(other.data)) // PAGE and other.offset // PAGE <= last


@dataclass(eq=False)
class Inode:
    """A file: what is on disk, what is not yet, and what is seen but will not arrive."""

    durable: bytes = b""
    pending: list[Change] = field(default_factory=list[Change])
    lost: list[Change] = field(default_factory=list[Change])

    def change(self, change: Change) -> None:
        if change.size is not None and not change.grows:
            # What is cut off is out of the cache too, and no later write of its page brings it back.
            self.lost = [kept for old in self.lost if (kept := old.before(change.size))]
        revived = [old for old in self.lost if old.touches(change)]
        self.lost = [old for old in self.lost if old not in revived]
        self.pending += [*revived, change]

    def sync(self, *, failed: bool = False) -> None:
        if failed:
            self.lost += self.pending
        else:
            self.durable = self.content(self.pending)
        self.pending = []

    def has_grown(self) -> bool:
        """Whether a sync must also write how long the file is, and with it the journal."""
        return len(self.content(self.pending)) != len(self.durable)

    def content(self, applied: list[Change]) -> bytes:
        content = bytearray(self.durable)
        for change in applied:
            change.apply(content)
        return bytes(content)


@dataclass(eq=False)
class Folder:
    """A folder: the names in it that are on disk."""

    names: dict[str, Inode | Folder] = field(default_factory=dict[str, "Inode | Folder"])


class NameChange(NamedTuple):
    """A change of a folder's names that is not on disk yet: what goes and what comes, as one step."""

    folder: Folder
    gone: str | None
    come: str | None
    target: Inode | Folder | None

    def apply(self, names: dict[str, Inode | Folder]) -> None:
        if self.gone is not None:
            names.pop(self.gone, None)
        if self.come is not None and self.target is not None:
            names[self.come] = self.target


@dataclass(frozen=True)
class Rules:
    """What a file system promises about names.

    Attributes:
        ordered: names reach the disk in order, and any sync takes all earlier ones along, as in the journal of ext4.
            Otherwise a name is safe only when its folder is synced, and until then comes and goes on its own.
        folder_syncs: whether syncing a folder does anything.
    """

    name: str
    ordered: bool
    folder_syncs: bool = True


STRICT = Rules("strict", ordered=False)
JOURNAL = Rules("journal", ordered=True)
NO_FOLDER_SYNC = Rules("journal, folder syncs do nothing", ordered=True, folder_syncs=False)


class Disk:
    """Plays a record, call by call.

    Args:
        base: the folder whose content at the start is on disk.
    """

    def __init__(self, base: Path, rules: Rules) -> None:
        self.rules = rules
        self._base = base
        self._inodes: dict[int, Inode] = {}
        self.root = self._load(base)
        self.waiting: list[NameChange] = []

    def _load(self, path: Path) -> Folder:
        folder = Folder()
        for inner in path.iterdir():
            if inner.is_dir():
                folder.names[inner.name] = self._load(inner)
            else:
                folder.names[inner.name] = self._inodes[inner.stat().st_ino] = Inode(inner.read_bytes())
        return folder

    def play(self, call: Call) -> None:
        """Take in the next call."""
        if call.kind == WRITE:
            self._inodes[call.inode].change(Change(call.offset, call.data))
        elif call.kind in (CUT, GROW):
            self._inodes[call.inode].change(Change(0, b"", call.offset, grows=call.kind == GROW))
        elif call.kind in (SYNC, SYNC_FAILED):
            self._sync(call, failed=call.kind == SYNC_FAILED)
        elif call.kind == CREATE:
            self._inodes[call.inode] = Inode()
            self._rename(call.path, None, self._inodes[call.inode])
        elif call.kind == MKDIR:
            self._rename(call.path, None, Folder())
        elif call.kind in (UNLINK, RMDIR):
            self._rename(None, call.path, None)
        elif call.kind == RENAME:
            self._rename(call.data.decode(), call.path, self._seen(Path(call.path)))

    def names_in(self, folder: Folder, applied: list[NameChange]) -> dict[str, Inode | Folder]:
        """The names in a folder if these changes have reached the disk."""
        names = dict(folder.names)
        for change in applied:
            if change.folder is folder:
                change.apply(names)
        return names

    def dirty(self) -> list[Inode]:
        """The files that can still be found and have bytes that are not on disk."""
        found: dict[int, Inode] = {}
        left: list[Inode | Folder | None] = [self.root, *(change.target for change in self.waiting)]
        while left:
            target = left.pop()
            if isinstance(target, Folder):
                left += target.names.values()
            elif target is not None and target.pending:
                found[id(target)] = target
        return list(found.values())

    def _seen(self, path: Path) -> Inode | Folder:
        """What a running process finds under a path."""
        found: Inode | Folder = self.root
        for name in path.relative_to(self._base).parts:
            assert isinstance(found, Folder)
            found = self.names_in(found, self.waiting)[name]
        return found

    def _rename(self, come: str | None, gone: str | None, target: Inode | Folder | None) -> None:
        folder = self._seen(Path(come or gone or "").parent)
        assert isinstance(folder, Folder)
        assert come is None or gone is None or Path(come).parent == Path(gone).parent
        self.waiting.append(NameChange(folder, gone and Path(gone).name, come and Path(come).name, target))

    def _sync(self, call: Call, *, failed: bool) -> None:
        target = self._inodes.get(call.inode) or self._seen(Path(call.path))
        takes_names = self.rules.folder_syncs
        if isinstance(target, Inode):
            takes_names = self.rules.ordered and target.has_grown()
            target.sync(failed=failed)
        if failed or not takes_names:
            return
        done = [change for change in self.waiting if self.rules.ordered or change.folder is target]
        for change in done:
            change.apply(change.folder.names)
        self.waiting = [change for change in self.waiting if not any(change is other for other in done)]
