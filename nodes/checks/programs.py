"""What judges the work from where git does not look: programs, and settings in the folders above the workspace.

An environment or a build folder that git ignores may stand on PATH, or a folder of the user. Which file each word of a
check stands for, and what that file holds, is written down before the work and looked up again when the check has
passed; so are the files that a test program looks for in every folder above the one where it is started.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...state.ids import CheckRef
from ...state.task import Command, Probe, Task
from ..workers.files import sha256_file
from .command import find_program

TOOLS_REF = CheckRef("TOOLS")
# What decides in an environment of Python whether tests pass: the test program, and what runs before any other code.
_RUNNERS = ("pytest", "_pytest", "pluggy")
_FIRST = ("sitecustomize.py", "usercustomize.py")
_ABOVE = (
    *("conftest.py", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "package.json"),
    *("jest.config.js", ".mocharc.json", ".babelrc", "babel.config.js", "tsconfig.json", "go.work", ".rspec"),
)


@dataclass(frozen=True)
class Programs:
    """Where the words of checks are looked up.

    Attributes:
        tops: the checkouts in which the work is done and judged; a path in one is the same in the others.
        roots: folders in which checks are started, or below which they are.
        env: the variables of checks.
    """

    workspace: Path
    tops: tuple[Path, ...]
    roots: tuple[Path, ...]
    env: Mapping[str, str]

    def of_task(self, task: Task) -> dict[str, str]:
        """What the words of all checks stand for, and what stands above: word or path -> path and SHA-256."""
        declared = (one for _, contract in task.contracts() for one in (*contract.verification, *contract.probes))
        words = {word for one in declared for text in words_said(one) for word in _words(text)}
        return dict(sorted((*self._stand_for(words), *self._above())))

    def replaced(self, before: Mapping[str, str], texts: Iterable[str]) -> list[str]:
        """The places of the programs behind these words that are others than before.

        A word that stood for no program then names the work itself.
        """
        words = {word for text in texts for word in _words(text)}
        changed: set[str] = set()
        for word, now in (*self._stand_for(words), *self._above()):
            was, name = before.get(word), os.path.basename(word)
            if now != was and (was is not None or name in _FIRST or (name in _ABOVE and os.path.isabs(word))):
                changed.add(now.rpartition(" ")[0])
        return sorted(changed)

    def _stand_for(self, words: Collection[str]) -> Iterator[tuple[str, str]]:
        search = self.env.get("PATH", os.defpath)
        for word in words:
            found = find_program(word, self.workspace, search)
            if found is None:
                continue
            path = Path(os.path.abspath(found))
            for name, part in ((word, path), *((self._place(one), one) for one in self._beside(path))):
                yield name, f"{self._place(part)} {self._digest(part)}"

    def _beside(self, program: Path) -> Iterator[Path]:
        """What else decides in the environment of Python that a program belongs to, or in that of the user."""
        if (program.parent.parent / "pyvenv.cfg").is_file():
            for packages in sorted(program.parent.parent.glob("lib/python*/site-packages")):
                yield from (packages / name for name in (*_RUNNERS, *_FIRST) if (packages / name).exists())
        if program.name.startswith("python") and (home := self.env.get("HOME")):
            for packages in sorted(Path(home).glob(".local/lib/python*/site-packages")):
                yield from (packages / name for name in _FIRST if (packages / name).exists())

    def _above(self) -> Iterator[tuple[str, str]]:
        """The settings in the folders above, by their paths."""
        for folder in sorted({above for root in {*self.roots} for above in root.resolve().parents}):
            # Strings, not paths: hardly one of these many names is ever there.
            there = [whole for name in _ABOVE if os.path.isfile(whole := os.path.join(folder, name))]
            for path in map(Path, there):
                if not any(path.is_relative_to(top) for top in self.tops):
                    yield str(path), f"{path} {self._digest(path)}"

    def _place(self, path: Path) -> str:
        """A path that is the same in each checkout of the repository."""
        top = next((top for top in self.tops if path.is_relative_to(top)), None)
        return str(path if top is None else path.relative_to(top))

    def _digest(self, path: Path) -> str:
        """One hash over a file and where it really lies, or over all Python files of a folder."""
        real, digest = Path(os.path.realpath(path)), hashlib.sha256()
        digest.update(self._place(real).encode("utf-8", "surrogateescape"))
        try:
            for file in sorted(real.rglob("*.py")) if real.is_dir() else [real]:
                name = str(file.relative_to(real)).encode("utf-8", "surrogateescape")
                digest.update(b"\0%s\0%s" % (name, _hash(file).encode()))
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


def _hash(path: Path) -> str:
    facts = path.stat()
    return _known_hash(str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


# Nobody can set the time of the last change: a program that was replaced is hashed again.
@lru_cache(maxsize=1024)
def _known_hash(path: str, _inode: int, _size: int, _mtime_ns: int, _ctime_ns: int) -> str:
    return sha256_file(Path(path))
