"""File and command tools for a model. They reach no further than the step allows, and tell what they refuse."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from ..bounded import run_bounded
from ..confine import OutOfScope
from ..gate import Denied, Gate

COMMAND_TIMEOUT_S = 300.0
PRINTED_AT_MOST_BYTES = 16 << 20

_SHOWN_CHARACTERS = 40_000
_OUTPUT_BYTES = 16_000
_HITS_AT_MOST = 200
_NAMES_AT_MOST = 1000
_SEARCHED_BYTES = 1 << 20
_LINE_CHARACTERS = 300


def workspace_tools(gate: Gate, workspace: Path, *, hidden_env: Sequence[str] = ()) -> list[BaseTool]:
    """The tools of one attempt.

    Args:
        gate: decides, and writes down what it decided.
        workspace: where commands run.
        hidden_env: variables that commands are not given.
    """
    tools = _Tools(gate, workspace, frozenset(hidden_env))
    methods = (
        tools.read_file,
        tools.write_file,
        tools.edit_file,
        tools.list_files,
        tools.search_files,
        tools.run_command,
    )
    # ToolException: the message goes back to the model instead of ending the loop.
    return [StructuredTool.from_function(method, handle_tool_error=True) for method in methods]


class _Tools:
    def __init__(self, gate: Gate, workspace: Path, hidden_env: frozenset[str]) -> None:
        self._gate = gate
        self._workspace = workspace
        self._hidden_env = hidden_env

    def read_file(self, path: str, first_line: int = 1, lines: int | None = None) -> str:
        """Read a text file of the workspace, or some of its lines."""
        text = self._read(path)
        rows = text.splitlines(keepends=True)[max(first_line - 1, 0) :]
        shown = "".join(rows if lines is None else rows[: max(lines, 0)])
        if len(shown) > _SHOWN_CHARACTERS:
            return f"{shown[:_SHOWN_CHARACTERS]}\n[cut here: read on with first_line]"
        return shown

    def write_file(self, path: str, text: str) -> str:
        """Write a whole file of the workspace; missing folders are made."""
        return f"wrote {self._write(path, text)}"

    def edit_file(self, path: str, old: str, new: str) -> str:
        """Replace a piece of text in a file. `old` must stand in it exactly once."""
        text = self._read(path, strict=True)
        times = text.count(old) if old else 0
        if times != 1:
            raise ToolException(f"old stands {times} times in {path}, not once: nothing was changed")
        return f"changed {self._write(path, text.replace(old, new))}"

    def list_files(self, path: str = ".") -> str:
        """List a folder of the workspace; names of folders end with a slash."""
        try:
            entries = self._gate.entries(path)
        except (Denied, OSError) as error:
            raise _told(error) from None
        names = [f"{entry.name}/" if entry.folder else entry.name for entry in entries[:_NAMES_AT_MOST]]
        more = [f"[{len(entries) - _NAMES_AT_MOST} more]"] if len(entries) > _NAMES_AT_MOST else []
        return "\n".join([*names, *more]) or "(empty)"

    def search_files(self, text: str, path: str = ".") -> str:
        """Find a text in the files below a folder; answers with file:line: the line."""
        if not text:
            raise ToolException("there is no text to look for")
        try:
            self._gate.may_look("search", path)
            hits = self._hits(text, path)
        except (Denied, OutOfScope, OSError) as error:
            raise _told(error) from None
        return "\n".join(hits) or "(not found)"

    def run_command(self, argv: list[str]) -> str:
        """Run a command of the step in the workspace, without a shell: the program and its arguments as a list."""
        try:
            started = self._gate.command_argv(argv)
            ran = run_bounded(
                started,
                workspace=self._workspace,
                env={name: value for name, value in os.environ.items() if name not in self._hidden_env},
                timeout_s=COMMAND_TIMEOUT_S,
                printed_at_most=PRINTED_AT_MOST_BYTES,
                kept_at_most=_OUTPUT_BYTES,
            )
        except (Denied, OSError, ValueError) as error:
            raise _told(error) from None
        end = f"stopped: {ran.stopped}" if ran.stopped else f"exit code {ran.exit_code}"
        return f"{end}\n{'[only the end of its output]' if ran.cut else ''}\n{ran.output}"

    def _read(self, path: str, *, strict: bool = False) -> str:
        try:
            return self._gate.read_text(path, strict=strict)
        except (Denied, OSError) as error:
            raise _told(error) from None

    def _write(self, path: str, text: str) -> str:
        try:
            return self._gate.write_text(path, text)
        except (Denied, OSError) as error:
            raise _told(error) from None

    def _hits(self, text: str, path: str) -> list[str]:
        hits: list[str] = []
        for name in self._gate.files.files(path):
            try:
                lines = self._gate.files.read_text(name, limit=_SEARCHED_BYTES).splitlines()
            except (OutOfScope, OSError):
                continue
            for number, line in enumerate(lines, 1):
                if text in line:
                    hits.append(f"{name}:{number}: {line[:_LINE_CHARACTERS]}")
                    if len(hits) == _HITS_AT_MOST:
                        return [*hits, "[there may be more]"]
        return hits


def _told(error: Exception) -> ToolException:
    if isinstance(error, OSError):
        return ToolException(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
    return ToolException(error.what if isinstance(error, Denied | OutOfScope) else str(error))
