"""A check as a file names it, held against its kind while the file is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ...state.ids import CheckRef
from ...state.task import Probe
from ..checks.kinds import Kinds
from ..checks.kinds.command import CommandKind
from ..checks.kinds.grammar import misfit, paths_of, usage
from .inline import shorten
from .paths import output_complaint
from .raw import Words
from .source import SourceFile


@dataclass(frozen=True, slots=True)
class Check:
    """A kind, what it looks at, and what else it has to know."""

    COMMAND: ClassVar[str] = CommandKind.name

    kind: str
    subject: tuple[str, ...]
    args: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_command(cls, run: str) -> Check:
        """A command that has to end with exit code 0."""
        return cls(cls.COMMAND, (run,))

    @property
    def is_command(self) -> bool:
        """True where it is a command with what is asked of it."""
        return self.kind == self.COMMAND

    @property
    def first(self) -> str:
        """What a message can call it."""
        return self.subject[0] if self.subject else self.kind

    def as_command(self) -> dict[str, Any]:
        """The fields of a `Command`."""
        args = dict(self.args)
        return {"run": self.first, "output": args.get("output"), "exit_code": int(args.get("exit_code", "0"))}

    def as_probe(self) -> dict[str, Any]:
        """The fields of a `Probe`."""
        return {"kind": self.kind, "subject": self.subject, "args": dict(self.args)}

    def title(self, kinds: Kinds) -> str:
        """The check in words."""
        return " ".join(kinds[self.kind].title(Probe(ref=CheckRef("V"), **self.as_probe())).split())


def checked(
    file: SourceFile, kinds: Kinds, named: Words, subject: Sequence[Words], args: Iterable[tuple[str, Words]]
) -> Check:
    """The check.

    Raises:
        TaskFileError: nobody knows its kind, or it does not fit it.
    """
    kind = kinds.get(named.text)
    if kind is None:
        raise file.error(
            named.line,
            f'unknown kind of check "{shorten(named.text)}"',
            known=", ".join(kinds),
            next_step="write one of these, or a command in back-ticks",
        )
    given: dict[str, str] = {}
    names = {argument.name for argument in kind.arguments}
    for name, value in args:
        if name not in names:
            raise file.error(
                value.line, f'unknown detail "{shorten(name)}" of a check of kind "{kind.name}"', usage=usage(kind)
            )
        if name in given:
            raise file.error(value.line, f'"{shorten(name)}" stands twice in one check')
        given[name] = value.text
    texts = tuple(words.text.strip() for words in subject)
    what = misfit(kind, texts, given)
    for path in () if what else paths_of(kind, texts, given):
        complaint = output_complaint(path)
        what = what or (f'has the path "{shorten(path)}", which {complaint}' if complaint else "")
    if what:
        raise file.error(named.line, f'this check of kind "{kind.name}" {what}', usage=usage(kind))
    if kind.name == Check.COMMAND and int(given.get("exit_code", "0")) == 0:
        given.pop("exit_code", None)
    return Check(kind.name, texts, tuple(sorted(given.items())))
