"""`waypost init`: a starter card and a `waypost.toml` for the project it stands in."""

from __future__ import annotations

import os
from pathlib import Path

from ..state.errors import InputError, WaypostError
from .project import Found, test_commands
from .view import choose_view

CARD = "tasks.md"
SETTINGS = "waypost.toml"

_CARD = """# Tasks

Text before the first task is for readers, Waypost does not read it.

### Task START-1: Say what shall be done

**Goal**: One or two sentences: what is true in the end that is not true now.

**Concrete Actions**

- Say here what is to be done, a list item each.

**Acceptance Criteria**

- AC1: Nothing that worked before is broken. Verified by {ref}
- AC2: Say here what must be true, and name the command that proves it. Verified by `test -s CHANGED_FILE`

**Verification**

{verification}

**Allowed Scope**: `**`
"""

_SETTINGS = """# Settings of Waypost for this project. Every line that is commented out is an example.
{found}

# A worker of your own: waypost run {card} --worker my-agent
#
# [agents.my-agent]
# title = "My agent"
# executable = "my-agent"
# prompt = "stdin"
# start = ["--non-interactive"]
# exit_code_decides = true

# Variables that workers and checks are given besides the usual ones, and those whose values are masked in records.
#
# [environment]
# allow = ["CI"]
# secret = ["MY_AGENT_API_KEY"]
"""


def init(folder: Path, *, force: bool, json: bool) -> int:
    """Write the two files; nothing at all where one of them is there and `force` is not given."""
    try:
        found = test_commands(folder)
        files = {folder / CARD: _card(found), folder / SETTINGS: _settings(found)}
        _refuse_overwriting(list(files), force=force)
        for path, text in files.items():
            _write(path, text, force=force)
    except WaypostError as error:
        return choose_view(json=json).failed(error)
    for one in found:
        print(f"{'found':<11} {one.command}  ({one.reason})")
    if not found:
        print(f"{'found':<11} no test command that is known here: {CARD} has a placeholder")
    for path in files:
        print(f"{'wrote':<11} {path.relative_to(folder)}")
    print(f"{'next':<11} fill in {CARD}, then: waypost plan {CARD}")
    return 0


def _card(found: list[Found]) -> str:
    if not found:
        return _CARD.format(ref="V1", verification="- V1: `false`\n\n")
    lines = [f"- V{number}: `{one.command}`" for number, one in enumerate(found[:1], start=1)]
    return _CARD.format(ref="V1", verification="\n".join(lines))


def _settings(found: list[Found]) -> str:
    told = [f"# Found: {one.command} ({one.reason})" for one in found] or ["# No test command was found."]
    return _SETTINGS.format(found="\n".join(told), card=CARD)


def _refuse_overwriting(paths: list[Path], *, force: bool) -> None:
    there = [path.name for path in paths if os.path.lexists(path)]
    if there and not force:
        raise InputError(
            f"{' and '.join(there)} stand here already: nothing was written",
            next_step="move them away, or overwrite them with --force",
        )


def _write(path: Path, text: str, *, force: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
    try:
        with open(os.open(path, flags, 0o666), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
