"""The programs that checks start: which files they are, and of which version, so that another world can be told."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from ...state.records import Check
from ...state.verified import Tool
from ..workers.files import sha256_file
from .command import find_program, program_of

_MOST_BYTES = 64 << 20
_TIMEOUT_S = 5.0
_VERSION_MOST = 200
# A shim, or a program in pieces, has the same bytes in every version; these answer, and read nothing of the folder.
_ANSWERS = re.compile(
    r"(?:python|pypy)[0-9.]*|node|deno|bun|uv|ruby|perl|php|bash|g?make|cmake|git|cargo|rustc|gcc|g\+\+|cc|c\+\+|clang"
)


def tools_of(checks: Iterable[Check], workspace: Path, env: Mapping[str, str]) -> tuple[Tool, ...]:
    """The programs that checks started, sorted by name; those of the workspace, and those that are gone, left out."""
    names = {name for check in checks if check.argv for name in (check.argv[0], program_of(check.run)) if name}
    found = (tool_named(name, workspace, env) for name in sorted(names))
    return tuple(tool for tool in found if tool and not Path(tool.path).is_relative_to(workspace.resolve()))


def tool_named(name: str, workspace: Path, env: Mapping[str, str]) -> Tool | None:
    """The program that a name stands for in a workspace, None where there is none."""
    program = find_program(name, workspace, env.get("PATH"))
    if program is None:
        return None
    path = os.path.realpath(program)
    try:
        facts = os.stat(path)
        sha256 = _hash(path, facts.st_size, facts.st_mtime_ns)
    except OSError:
        return None
    answers = _ANSWERS.fullmatch(name) is not None and not Path(path).is_relative_to(workspace.resolve())
    version = _version(program, facts.st_mtime_ns, workspace, tuple(sorted(env.items()))) if answers else ""
    return Tool(name=name, path=path, version=version, size=facts.st_size, sha256=sha256)


# Checks start the same few programs in every run.
@lru_cache(maxsize=64)
def _hash(path: str, size: int, _changed_ns: int) -> str | None:
    return sha256_file(Path(path)) if size <= _MOST_BYTES else None


@lru_cache(maxsize=64)
def _version(program: str, _changed_ns: int, workspace: Path, env: tuple[tuple[str, str], ...]) -> str:
    try:
        said = subprocess.run(
            [program, "--version"],
            cwd=workspace,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    lines = said.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0][:_VERSION_MOST] if said.returncode == 0 and lines else ""
