"""Reading a change that Waypost wrote, without git: which paths it holds, and the contents that stand in it whole.

The form is git's (`git diff-tree -p --binary --full-index --no-renames`). Lines of contents are counted and never
searched, so no content can imitate a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from ...state.errors import EvidenceError

_HUNK = re.compile(rb"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_INDEX = re.compile(rb"index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})(?: ([0-7]{6}))?\n")
_MODE = re.compile(rb"(old|new|new file|deleted file) mode ([0-7]{6})\n")
_ESCAPE = re.compile(rb"\\([abtnvfr\"\\]|[0-7]{3})")
_NAMED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_SUBMODULE = "160000"
_LINE_MOST = 1 << 27


@dataclass(frozen=True)
class PatchedPath:
    """One path of a change, from the top of the repository.

    Attributes:
        kind: added, modified or deleted.
        old_mode, new_mode: as git writes them, such as 100644; empty on the side where nothing is.
        ids: git's ids of both contents, all zeros where there is none; empty where only the mode changes.
    """

    path: bytes
    kind: str
    old_mode: str
    new_mode: str
    ids: tuple[str, str]

    @property
    def submodule(self) -> bool:
        """True for a commit of another repository, whose files are not in the change."""
        return _SUBMODULE in (self.old_mode, self.new_mode)


def read_patch(stream: BinaryIO) -> tuple[PatchedPath, ...]:
    """Every path of a change, in its order; nothing is held but one line.

    Raises:
        EvidenceError: it is not written as Waypost writes it, is cut, or names a path twice.
    """
    lines = _Lines(stream)
    found: list[PatchedPath] = []
    while lines.peek():
        one = _one(lines)
        # A file that becomes a link, or the reverse, stands as one that goes and one that comes.
        if found and (found[-1].path, found[-1].kind, one.kind) == (one.path, "deleted", "added"):
            gone = found.pop()
            one = PatchedPath(one.path, "modified", gone.old_mode, one.new_mode, (gone.ids[0], one.ids[1]))
        found.append(one)
    paths = [one.path for one in found]
    if len(set(paths)) < len(paths):
        raise EvidenceError("the change names a path twice")
    return tuple(found)


class _Lines:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._number = 0
        self._ahead: bytes | None = None

    def peek(self) -> bytes:
        if self._ahead is None:
            self._ahead = self._stream.readline(_LINE_MOST)
            self._number += 1
        return self._ahead

    def next(self) -> bytes:
        line, self._ahead = self.peek(), None
        if not line.endswith(b"\n"):
            self.refuse("it is cut")
        return line

    def refuse(self, what: str) -> NoReturn:
        raise EvidenceError(f"the change is damaged in line {self._number}: {what}")


def _one(lines: _Lines) -> PatchedPath:
    path = _path(lines, lines.next())
    modes: dict[bytes, str] = {}
    while found := _MODE.fullmatch(lines.peek()):
        modes[found[1]] = found[2].decode()
        lines.next()
    ids, both = ("", ""), ""
    if found := _INDEX.fullmatch(lines.peek()):
        ids, both = (found[1].decode(), found[2].decode()), (found[3] or b"").decode()
        lines.next()
        _contents(lines, path)
    elif not {b"old", b"new"} <= {*modes}:
        lines.refuse("a file that does not change")
    old = modes.get(b"old") or modes.get(b"deleted file") or both
    new = modes.get(b"new") or modes.get(b"new file") or both
    kind = "added" if b"new file" in modes else "deleted" if b"deleted file" in modes else "modified"
    expected = {"added": (False, True), "deleted": (True, False), "modified": (True, True)}[kind]
    if (bool(old), bool(new)) != expected:
        lines.refuse("modes that do not fit together")
    return PatchedPath(path, kind, old, new, ids)


def _path(lines: _Lines, line: bytes) -> bytes:
    """The path of a `diff --git` line, which names it twice."""
    named = line.removeprefix(b"diff --git ").removesuffix(b"\n")
    half = (len(named) - 1) // 2
    old, new = _unquoted(named[:half]), _unquoted(named[half + 1 :])
    if not line.startswith(b"diff --git ") or old[:2] != b"a/" or new[:2] != b"b/" or old[2:] != new[2:]:
        lines.refuse("expected the beginning of a file")
    path = old[2:]
    if path.startswith(b"/") or {b"", b".", b"..", b".git"} & {*path.split(b"/")}:
        lines.refuse("a path that no repository has")
    return path


def _unquoted(name: bytes) -> bytes:
    if not (name.startswith(b'"') and name.endswith(b'"') and len(name) > 1):
        return name
    return _ESCAPE.sub(_character, name[1:-1])


def _character(escape: re.Match[bytes]) -> bytes:
    name = escape[1]
    return bytes([_NAMED[name[0]] if len(name) == 1 else int(name, 8)])


def _contents(lines: _Lines, path: bytes) -> None:
    if lines.peek() == b"GIT binary patch\n":
        lines.next()
        for _ in range(2):
            if not re.fullmatch(rb"(?:literal|delta) \d{1,18}\n", lines.next()):
                lines.refuse("expected binary content")
            while lines.next() != b"\n":
                continue
    elif lines.peek().startswith(b"--- "):
        for mark, side in ((b"--- ", b"a/"), (b"+++ ", b"b/")):
            named = lines.next()
            name = _unquoted(named[len(mark) :].removesuffix(b"\n").removesuffix(b"\t"))
            if not named.startswith(mark) or name not in (side + path, b"/dev/null"):
                lines.refuse("the name of another file")
        for old, new in _hunks(lines):
            _hunk(lines, old, new)


def _hunks(lines: _Lines) -> Iterator[tuple[int, int]]:
    while found := _HUNK.match(lines.peek()):
        lines.next()
        yield int(found[1] or 1), int(found[2] or 1)


def _hunk(lines: _Lines, old: int, new: int) -> None:
    while old > 0 or new > 0:
        kind = lines.next()[:1]
        if kind not in (b" ", b"-", b"+", b"\\"):
            lines.refuse("expected a line of a file")
        old -= kind in (b" ", b"-")
        new -= kind in (b" ", b"+")
    if (old, new) != (0, 0):
        lines.refuse("a piece that is longer than it says")
    if lines.peek().startswith(b"\\"):
        lines.next()
