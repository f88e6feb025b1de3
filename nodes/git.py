"""git, started in one way: no hooks, no prompts, no pager, no program of the repository's choice, plain messages."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ..state.errors import WorkspaceError
from .turns import TURNS

# Settings of the repository or of the user could start programs, wait for a person, or go on in the background.
_SETTINGS = (
    *("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=false", "protocol.file.allow=user"),
    *("commit.gpgSign=false", "gc.auto=0", "maintenance.auto=false", "rerere.enabled=false", "submodule.recurse=false"),
    # Another git of the user may hold a lock for a moment.
    *("core.filesRefLockTimeout=5000", "core.packedRefsTimeout=10000"),
)
# What configures git itself; every other GIT_ variable could turn a command to another repository or index.
_KEPT = (b"GIT_CONFIG", b"GIT_EXEC_PATH", b"GIT_CEILING_DIRECTORIES", b"GIT_DISCOVERY_ACROSS_FILESYSTEM")
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
_OPTIONS = tuple(part for setting in _SETTINGS for part in ("-c", setting))
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
    return StartedGit(folder, *arguments, environment=environment, stdin=stdin, keep_open=keep_open).wait()


class StartedGit:
    """A git command under way: several that only look cost the time of one."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        keep_open: Sequence[int] = (),
    ) -> None:
        """Start git as `try_git` does, and with the same errors."""
        self._folder = folder
        try:
            # In memory: nothing has to be moved through pipes while git runs, and nobody waits for who else holds them.
            self._out, self._err = _in_memory(), _in_memory()
            with _in_memory(stdin) as given:
                self._process = subprocess.Popen(
                    ["git", *_OPTIONS, "-C", str(folder), *arguments],
                    stdin=given if stdin else subprocess.DEVNULL,
                    stdout=self._out,
                    stderr=self._err,
                    env=_environment(environment or {}),
                    pass_fds=tuple(keep_open),
                )
        except (OSError, ValueError) as error:
            raise self._cannot_run(error) from None

    def wait(self) -> Said:
        """How it ended. Raises WorkspaceError where it does not end."""
        process = self._process
        try:
            with TURNS.aside():
                ended = _has_ended(process.pid, TIMEOUT_S)
            if not ended:
                raise TimeoutError(f"it has not ended after {TIMEOUT_S:g} s")
        except OSError as error:
            process.kill()
            raise self._cannot_run(error) from None
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        with self._out, self._err:
            out, err = _whole(self._out), _whole(self._err)
        return Said(process.returncode, out, err.decode("utf-8", "replace").strip())

    def _cannot_run(self, error: Exception) -> WorkspaceError:
        return WorkspaceError(f"git cannot be run in {self._folder}", facts={"git": error})


def _in_memory(content: bytes = b"") -> FileIO:
    file = FileIO(os.memfd_create("git"), "w+")
    while content:
        content = content[file.write(content) :]
    file.seek(0)
    return file


def _whole(file: FileIO) -> bytes:
    file.seek(0)
    return file.readall()


def _has_ended(pid: int, timeout_s: float) -> bool:
    """Wait for a child; it is not reaped. `Popen.wait` would look again and again where it is to give up in time."""
    handle = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))
    finally:
        os.close(handle)


def git(folder: Path, *arguments: str) -> bytes:
    """What git prints. Raises WorkspaceError where it fails."""
    return checked(try_git(folder, *arguments), folder, arguments).out


def checked(said: Said, folder: Path, arguments: Sequence[str]) -> Said:
    """`said`, if it is a success. Raises WorkspaceError with git's last line otherwise."""
    if said.code:
        last = said.err.splitlines()[-1] if said.err else "no output"
        raise WorkspaceError(f"git {arguments[0]} failed in {folder}", facts={"git": last})
    return said


def _environment(more: Mapping[str, str]) -> dict[bytes, bytes]:
    """As bytes, as the system keeps it: nothing has to be decoded and encoded again for each start."""
    inherited = {n: value for n, value in os.environb.items() if not n.startswith(b"GIT_") or n.startswith(_KEPT)}
    return inherited | {os.fsencode(name): os.fsencode(value) for name, value in {**_FORCED, **more}.items()}
