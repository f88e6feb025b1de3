"""What a worker that asks before it acts may do: decided by its step, denied unless that says so, and written down."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ...state.errors import WaypostError
from ...state.job import Job
from .commands import Argv, CommandRule
from .confine import Confined, Entry, OutOfScope
from .typed import PERMISSIONS, EventWriter

DECISIONS_AT_MOST = 50_000
_SUBJECT_AT_MOST = 500


class Denied(WaypostError):
    """The step does not allow what was asked for; nothing was done."""


class Gate:
    """Reads, changes and commands of one attempt, from any thread. Each decision is a line of `permissions.jsonl`.

    Attributes:
        overrun: True once there were so many requests that none is answered any more.
    """

    def __init__(self, job: Job, folder: Path, events: EventWriter) -> None:
        # folder: <runs>/<run>/dispatch/<step>/attempt-<n>
        protected = (folder.parents[3], folder.parents[2])
        self.files = Confined(Path(job.workspace), allowed=job.step.allowed_paths, protected=protected)
        self.commands = CommandRule(job.step)
        self.overrun = False
        self._events = events
        self._left = DECISIONS_AT_MOST
        self._lock = threading.Lock()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._record = os.fdopen(os.open(folder / PERMISSIONS, flags, 0o600), "w", encoding="utf-8")

    def close(self) -> None:
        """End the record."""
        self._record.close()
        self.files.close()

    def read_text(self, path: str, *, strict: bool = False) -> str:
        """The text of a file of the workspace; `strict` as in `Confined.read_text`. Raises Denied, OSError."""
        self.may_look("read", path)
        try:
            return self.files.read_text(path, strict=strict)
        except OutOfScope as refused:
            raise self.deny("read", path, refused.what) from None

    def write_text(self, path: str, text: str) -> str:
        """Replace a file that the step may change; which one, relative to the workspace. Raises Denied, OSError."""
        self.may_change("write", path)
        try:
            return self.files.write_text(path, text)
        except OutOfScope as refused:
            raise self.deny("write", path, refused.what) from None

    def entries(self, path: str) -> list[Entry]:
        """What stands in a folder of the workspace. Raises Denied, OSError."""
        self.may_look("list", path)
        try:
            return self.files.entries(path)
        except OutOfScope as refused:
            raise self.deny("list", path, refused.what) from None

    def may_look(self, action: str, path: str) -> None:
        """Raises Denied unless the path lies in the workspace."""
        try:
            self.files.place(path)
        except OutOfScope as refused:
            raise self.deny(action, path, refused.what) from None
        self.decide(action, path)

    def may_change(self, action: str, path: str) -> None:
        """Raises Denied unless the step may change the path."""
        try:
            self.files.place_to_change(path)
        except OutOfScope as refused:
            raise self.deny(action, path, refused.what) from None
        self.decide(action, path)

    def command(self, command: str, arguments: Sequence[str] = ()) -> Argv:
        """What to start for a command line, or a program and its arguments. Raises Denied."""
        return self._found(self.commands.find(command, arguments), " ".join((command, *arguments)))

    def command_argv(self, argv: Sequence[str]) -> Argv:
        """What to start for a list of words. Raises Denied."""
        return self._found(self.commands.find_argv(argv), " ".join(argv))

    def deny(self, action: str, subject: str, reason: str) -> Denied:
        """Write a denial down; the error to raise or to show."""
        self.decide(action, subject, reason)
        return Denied(f"{action} denied: {reason}")

    def decide(self, action: str, subject: str, denied_because: str = "") -> None:
        """Write a decision down. Raises Denied where there are too many of them."""
        shown = subject if len(subject) <= _SUBJECT_AT_MOST else f"{subject[:_SUBJECT_AT_MOST]}..."
        row = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "action": action,
            "subject": shown,
            "allowed": not denied_because,
            "reason": denied_because,
        }
        with self._lock:
            if self._left <= 0:
                self.overrun = True
                raise Denied(f"more than {DECISIONS_AT_MOST} requests in one attempt")
            self._left -= 1
            self._record.write(json.dumps(row, ensure_ascii=True) + "\n")
            self._record.flush()
        if denied_because:
            self._events.progress("denied", f"{action} {shown}: {denied_because}")

    def _found(self, argv: Argv | None, asked: str) -> Argv:
        if argv is None:
            known = "; ".join(" ".join(words) for words in self.commands.allowed) or "none"
            raise self.deny("run", asked, f"it is no command of the step (those are: {known})")
        self.decide("run", asked)
        return argv
