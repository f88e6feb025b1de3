"""What a run has changed: between two commits as git tells it, or a checkout's files as they are against a commit.

Whoever looks runs nothing: a filter, a text conversion or a hook that a worker has configured is not asked.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from ..nodes.git import checked, try_git
from ..state.errors import WaypostError
from ..state.isolation import Isolated
from ..state.pipeline import PipelineState

_OPTIONS = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--submodule=short", "--unified=3")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_OBJECT = re.compile(rb"[0-9a-f]{40,64} (\w+) (\d+)")
_LINES_AT_MOST, _LINE_AT_MOST, _FILES_AT_MOST, _FILE_AT_MOST = 4_000, 1_000, 200, 256 << 10

Kind = Literal["hunk", "added", "removed", "same", "note"]


@dataclass(frozen=True)
class Line:
    """One line of a diff, with its numbers before and after."""

    kind: Kind
    text: str
    old: int | None = None
    new: int | None = None


@dataclass
class FileDiff:
    """The changes of one file."""

    path: str
    lines: list[Line] = field(default_factory=list[Line])
    added: int = 0
    removed: int = 0

    def take(self, lines: Iterator[str]) -> None:
        """Take in the lines of a unified diff from its first hunk on."""
        old = new = 0
        for line in lines:
            text = _cut(line[1:])
            if line.startswith("@@"):
                numbers = re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)", line)
                old, new = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
                self.lines.append(Line("hunk", _cut(line)))
            elif line.startswith("+"):
                self.lines.append(Line("added", text, None, new))
                self.added, new = self.added + 1, new + 1
            elif line.startswith("-"):
                self.lines.append(Line("removed", text, old))
                self.removed, old = self.removed + 1, old + 1
            elif line.startswith(" "):
                self.lines.append(Line("same", text, old, new))
                old, new = old + 1, new + 1
            elif line:
                self.lines.append(Line("note", _cut(line.lstrip("\\ "))))


@dataclass(frozen=True)
class Diff:
    """The change of a run.

    Attributes:
        what: which two states are compared, in words.
        cut: whether there is more than is shown.
        problem: why nothing can be shown; empty where it could be looked at.
    """

    what: str
    files: tuple[FileDiff, ...] = ()
    cut: bool = False
    problem: str = ""


def diff_of(state: PipelineState, paths: tuple[str, ...]) -> Diff:
    """The diff of a run: between commits where it worked on a branch, else of its changed files as they are now.

    Args:
        paths: what the newest scope check saw, relative to the workspace. Only these are looked at in a checkout, which
            may have changed for other reasons since.
    """
    try:
        if state.isolated is not None:
            return _between(Path(state.workspace), state.isolated)
        if state.baseline is None:
            return Diff("", problem="The run knows no commit that it began with.")
        return _against(Path(state.workspace), state.baseline.commit, paths)
    except (WaypostError, OSError) as error:
        return Diff("", problem=error.render() if isinstance(error, WaypostError) else str(error))


def _between(workspace: Path, isolated: Isolated) -> Diff:
    head = isolated.verified or isolated.head
    what = f"from commit {isolated.base[:12]} to {head[:12]} on the run's branch {isolated.branch}"
    if not (_COMMIT.fullmatch(isolated.base) and _COMMIT.fullmatch(head)):
        return Diff(what, problem="What is recorded is no commit.")
    names = _said(workspace, "diff", "--name-only", "-z", "--no-renames", isolated.base, head, "--").split(b"\0")[:-1]
    shown = [os.fsdecode(name) for name in names[:_FILES_AT_MOST]]
    if not shown:
        return Diff(what)
    # Files and their sizes are bounded before anything of them is read: git takes a big file for a binary one.
    asked = ("-c", f"core.bigFileThreshold={_FILE_AT_MOST}", "diff", *_OPTIONS, isolated.base, head, "--")
    out = _said(workspace, *asked, *(f":(top,literal){name}" for name in shown))
    lines = out.decode("utf-8", "surrogateescape").split("\n")
    cut = len(lines) > _LINES_AT_MOST or len(names) > _FILES_AT_MOST
    return Diff(what, tuple(_files(lines[:_LINES_AT_MOST])), cut)


def _said(workspace: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return checked(try_git(workspace, *arguments, stdin=stdin), workspace, arguments).out


def _files(lines: list[str]) -> Iterator[FileDiff]:
    starts = [number for number, line in enumerate(lines) if line.startswith("diff --git ")]
    for start, end in pairwise([*starts, len(lines)]):
        body = lines[start + 1 : end]
        first = next((number for number, line in enumerate(body) if line.startswith("@@")), len(body))
        found = FileDiff(_name(lines[start]))
        told = ("Binary files", "new file", "deleted file", "old mode", "new mode")
        found.lines += [Line("note", line) for line in body[:first] if line.startswith(told)]
        found.take(iter(body[first:]))
        yield found


def _name(header: str) -> str:
    """The path in `diff --git a/PATH b/PATH`; without renames both are one."""
    both = header.removeprefix("diff --git ")
    return both[len(both) // 2 + 1 :].removeprefix('"').removeprefix("b/").removesuffix('"')


def _against(workspace: Path, commit: str, paths: tuple[str, ...]) -> Diff:
    what = f"the files as they are now in {workspace}, against commit {commit[:12]} that the run began with"
    inside = [path for path in paths if not path.startswith("../") and "\n" not in path]
    if not inside or not _COMMIT.fullmatch(commit):
        return Diff(what, problem="No changed file is recorded.")
    before = _blobs(workspace, commit, inside[:_FILES_AT_MOST])
    files: list[FileDiff] = []
    shown = 0
    for path in inside[:_FILES_AT_MOST]:
        if shown > _LINES_AT_MOST:
            break
        files.append(_compare(path, before.get(path), _file(workspace, path)))
        shown += len(files[-1].lines)
    return Diff(what, tuple(files), len(files) < len(paths))


def _blobs(workspace: Path, commit: str, paths: list[str]) -> Mapping[str, bytes]:
    """What the files are in the commit, byte for byte; those that are not in it are left out."""
    found: dict[str, bytes] = {}
    small: list[str] = []
    for path, head, _ in _objects(workspace, "--batch-check", commit, paths):
        if head is not None and head[1] == b"blob":
            # One that is too big is not asked for: what stands for it is taken for a binary file.
            found[path] = b"\0"
            small += [path] if int(head[2]) <= _FILE_AT_MOST else []
    return found | {path: data for path, head, data in _objects(workspace, "--batch", commit, small) if head}


def _objects(
    workspace: Path, how: str, commit: str, paths: list[str]
) -> Iterator[tuple[str, re.Match[bytes] | None, bytes]]:
    """What git says of each path in a commit: kind and size, None where it is not in it; and with --batch its bytes."""
    asked = "".join(f"{commit}:./{path}\n" for path in paths).encode("utf-8", "surrogateescape")
    out = _said(workspace, "cat-file", how, stdin=asked) if paths else b""
    at = 0
    for path in paths:
        line = out[at : out.find(b"\n", at)]
        at += len(line) + 1
        # The answer for a missing one begins with what was asked, which is no hash, whatever the name looks like.
        head = _OBJECT.fullmatch(line)
        size = int(head[2]) if head and how == "--batch" else None
        yield path, head, out[at : at + (size or 0)]
        at += 0 if size is None else size + 1


def _file(workspace: Path, path: str) -> bytes | None:
    """A file of the checkout; None where there is none, or a link leads to it."""
    file = workspace / path
    if file.is_symlink() or not file.is_file() or not file.resolve().is_relative_to(workspace.resolve()):
        return None
    with file.open("rb") as stream:
        return stream.read(_FILE_AT_MOST + 1)


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_AT_MOST else f"{line[:_LINE_AT_MOST]}… ({len(line)} characters)"


def _compare(path: str, old: bytes | None, new: bytes | None) -> FileDiff:
    found = FileDiff(path)
    if old is None and new is None:
        found.lines.append(Line("note", "neither in the commit nor a plain file now"))
        return found
    if (old is None) != (new is None):
        found.lines.append(Line("note", "new file" if old is None else "deleted file"))
    sides = [side or b"" for side in (old, new)]
    if any(b"\0" in side for side in sides) or any(len(side) > _FILE_AT_MOST for side in sides):
        found.lines.append(Line("note", "a binary file, or too big to be compared here"))
        return found
    before, after = (side.decode("utf-8", "replace").splitlines() for side in sides)
    hunks = difflib.unified_diff(before, after, lineterm="", n=3)
    found.take(line for number, line in enumerate(hunks) if number > 1)
    if not found.lines:
        found.lines.append(Line("note", "as it was in the commit"))
    return found
