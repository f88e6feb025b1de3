"""What a kind of check is: a grammar, a look at the workspace, and a verdict over nothing but what the look has kept.

The split is what makes a verdict repeatable: `look` collects and keeps, `judge` is pure. An audit calls `judge` again
on the kept files, without the workspace and perhaps on another machine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Protocol

from ....state.records import Outcome
from ....state.task import Probe


class Shape(StrEnum):
    """What a value has to look like; it is held against that while the card is read."""

    TEXT = "text"
    PATH = "path"
    PATTERN = "pattern"
    COMMAND = "command"
    EXIT_CODE = "exit code"


@dataclass(frozen=True)
class Argument:
    """One value that a kind takes. `what` says it in words: "a path in the workspace"."""

    name: str
    what: str
    shape: Shape = Shape.TEXT
    required: bool = False


@dataclass(frozen=True)
class Judged:
    """A verdict over one check, and why."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Seen:
    """What a look has found.

    Attributes:
        argv, exit_code, duration_s: of the process, where one was started.
        log: where its output, or the record of what was seen, stands.
        kept: other files that were kept, by what they are.
        given_up: the verdict where there is nothing to judge (it timed out, or what it needs does not exist); it can
            never be a pass.
    """

    argv: tuple[str, ...] = ()
    exit_code: int | None = None
    duration_s: float | None = None
    log: Path | None = None
    kept: Mapping[str, Path] = field(default_factory=dict[str, Path])
    given_up: Judged | None = None


class Kept(Protocol):
    """What a look has kept, for the one who judges: during the run, and again in an audit."""

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None where there was none, or it did not come to its end."""
        ...

    def log(self) -> bytes:
        """The whole log. Raises NotKept where there is none, or it is too large to be judged."""
        ...

    def file(self, name: str) -> bytes:
        """The file that was kept under that name. Raises NotKept."""
        ...

    def holds(self, pattern: str, text: bytes) -> bool:
        """Whether a pattern is found in a text, `^` and `$` standing for lines. Raises NotKept where it is too slow."""
        ...

    def schema_errors(self, schema: bytes, document: bytes) -> list[str]:
        """What a JSON Schema says against a JSON document. Raises NotKept: no schema, too slow, or not installed."""
        ...


class NotKept(Exception):
    """There is nothing to judge from: the check has not passed, and this is why."""


class Bench(Protocol):
    """Where a look happens, and what it may use. All that it keeps is private, and free of secrets."""

    @property
    def workspace(self) -> Path:
        """The folder whose content is judged. A stranger may have written all of it."""
        ...

    def run(self, command: str, arguments: Sequence[str] = ()) -> Seen:
        """Run a command as written, with more arguments behind it, in the workspace; its output becomes the log."""
        ...

    def read(self, path: str) -> bytes:
        """A regular file of the workspace, reached without any symbolic link. Raises NotKept."""
        ...

    def keep(self, name: str, content: bytes) -> Path:
        """Keep a file for the judge, with its secrets hidden."""
        ...

    def note(self, **facts: object) -> Path:
        """Write what was seen down as the log, in one JSON object; its reader gets it by `facts_of`."""
        ...


class Kind(ABC):
    """A kind of check. One object serves all runs: it holds no state.

    Attributes:
        name: as cards write it: lower case, digits and dashes.
        subject: what stands first in a card.
        most_subjects: how many of them may stand in one check; with `required` there has to be one.
        arguments: what else it takes.
        runs: it starts a command. Others are looked at again when the last command of a round has ended.
    """

    name: ClassVar[str]
    subject: ClassVar[Argument]
    most_subjects: ClassVar[int] = 1
    arguments: ClassVar[tuple[Argument, ...]] = ()
    runs: ClassVar[bool] = False

    def complaint(self, subject: Sequence[str], args: Mapping[str, str]) -> str:
        """What is wrong with a check as a card writes it, besides the shapes of its values; empty if nothing is."""
        return ""

    def title(self, probe: Probe) -> str:
        """The check in one line, for plans and reports."""
        args = "".join(f", {name.replace('_', ' ')} {value}" for name, value in probe.args.items())
        return f"{self.name} {' '.join(probe.subject)}{args}"

    def judging_files(self, probe: Probe) -> tuple[str, ...]:
        """Paths in the workspace that say what is right: who may change them can make the check pass."""
        return ()

    def tests(self, probe: Probe) -> tuple[str, ...]:
        """The tests that the check is about, where it is about some of those that its command runs."""
        return ()

    @abstractmethod
    def look(self, probe: Probe, bench: Bench) -> Seen:
        """Find out what is so, and keep it. May raise NotKept."""

    @abstractmethod
    def judge(self, probe: Probe, kept: Kept) -> Judged:
        """The verdict over what was kept, and nothing else. May raise NotKept."""


Kinds = Mapping[str, Kind]


def passed(reason: str) -> Judged:
    """It is as the card says."""
    return Judged(Outcome.PASSED, reason)


def failed(reason: str) -> Judged:
    """It is not."""
    return Judged(Outcome.FAILED, reason)


def unverifiable(reason: str) -> Judged:
    """It cannot be told here."""
    return Judged(Outcome.UNVERIFIABLE, reason)
