"""git, started in one way: no hooks, no prompts, no pager, no program of the repository's choice, plain messages."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..state.errors import WorkspaceError

# Settings of the repository or of the user could start programs, wait for a person, or go on in the background.
_SETTINGS = (
    *("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=false", "protocol.file.allow=user"),
    *("commit.gpgSign=false", "gc.auto=0", "maintenance.auto=false", "rerere.enabled=false", "submodule.recurse=false"),
    # Another git of the user may hold a lock for a moment.
    *("core.filesRefLockTimeout=5000", "core.packedRefsTimeout=10000"),
)
# What configures git itself; every other GIT_ variable could turn a command to another repository or index.
_KEPT = ("GIT_CONFIG", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
_FORCED = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    # A replacement or a graft would show other files or parents under a commit's id than the commit holds.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
}
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Said:
    """How a git command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Its output without the last line break."""
        return os.fsdecode(self.out.removesuffix(b"\n"))


def try_git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    keep_open: Sequence[int] = (),
) -> Said:
    """Run git in `folder` and tell how it ended, whatever its exit code.

    Args:
        environment: variables on top of the hermetic ones.
        keep_open: file descriptors that git holds as long as it lives.

    Raises:
        WorkspaceError: git cannot be started, or does not end.
    """
    settings = (part for setting in _SETTINGS for part in ("-c", setting))
    try:
        done = subprocess.run(
            ["git", *settings, "-C", str(folder), *arguments],
            input=stdin,
            capture_output=True,
            env={**_inherited(), **_FORCED, **(environment or {})},
            timeout=TIMEOUT_S,
            check=False,
            pass_fds=tuple(keep_open),
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise WorkspaceError(f"git cannot be run in {folder}", facts={"git": error}) from None
    return Said(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip())


def git(folder: Path, *arguments: str) -> bytes:
    """What git prints. Raises WorkspaceError where it fails."""
    return checked(try_git(folder, *arguments), folder, arguments).out


def checked(said: Said, folder: Path, arguments: Sequence[str]) -> Said:
    """`said`, if it is a success. Raises WorkspaceError with git's last line otherwise."""
    if said.code:
        last = said.err.splitlines()[-1] if said.err else "no output"
        raise WorkspaceError(f"git {arguments[0]} failed in {folder}", facts={"git": last})
    return said


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(_KEPT)}
