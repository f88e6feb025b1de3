"""Showing what a worker does while it does it: the newest lines of its output, within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..plain_files import open_plain

_READ_MAX = 1 << 18
_LINE_MAX = 1 << 16
_EVERY_S = 0.25
_TEXT_MAX = 200


class Follower:
    """Follows a growing file line by line, from where it was.

    Memory is bounded by the longest line that is looked at, and work by how much is read at a time: where a worker
    prints faster than that, what lies between is skipped.
    """

    def __init__(self, path: Path, line_text: Callable[[bytes], str | None], show: Callable[[str], None]) -> None:
        """
        Args:
            line_text: what is shown of a line, None for nothing.
            show: called with the newest text, some times a second at most, and never twice with the same one.
        """
        self._path, self._line_text, self._show = path, line_text, show
        self._offset = 0
        self._rest = b""
        self._newest = self._shown = ""
        self._next = 0.0

    def poll(self) -> None:
        """Look at what is new. A file that cannot be read yet has nothing new."""
        for line in self._new_lines():
            text = self._line_text(line)
            if text:
                self._newest = " ".join(text.split())[:_TEXT_MAX]
        now = time.monotonic()
        if self._newest != self._shown and now >= self._next:
            self._next = now + _EVERY_S
            self._shown = self._newest
            self._show(self._newest)

    def _new_lines(self) -> list[bytes]:
        try:
            with open_plain(self._path) as file:
                size = file.seek(0, 2)
                if size - self._offset > _READ_MAX:
                    # The first line after a skip is only a part of one.
                    self._offset, self._rest = size - _READ_MAX, b"\0" * (_LINE_MAX + 1)
                file.seek(self._offset)
                data = file.read(_READ_MAX)
        except OSError:
            return []
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_MAX:
            self._rest = self._rest[: _LINE_MAX + 1]
        return [line for line in lines if line and len(line) <= _LINE_MAX]
