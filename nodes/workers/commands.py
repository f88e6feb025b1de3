"""Which commands a worker may run for a step: those that its card names, and no others.

A command of the step is a verification command, one of its equivalents, a `bash` block of its actions as a whole, or
one line of a block whose lines are all plain commands. What is asked for is compared after it was split into words; a
shell around it (`bash -c TEXT`) is taken off first. What then runs is the command of the card, started as verify
starts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...state.task import ActionKind, Step
from ..checks.command import argv_of

_SHELLS = frozenset(
    f"{folder}{name}" for folder in ("", "/bin/", "/usr/bin/") for name in ("bash", "sh", "dash", "zsh")
)
_SHELL_TEXT = frozenset({"-c", "-lc"})
Argv = tuple[str, ...]


class CommandRule:
    """The commands of one step."""

    def __init__(self, step: Step) -> None:
        self.allowed: dict[Argv, None] = dict.fromkeys(_of_step(step))

    def find(self, command: str, arguments: Sequence[str] = ()) -> Argv | None:
        """What to start for a command that the step has, None for any other.

        Args:
            command: a program, or a whole command line where there are no arguments.
            arguments: the words after the program.
        """
        argv = _argv(command, arguments)
        return argv if argv in self.allowed else None

    def find_argv(self, argv: Sequence[str]) -> Argv | None:
        """As `find`, for a list of words, the program first. A single word is a program, not a command line."""
        words = tuple(argv)
        if not words:
            return None
        asked = _argv(words[0], words[1:]) if len(words) > 1 else words
        return asked if asked in self.allowed else None


def _argv(command: str, arguments: Sequence[str]) -> Argv | None:
    words = (command, *arguments)
    if len(words) == 3 and command in _SHELLS and words[1] in _SHELL_TEXT:
        return _of_text(words[2])
    return words if arguments else _of_text(command)


def _of_text(text: str) -> Argv | None:
    try:
        argv = argv_of(text.strip())
    except ValueError:
        return None
    # A whole command line may wrap a shell around another one.
    if len(argv) == 3 and argv[0] in _SHELLS and argv[1] in _SHELL_TEXT:
        return _of_text(argv[2])
    return argv


def _of_step(step: Step) -> Iterator[Argv]:
    texts = [text for command in step.verification for text in (command.run, *command.equivalents)]
    for action in step.actions:
        if action.kind is ActionKind.BASH:
            texts += [action.text, *_plain_lines(action.text)]
    for text in texts:
        if (argv := _of_text(text)) is not None:
            yield argv


def _plain_lines(block: str) -> list[str]:
    """The lines of a block, none where any of them means something only together with others."""
    lines = [line for line in map(str.strip, block.splitlines()) if line and not line.startswith("#")]
    try:
        plain = all(argv_of(line)[:2] != ("bash", "-euo") for line in lines)
    except ValueError:
        plain = False
    return lines if plain else []
