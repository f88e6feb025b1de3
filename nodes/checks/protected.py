"""Which files judge the work, and so are put back to their first version where they were changed."""

from __future__ import annotations

import configparser
import hashlib
import io
import json
import posixpath
import re
import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pathspec import PathSpec

from ...state.errors import WorkspaceError
from ...state.pipeline import Baseline, PipelineState
from ...state.task import Probe, Task
from ..git import git
from ..workers.files import make_private_folder, sha256_file
from .happened import blob_id
from .kinds.kind import Kinds
from .programs import words_said
from .workspace import ABSENT, Change

KEPT = "originals"
# What says which commands a runner runs: whoever can write that decides what the check asks.
RUNNERS = {
    **dict.fromkeys(("make", "gmake"), ("/Makefile", "/makefile", "/GNUmakefile")),
    **dict.fromkeys(("npm", "npx", "pnpm", "yarn", "bun"), ("/package.json",)),
    "just": ("/justfile", "/.justfile", "/Justfile"),
    "task": ("/Taskfile.yml", "/Taskfile.yaml"),
    "rake": ("/Rakefile",),
    **dict.fromkeys(("inv", "invoke"), ("/tasks.py",)),
}
_WORD = re.compile(r"(?<![\w./-])[a-z]+(?![\w./-])")
_LINK, _MODULE = "120000", "160000"
_GLOB = re.compile(r"[\\*?\[\]!# ]")

# Settings of test programs: one that is added can change what every old test says.
SETTINGS = (
    *("conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "noxfile.py", "setup.cfg", "pyproject.toml"),
    *("sitecustomize.py", "usercustomize.py", ".rspec", ".mocharc.*", "phpunit.xml", "phpunit.xml.dist"),
    *(f"{tool}.config.*" for tool in ("jest", "vitest", "playwright", "cypress", "karma", "ava")),
)
TESTS = (
    *("test/", "tests/", "__tests__/", "spec/", "specs/", "testdata/", "__snapshots__/"),
    *("test_*.py", "*_test.py", "*_test.go", "*_test.rs", "*_spec.rb", "*_test.rb", "*_test.exs", "*.bats"),
    *(f"*.{word}.{end}" for word in ("test", "spec") for end in ("js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts")),
    *(
        f"*{word}.{end}"
        for word in ("Test", "Tests", "IT", "Spec")
        for end in ("java", "kt", "cs", "scala", "swift", "php")
    ),
)


@dataclass(frozen=True)
class Patterns:
    """Globs as in `.gitignore`: those of the project and the card come last, so that `!` can take one back.

    Attributes:
        runners: the files by which runners know what to run, of those that the card uses.
    """

    added: tuple[str, ...] = ()
    runners: tuple[str, ...] = ()

    def protects(self, path: str) -> bool:
        """True for a path of the workspace that judges the work."""
        return self._all.match_file(path)

    def configures(self, path: str) -> bool:
        """True for the settings of a test program."""
        return self.protects(path) and self._settings.match_file(path)

    @cached_property
    def _all(self) -> PathSpec[Any]:
        return PathSpec.from_lines("gitignore", (*TESTS, *SETTINGS, *self.runners, *self.added))

    @cached_property
    def _settings(self) -> PathSpec[Any]:
        return PathSpec.from_lines("gitignore", (*SETTINGS, *self.runners))


def patterns_of(state: PipelineState, task: Task, kinds: Kinds) -> Patterns:
    """What the project and the card protect, and what the card judges by, on top of what is usual."""
    contracts = [contract for _, contract in task.contracts()]
    judging = (path for one in contracts for probe in one.probes for path in judging_files(kinds, probe))
    own = (glob for one in contracts for glob in one.protected_paths)
    texts = (text for one in contracts for each in (*one.verification, *one.probes) for text in words_said(each))
    used = (glob for text in texts for word in _WORD.findall(text) for glob in RUNNERS.get(word, ()))
    added = tuple(dict.fromkeys((*map(_exactly, judging), *state.guarding.protected, *own)))
    return Patterns(added, tuple(dict.fromkeys(used)))


def judging_files(kinds: Kinds, probe: Probe) -> tuple[str, ...]:
    """The files of the workspace that say what is right for that check."""
    kind = kinds.get(probe.kind)
    return tuple(posixpath.normpath(path) for path in kind.judging_files(probe)) if kind else ()


def _exactly(path: str) -> str:
    return "/" + _GLOB.sub(r"\\\g<0>", path)


def keep_dirty(state: PipelineState, patterns: Patterns, run_dir: Path) -> dict[str, str]:
    """Copies of protected files that are in no commit, because they differed from it before anything ran.

    Raises:
        WorkspaceError: one of them is no longer what it was when the run was made.
    """
    dirty = state.baseline.dirty if state.baseline and state.isolated is None else {}
    wanted = [path for path, content in sorted(dirty.items()) if content != ABSENT and patterns.protects(path)]
    folder = run_dir / KEPT
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    kept: dict[str, str] = {}
    for number, path in enumerate(wanted, 1):
        if not (source := Path(state.workspace) / path).is_file() or source.is_symlink():
            continue
        make_private_folder(folder)
        copy = folder / f"{number:04d}"
        shutil.copyfile(source, copy)
        copy.chmod(0o600)
        if sha256_file(copy) != dirty[path]:
            raise WorkspaceError(f"{source} changed while the run began", next_step="start a new run")
        kept[path] = str(copy.relative_to(run_dir))
    return kept


@dataclass(frozen=True)
class Original:
    """A file as it was before the work; `mode` is git's."""

    data: bytes
    mode: str = "100644"


@dataclass(frozen=True)
class Originals:
    """The first versions of files: those of the base commit, and what was kept of files that differed from it.

    Attributes:
        folder: of the workspace, relative to the top of the repository; paths are relative to it.
    """

    top: Path
    folder: str
    baseline: Baseline
    kept: dict[str, str]
    run_dir: Path

    def of(self, path: str) -> Original | None:
        """None where there was no such file.

        Raises:
            WorkspaceError: what git or the folder of the run holds is not what was recorded.
        """
        if path in self.kept:
            data = (self.run_dir / self.kept[path]).read_bytes()
            if hashlib.sha256(data).hexdigest() != self.baseline.dirty.get(path):
                raise WorkspaceError(f"the first version of {path} in the folder of the run was changed")
            return Original(data)
        if self.baseline.dirty.get(path) == ABSENT:
            return None
        place = posixpath.normpath(posixpath.join(self.folder, path))
        found = git(self.top, "ls-tree", "-z", "--full-tree", self.baseline.commit, "--", place)
        row = found.partition(b"\t")[0]
        if not row or row.startswith(_MODULE.encode()):
            return None
        mode, _, id = row.decode().split()
        data = git(self.top, "cat-file", "blob", id)
        if blob_id(data, len(id)) != id:
            raise WorkspaceError(f"git holds other bytes for {path} than commit {self.baseline.commit[:12]} names")
        return Original(data, mode)


@dataclass(frozen=True)
class Touched:
    """The protected files that were changed, by their paths in the workspace."""

    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """True where there is one."""
        return bool(self.changed or self.deleted or self.added)

    def names(self) -> str:
        """All of them in words, at most twenty."""
        rows = [*(f"{p} changed" for p in self.changed), *(f"{p} deleted" for p in self.deleted)]
        rows += [f"{p} added" for p in self.added]
        return ", ".join(rows[:20]) + (f" and {len(rows) - 20} more" if len(rows) > 20 else "")


def touched(workspace: Path, changes: Iterable[Change], patterns: Patterns, originals: Originals) -> Touched:
    """What of the changes touches protected files. Of files with many uses only the part for tests counts."""
    found: dict[str, list[str]] = {"changed": [], "deleted": [], "added": []}
    for change in changes:
        path = workspace / change.path
        if change.path.startswith("../") or not patterns.protects(change.path) or path.is_dir():
            continue
        first = originals.of(change.path)
        data = _bytes(path)
        if first is None and data is None:
            continue
        is_link = path.is_symlink() or (first is not None and first.mode == _LINK)
        if data is not None and not is_link and _same_settings(change.path, first.data if first else b"", data):
            continue
        found["added" if first is None else "deleted" if data is None else "changed"].append(change.path)
    return Touched(*(tuple(sorted(found[kind])) for kind in ("changed", "deleted", "added")))


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _same_settings(path: str, old: bytes, new: bytes) -> bool:
    """True where a file of many uses says the same to a test program."""
    read = {"pyproject.toml": _of_pyproject, "setup.cfg": _of_setup, "package.json": _of_package}.get(
        posixpath.basename(path)
    )
    if read is None:
        return False
    try:
        return read(old.decode()) == read(new.decode())
    except (ValueError, AttributeError, configparser.Error, RecursionError):
        return False


def _of_pyproject(text: str) -> Any:
    tools = tomllib.loads(text).get("tool", {})
    return {name: tools.get(name) for name in ("pytest", "coverage", "tox", "nox")}


def _of_package(text: str) -> Any:
    package = json.loads(text or "{}")
    return {name: package.get(name) for name in ("scripts", "jest", "mocha", "ava", "vitest", "nyc", "c8")}


def _of_setup(text: str) -> Any:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_file(io.StringIO(text))
    return {name: dict(parser[name]) for name in parser.sections() if "pytest" in name or name.startswith("coverage")}
