"""How each agent CLI is called: its documented flags (True where a value follows), and where prompt and session stand.

Standard library only: the stand-in executable imports this file in an isolated interpreter.
"""

from __future__ import annotations

import sys

_PRINT = {"--print": False, "--output-format": True, "--resume": True, "--model": True, "--version": False}
FLAGS: dict[str, dict[str, bool]] = {
    "claude": {
        **_PRINT,
        "--verbose": False,
        "--permission-mode": True,
        "--max-turns": True,
        "--max-budget-usd": True,
        "--allowedTools": True,
    },
    "codex": {"--json": False, "--sandbox": True, "--model": True, "--skip-git-repo-check": False},
    "gemini": {"--output-format": True, "--approval-mode": True, "--resume": True, "--model": True, "--prompt": True},
    "aider": {
        "--message-file": True,
        "--yes-always": False,
        "--no-auto-commits": False,
        "--no-dirty-commits": False,
        "--no-stream": False,
        "--no-pretty": False,
        "--no-check-update": False,
        "--no-gitignore": False,
        "--chat-history-file": True,
        "--input-history-file": True,
        "--model": True,
    },
    "opencode": {"--format": True, "--session": True, "--model": True, "--agent": True},
    "cursor": {**_PRINT, "--force": False},
    "goose": {
        "--output-format": True,
        "--with-builtin": True,
        "--name": True,
        "--resume": False,
        "--instructions": True,
        "--max-turns": True,
        "--model": True,
    },
}
COMMANDS = {"codex": "exec", "opencode": "run", "goose": "run"}


class Call:
    """One call as the tool would understand it."""

    def __init__(self) -> None:
        self.flags: dict[str, str] = {}
        self.words: list[str] = []
        self.prompt = ""
        self.session: str | None = None
        self.resumed = False


class Refused(Exception):
    """The tool would end with a usage error."""


def understand(tool: str, arguments: list[str]) -> Call:
    """The call that these arguments are. Raises Refused for flags that the tool does not document."""
    call = Call()
    rest = list(arguments)
    if tool in COMMANDS and (not rest or rest.pop(0) != COMMANDS[tool]):
        raise Refused(f"expected the command {COMMANDS[tool]}")
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "-" or not word.startswith("-"):
            call.words.append(word)
        elif name not in FLAGS[tool]:
            raise Refused(f"unknown option {name}")
        elif equals:
            call.flags[name] = value
        else:
            call.flags[name] = rest.pop(0) if FLAGS[tool][name] else ""
    _find_session(tool, call)
    _find_prompt(tool, call)
    return call


def _find_session(tool: str, call: Call) -> None:
    if tool == "codex" and call.words[:1] == ["resume"]:
        call.session, call.resumed = call.words[1], True
        call.words = call.words[2:]
    elif tool == "goose":
        call.session, call.resumed = call.flags["--name"], "--resume" in call.flags
    elif tool in ("claude", "gemini", "cursor", "opencode"):
        flag = "--session" if tool == "opencode" else "--resume"
        call.session, call.resumed = call.flags.get(flag), flag in call.flags


def _find_prompt(tool: str, call: Call) -> None:
    by_file = {"aider": "--message-file", "goose": "--instructions"}
    if tool in by_file:
        with open(call.flags[by_file[tool]], encoding="utf-8") as file:
            call.prompt = file.read()
    elif tool == "cursor":
        (call.prompt,) = call.words
    elif tool == "codex" and call.words != ["-"]:
        raise Refused("a prompt is expected, or - for standard input")
    else:
        call.prompt = sys.stdin.read()
    if not call.prompt.strip():
        raise Refused("there is no prompt")


def help_text(tool: str) -> str:
    rows = [f"  {flag}{' <value>' if takes else ''}" for flag, takes in FLAGS[tool].items()]
    rows += ["Commands:", "  resume"] if tool == "codex" else []
    return "\n".join([f"Usage: {tool}", *rows])
