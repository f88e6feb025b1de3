"""Which of the bytes and names that are not on disk yet a power cut lets through: the interesting choices."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from faults.disks import Change, Disk, Folder, Inode, NameChange

SECTOR = 512
LATEST = 4
Tree = dict[str, bytes | None]
Choice = dict[int, list[Change]]


def trees(disk: Disk, random: Random, most: int) -> list[Tree]:
    """What may be found on the disk after a power cut now: nothing, everything, and up to `most` between them."""
    names, files = _name_choices(disk), _file_choices(disk, random)
    every_name, every_byte = names[-1], files[-1]
    pairs = [
        (names[0], files[0]),
        (every_name, every_byte),
        *((every_name, choice) for choice in files),
        *((choice, every_byte) for choice in names),
        *((random.choice(names), random.choice(files)) for _ in range(most // 4)),
    ]
    chosen = pairs[:2] + random.sample(pairs[2:], min(len(pairs) - 2, most))
    found = {key(tree): tree for tree in (_tree(disk, *pair) for pair in chosen)}
    return list(found.values())


def key(tree: Tree) -> bytes:
    """What tells one tree from another."""
    told = hashlib.sha256()
    for name, content in sorted(tree.items()):
        told.update(repr((name, None if content is None else hashlib.sha256(content).digest())).encode())
    return told.digest()


def lay_out(tree: Tree, folder: Path) -> None:
    """Make a tree real."""
    folder.mkdir()
    for name, content in sorted(tree.items()):
        path = folder / name
        if content is None:
            path.mkdir(mode=0o700)
        else:
            path.write_bytes(content)


def _tree(disk: Disk, names: list[NameChange], bytes_: Choice) -> Tree:
    tree: Tree = {}

    def walk(folder: Folder, prefix: str) -> None:
        for name, target in disk.names_in(folder, names).items():
            if isinstance(target, Folder):
                tree[prefix + name] = None
                walk(target, f"{prefix}{name}/")
            else:
                tree[prefix + name] = target.content(bytes_.get(id(target), []))

    walk(disk.root, "")
    return tree


def _name_choices(disk: Disk) -> list[list[NameChange]]:
    waiting = disk.waiting
    if disk.rules.ordered:
        return [waiting[:size] for size in range(len(waiting) + 1)]
    without = [waiting[:at] + waiting[at + 1 :] for at in range(len(waiting))]
    return [[], *without, *([change] for change in waiting), waiting]


def _file_choices(disk: Disk, random: Random) -> list[Choice]:
    """For each file a list of changes that arrived; the last choice is all of them."""
    dirty = disk.dirty()
    everything: Choice = {id(inode): list(inode.pending) for inode in dirty}
    made: list[Choice] = [{}]
    for inode in dirty:
        for changes in _some(inode, random):
            made += [{id(inode): changes}, everything | {id(inode): changes}]
    return [*made, everything]


def _some(inode: Inode, random: Random) -> Iterator[list[Change]]:
    """The latest changes one by one; of a file that is never synced the earlier ones have long arrived, or none has."""
    pending = inode.pending
    for at, change in [*enumerate(pending)][-LATEST:]:
        yield pending[:at] + pending[at + 1 :]
        yield [change]
        for torn in _torn(change, len(inode.durable), random):
            yield [*pending[:at], *torn, *pending[at + 1 :]]
            yield [*pending[:at], *torn]


def _torn(change: Change, durable: int, random: Random) -> Iterable[list[Change]]:
    """A write of which some sectors arrived: a beginning, an end, any; or only its length, with zeros for new bytes."""
    size = len(change.data)
    if size < 2:
        return
    at = random.randrange(1, size)
    first = SECTOR - change.offset % SECTOR
    yield [change._replace(data=change.data[:at])]
    yield [Change(change.offset + at, change.data[at:])]
    kept = min(size, max(0, durable - change.offset))
    yield [change._replace(data=change.data[:kept] + bytes(size - kept))]
    if first < size:
        bounds = [0, *range(first, size, SECTOR), size]
        sectors = [Change(change.offset + a, change.data[a:b]) for a, b in itertools.pairwise(bounds)]
        yield sectors[:1]
        yield sectors[1:]
        yield [sector for sector in sectors if random.random() < 0.5]
