"""Turning a command as written into what is really started, and knowing when it does not exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..workers.launcher.masking import Masker
from .process import run_command

_SHELL_SYNTAX = frozenset("|&;<>()$`*?[]{}~#\n")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
# Words that bash knows by itself: no file of that name has to exist.
_BUILTINS = frozenset({"!", ".", ":", "[", "cd", "command", "eval", "exec", "exit", "export", "for", "if", "set"}) | {
    *("source", "test", "trap", "ulimit", "unset", "until", "while"),
}
_MAKE = frozenset({"make", "gmake"})
_NO_RULE = re.compile(r"No rule to make target [`']([^']+)'\.")
_NO_MAKEFILE = "no makefile found"
_PROBE_TIMEOUT_S = 30.0
_PROBE_OUTPUT_BYTES = 16 << 20


def argv_of(command: str) -> tuple[str, ...]:
    """The argument list for a command as written.

    A plain command is started as it is. One with shell syntax is given to `bash -euo pipefail -c`, so that a
    failure anywhere in it is a failure of the whole, also on the left of a pipe.

    Raises:
        ValueError: quotes that do not close, or nothing at all.
    """
    words = shlex.split(command)
    if not words:
        raise ValueError("the command is empty")
    if _needs_shell(command) or _ASSIGNMENT.match(words[0]):
        return ("bash", "-euo", "pipefail", "-c", command)
    return tuple(words)


def plain(command: str) -> bool:
    """True for a command that is started as it is, so that arguments can be put behind it."""
    return argv_of(command)[:2] != ("bash", "-euo")


def _needs_shell(command: str) -> bool:
    """True where bash would read the text differently from a plain split into words."""
    quote, escaped = "", False
    for character in command:
        if quote == "'":
            quote = "" if character == "'" else quote
        elif escaped:
            escaped = False
            if character == "\n" or (quote and character in "$`"):
                return True
        elif character == "\\":
            escaped = True
        elif quote:
            if character in "$`":
                return True
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _SHELL_SYNTAX:
            return True
    return False


def program_of(command: str) -> str | None:
    """The first word that names a program, None where that cannot be told."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    names = [word for word in words if not _ASSIGNMENT.match(word)]
    return names[0] if names and names[0] not in _BUILTINS and not set(names[0]) & _SHELL_SYNTAX else None


def find_program(name: str, workspace: Path, search: str | None = None) -> str | None:
    """The file that a program name stands for in the workspace, None where there is none.

    Args:
        search: where to look, as in PATH; our own PATH if not given.
    """
    if "/" in name:
        # A word can also be too long for a name, or hold what no name does.
        path = os.path.join(workspace, name)
        return path if os.path.isfile(path) and os.access(path, os.X_OK) else None
    return shutil.which(name, path=search)


def why_absent(
    command: str,
    argv: tuple[str, ...],
    exit_code: int | None,
    workspace: Path,
    env: Mapping[str, str] = os.environ,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> str | None:
    """Why a command that did not pass does not exist here at all; None where it exists (and failed).

    Args:
        exit_code: how it ended, None where it could not be started.
        env: the variables it was started with.

    Raises:
        CheckStopped: `stop` said so while make was asked.
    """
    program = program_of(command)
    shell = argv[:1] == ("bash",) and argv[1:2] == ("-euo",)
    if program and find_program(program, workspace, env.get("PATH")) is None and (not shell or exit_code == 127):
        return f"command not found: {program}"
    if program and os.path.basename(program) in _MAKE and exit_code == 2 and not shell:
        return _missing_target(argv, workspace, env, stop)
    return None


def _missing_target(
    argv: tuple[str, ...], workspace: Path, env: Mapping[str, str], stop: Callable[[], bool]
) -> str | None:
    # make's exit code 2 also means "the recipe failed": a dry run tells the two apart without running a recipe.
    with tempfile.TemporaryDirectory(prefix="waypost-") as folder:
        log = Path(folder) / "probe.log"
        probe = run_command(
            (argv[0], "-n", *argv[1:]),
            workspace=workspace,
            log=log,
            timeout_s=_PROBE_TIMEOUT_S,
            output_limit_bytes=_PROBE_OUTPUT_BYTES,
            env={**env, "LC_ALL": "C"},
            masker=Masker(),
            stop=stop,
        )
        said = log.read_text(encoding="utf-8", errors="replace")
    # One that does not end in time exists: it runs programs while it is read.
    if probe.exit_code in (0, None):
        return None
    if (found := _NO_RULE.search(said)) and found.group(1) in argv[1:]:
        return f'make has no rule for "{found.group(1)}"'
    return "there is no makefile" if _NO_MAKEFILE in said.lower() else None
