"""The programs of the workspace that judge it: what git does not look at can be replaced without any trace there.

An environment or a build folder that git ignores may stand on PATH. Which file each word of a check stands for, and
what that file holds, is written down before the work and looked up again when the check has passed.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...state.ids import CheckRef
from ...state.task import Command, Probe, Task
from ..workers.files import sha256_file
from .command import find_program

TOOLS_REF = CheckRef("TOOLS")
_ELSEWHERE = "elsewhere"
# What decides in an environment of Python whether tests pass: the test program, and what runs before any other code.
_RUNNERS = ("pytest", "_pytest", "pluggy")
_FIRST = ("sitecustomize.py", "usercustomize.py")


@dataclass(frozen=True)
class Programs:
    """Where the words of checks are looked up.

    Attributes:
        tops: folders that a worker can write to; programs elsewhere are none of its.
        search: the PATH of checks.
    """

    workspace: Path
    tops: tuple[Path, ...]
    search: str

    def of_task(self, task: Task) -> dict[str, str]:
        """What the words of all checks stand for: word -> path and SHA-256, where that lies in the workspace."""
        declared = (one for _, contract in task.contracts() for one in (*contract.verification, *contract.probes))
        words = {word for one in declared for text in words_said(one) for word in _words(text)}
        return dict(sorted(self._stand_for(words)))

    def replaced(self, before: Mapping[str, str], texts: Iterable[str]) -> list[str]:
        """The places of the programs behind these words that are others than before.

        A word that stood for no program then names the work itself.
        """
        words = {word for text in texts for word in _words(text)}
        changed: list[str] = []
        for word, now in self._stand_for(words):
            was = before.get(word)
            if now != _ELSEWHERE and now != was and (was is not None or os.path.basename(word) in _FIRST):
                changed.append(now.rpartition(" ")[0])
        return sorted(set(changed))

    def _stand_for(self, words: Collection[str]) -> Iterator[tuple[str, str]]:
        on_path = any(self._inside(Path(folder)) for folder in self.search.split(os.pathsep) if folder)
        for word in words:
            if "/" not in word and not on_path:
                continue
            found = find_program(word, self.workspace, self.search)
            if found is None:
                continue
            path = Path(os.path.abspath(found))
            if not self._inside(path):
                yield word, _ELSEWHERE
                continue
            for name, part in ((word, path), *((self._place(one), one) for one in _parts_of_environment(path))):
                yield name, f"{self._place(part)} {self._digest(part)}"

    def _inside(self, path: Path) -> bool:
        return any(path.is_relative_to(top) for top in self.tops)

    def _place(self, path: Path) -> str:
        """A path that is the same in each checkout of the repository."""
        top = next((top for top in self.tops if path.is_relative_to(top)), None)
        return str(path if top is None else path.relative_to(top))

    def _digest(self, path: Path) -> str:
        """One hash over a file and where it really lies, or over all Python files of a folder."""
        real, digest = Path(os.path.realpath(path)), hashlib.sha256()
        digest.update(self._place(real).encode("utf-8", "surrogateescape"))
        files = sorted(real.rglob("*.py")) if real.is_dir() else [real] if self._inside(real) else []
        try:
            for file in files:
                name = str(file.relative_to(real)).encode("utf-8", "surrogateescape")
                digest.update(b"\0%s\0%s" % (name, sha256_file(file).encode()))
        except OSError as error:
            return f"unreadable ({error.strerror})"
        return digest.hexdigest()


def words_said(declared: Command | Probe) -> tuple[str, ...]:
    """The texts of a check that can name programs."""
    if isinstance(declared, Command):
        return (declared.run, *declared.equivalents)
    return tuple(declared.args.values())


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text.replace("(", " ").replace(")", " ").replace(";", " "))
    except ValueError:
        return text.split()


def _parts_of_environment(program: Path) -> Iterator[Path]:
    """What else decides in the environment of Python that a program belongs to."""
    top = program.parent.parent
    if not (top / "pyvenv.cfg").is_file():
        return
    for packages in sorted(top.glob("lib/python*/site-packages")):
        yield from (packages / name for name in (*_RUNNERS, *_FIRST) if (packages / name).exists())
