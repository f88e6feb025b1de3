"""How this machine differs from the one that a run was verified on, as far as that can be told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...state.records import Check, CheckKind, Outcome
from ...state.verified import Tool, VerifiedTree
from ..checks.tools import tool_named

_SEARCHED = 256 << 10
# What runtimes print where something that is no part of a project is not installed.
_MISSING = re.compile(
    rb"No module named '?([\w.]+)"
    rb"|Cannot find (?:module|package) '([^'\n]{1,200})'"
    rb"|error while loading shared libraries: ([^:\n]{1,200}):"
    rb"|cannot load such file -- (\S{1,200})"
    rb"|no required module provides package (\S{1,200});"
    rb"|can't find crate for `(\w{1,200})`"
    rb"|Can't locate (\S{1,200}) in @INC"
    rb"|: ([\w.+-]{1,100}): (?:command )?not found\b"
)


def changed_tools(tree: VerifiedTree, workspace: Path, env: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each recorded program that is another one here, or none."""
    for tool in tree.tools:
        now = tool_named(tool.name, workspace, env)
        if now is None:
            yield f"{tool.name} is not here; it was {_shown(tool)}"
        elif (now.version, now.sha256) != (tool.version, tool.sha256):
            yield f"{tool.name} is {_shown(now)}; it was {_shown(tool)}"


def _shown(tool: Tool) -> str:
    sha256 = f", sha256 {tool.sha256[:12]}" if tool.sha256 else ""
    return f"{tool.version or tool.path}{sha256}"


def why_not(check: Check, log: Path | None, workspace: Path) -> str:
    """Why a check that passed once could not do its work here; empty where it could, and failed."""
    if check.outcome is Outcome.PASSED:
        return ""
    if check.kind in (CheckKind.COMMAND, CheckKind.BASELINE) and check.outcome is Outcome.UNVERIFIABLE:
        return f"the command is gone: {check.reason}"
    missing = _missing(log) if log is not None and log.is_file() else None
    # What the project itself lacks is a failure of the project.
    if missing is None or _is_of(workspace, missing):
        return ""
    return f"a dependency is missing: {missing}"


def _missing(log: Path) -> str | None:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _SEARCHED))
        found = _MISSING.search(file.read())
    return next(group for group in found.groups() if group).decode("utf-8", "replace") if found else None


def _is_of(workspace: Path, name: str) -> bool:
    first = re.split(r"[./]", name.lstrip("./"))[0]
    return name.startswith(".") or any((workspace / part).exists() for part in (first, f"{first}.py") if first)
