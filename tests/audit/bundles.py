"""Bundles of real runs, taken apart, changed, and packed again as if nothing had happened."""

from __future__ import annotations

import importlib.util
import io
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from kit.cards import write_card
from kit.cli import waypost_here
from kit.repos import make_repo
from waypost.nodes.evidence.zipped import write_zipped

VERIFIER = Path(__file__).resolve().parents[2] / "examples" / "verify_bundle.py"

CARD = """### Task {task}: {what}

**Goal**

The file says {what}.

**Concrete Actions**

```bash
echo {what} > out.txt
```

**Acceptance Criteria**

- AC1: It does. Verified by `grep -x {what} out.txt`
- AC2: It is alone. Verified by `test $(wc -l < out.txt) = 1`

**Expected Outputs**

- `out.txt`

**Allowed Scope**

- `out.txt`
"""


@cache
def verifier() -> ModuleType:
    """The verifier of one file, as a module."""
    spec = importlib.util.spec_from_file_location("verify_bundle", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_bundle"] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Scene:
    """Two signed runs and a key that signed neither."""

    folder: Path
    one: Path
    other: Path

    @property
    def key(self) -> Path:
        return self.folder / "waypost.pub"

    def stranger(self) -> Path:
        return self.folder / "stranger" / "waypost.pub"


def make_scene(folder: Path) -> Scene:
    """Run two tasks, sign and pack them."""
    repo = make_repo(folder / "repo")
    stranger = folder / "stranger"
    stranger.mkdir()
    assert waypost_here("keygen", "--out", folder, cwd=folder).code == 0
    assert waypost_here("keygen", "--out", stranger, cwd=folder).code == 0
    packed = []
    for number, what in enumerate(("hello", "world"), 1):
        card = write_card(folder, CARD.format(task=f"T-{number}", what=what))
        runs = ("--runs", folder / "runs")
        ran = waypost_here(
            "run",
            card,
            "--workspace",
            repo,
            *runs,
            "--run-id",
            f"R{number}",
            "--sign",
            folder / "waypost.key",
            cwd=folder,
        )
        assert ran.code == 0, ran.out + ran.err
        packed.append(folder / f"R{number}.tar.gz")
        assert waypost_here("bundle", f"R{number}", *runs, "--out", packed[-1], cwd=folder).code == 0
    return Scene(folder, *packed)


def files_of(bundle: Path) -> tuple[str, dict[str, bytes]]:
    """Run id and files of a bundle."""
    return verifier().unpack(bundle.read_bytes())


def packed(run: str, files: dict[str, bytes]) -> bytes:
    """Files as a bundle: its form gives nothing away."""
    raw = io.BytesIO()
    write_zipped(raw, verifier().archive(run, files))
    return raw.getvalue()


@dataclass(frozen=True)
class Mutation:
    """One change of one file of a bundle, with the name that tells it again."""

    name: str
    files: dict[str, bytes]


def mutations(scene: Scene, seed: int) -> Iterator[Mutation]:
    """Endless random changes, each of them a real change."""
    dice = random.Random(seed)
    _run, files = files_of(scene.one)
    _other, others = files_of(scene.other)
    kinds: list[Callable[..., Any]] = [_removed, _emptied, _flipped, _cut, _swapped, _without_line, _doubled_line]
    while True:
        path, kind = dice.choice(sorted(files)), dice.choice(kinds)
        changed = kind(files, others, path, dice)
        if changed is not None and changed != files:
            yield Mutation(f"{kind.__name__[1:]} {path}", changed)


def _removed(files, others, path, dice):
    return {name: content for name, content in files.items() if name != path}


def _emptied(files, others, path, dice):
    return {**files, path: b""}


def _flipped(files, others, path, dice):
    content = bytearray(files[path])
    if not content:
        return None
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    return {**files, path: bytes(content)}


def _cut(files, others, path, dice):
    return {**files, path: files[path][: dice.randrange(len(files[path]))]} if files[path] else None


def _swapped(files, others, path, dice):
    twin = path.replace("/T-1/", "/T-2/")
    return {**files, path: others[twin]} if twin in others else None


def _without_line(files, others, path, dice):
    lines = files[path].splitlines(keepends=True)
    if not lines:
        return None
    del lines[dice.randrange(len(lines))]
    return {**files, path: b"".join(lines)}


def _doubled_line(files, others, path, dice):
    lines = files[path].splitlines(keepends=True)
    if not lines:
        return None
    at = dice.randrange(len(lines))
    return {**files, path: b"".join([*lines[: at + 1], *lines[at:]])}
