"""Samples of every foreign format, mutants of them, and the one thing that has to hold for all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from waypost.nodes.formats.foreign import open_tasks
from waypost.nodes.plan import compile_plan
from waypost.state.errors import TaskFileError

ROOT = Path(__file__).resolve().parents[2]
_DIRS = {
    "spec-kit": "spec-kit", "task-master": "task-master", "taskmaster": "task-master", "backlog": "backlog",
    "kiro": "kiro", "beads": "beads", "github": "github", "headings": "headings",
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A file and its format."""

    data: bytes
    format: str


def _samples(root: Path) -> dict[str, Sample]:
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix in (".md", ".json", ".jsonl") and "requirements" not in path.name:
            folder = path.relative_to(root).parts[0]
            found[str(path.relative_to(root))] = Sample(path.read_bytes(), _DIRS[folder])
    return found


SAMPLES = _samples(ROOT / "examples/formats")
REAL = _samples(ROOT / "../shared/samples") if (ROOT / "../shared/samples").is_dir() else {}
_BYTES = [bytes([byte]) for byte in b'\n\r\t `*[]{}"-#:,\\\xff0']


def mutants(sample: Sample, chance: random.Random, count: int) -> Iterator[bytes]:
    """The sample with one to four changes in it: pieces cut out, doubled, moved, or bytes put in."""
    for _ in range(count):
        data = bytearray(sample.data)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(data) + 1)
            end = min(len(data), start + chance.choice((1, 1, 5, 40, 400)))
            piece = bytes(data[start:end])
            kind = chance.randrange(5)
            if kind == 0:
                del data[start:end]
            elif kind == 1:
                data[start:start] = piece * chance.choice((1, 2, 20))
            elif kind == 2:
                data[start:end] = chance.choice(_BYTES) * chance.choice((1, 3, 50))
            elif kind == 3:
                lines = data.split(b"\n")
                chance.shuffle(lines)
                data = bytearray(b"\n".join(lines))
            else:
                del data[start:]
        yield bytes(data)


def read_or_complain(folder: Path, data: bytes, format: str | None) -> bool:
    """Read a file; True for tasks, False for a complaint about a line that the file has. Raises on anything else."""
    path = folder / "any.tasks.md"
    path.write_bytes(data)
    complaint = None
    source = None
    try:
        source = open_tasks(path, format)
        for id in source.order.ids[:100]:
            source.waits_for(id)
            compile_plan(source.runnable(id))
    except TaskFileError as error:
        complaint = error
    if complaint is None:
        assert source
        assert source.tasks
        return True
    assert str(complaint).startswith(str(folder)), complaint
    assert complaint.line is not None, complaint
    assert 1 <= complaint.line <= data.count(b"\n") + data.count(b"\r") + 1, complaint
    return False
