"""What a run has changed: between two commits as git tells it, or a checkout's files as they are against a commit.

Whoever looks runs nothing: a filter, a text conversion or a hook that a worker has configured is not asked.
"""

from __future__ import annotations

import difflib
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
            text = line[1:_LINE_AT_MOST]
            if line.startswith("@@"):
                numbers = re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)", line)
                old, new = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
                self.lines.append(Line("hunk", line[:_LINE_AT_MOST]))
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
                self.lines.append(Line("note", line.lstrip("\\ ")[:_LINE_AT_MOST]))


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
    arguments = ("diff", *_OPTIONS, isolated.base, head, "--")
    said = checked(try_git(workspace, *arguments), workspace, arguments)
    lines = said.out.decode("utf-8", "replace").split("\n")
    return Diff(what, tuple(_files(lines[:_LINES_AT_MOST])), len(lines) > _LINES_AT_MOST)


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
    asked = "".join(f"{commit}:./{path}\n" for path in paths).encode("utf-8", "surrogateescape")
    arguments = ("cat-file", "--batch")
    out = checked(try_git(workspace, *arguments, stdin=asked), workspace, arguments).out
    found: dict[str, bytes] = {}
    at = 0
    for path in paths:
        head, _, _ = out[at:].partition(b"\n")
        at += len(head) + 1
        words = head.rsplit(b" ", 2)
        if len(words) == 3 and words[1] == b"blob":
            found[path] = out[at : at + int(words[2])]
            at += int(words[2]) + 1
        elif not head.endswith((b"missing", b"ambiguous")):
            at += int(words[2]) + 1 if len(words) == 3 else 0
    return found


def _file(workspace: Path, path: str) -> bytes | None:
    """A file of the checkout; None where there is none, or a link leads to it."""
    file = workspace / path
    if file.is_symlink() or not file.is_file() or not file.resolve().is_relative_to(workspace.resolve()):
        return None
    with file.open("rb") as stream:
        return stream.read(_FILE_AT_MOST + 1)


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
