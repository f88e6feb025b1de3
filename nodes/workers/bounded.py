"""Running one command with a time limit and an output limit, and keeping the end of what it printed."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

_CHUNK = 1 << 16
_POLL_S = 0.05


@dataclass(frozen=True)
class Bounded:
    """How a command ended. `exit_code` is None where it was stopped, and `stopped` says why."""

    exit_code: int | None
    output: str
    cut: bool
    stopped: str = ""


def run_bounded(
    argv: Sequence[str],
    *,
    workspace: Path,
    env: Mapping[str, str],
    timeout_s: float,
    printed_at_most: int,
    kept_at_most: int,
) -> Bounded:
    """Run a command in the workspace to its end, or until it takes too long or prints too much.

    Whatever it leaves in the background is killed with it.

    Raises:
        OSError, ValueError: it cannot be started.
    """
    deadline = time.monotonic() + timeout_s
    process = subprocess.Popen(
        list(argv),
        cwd=workspace,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    kept, printed, stopped = bytearray(), 0, ""
    stream = cast("IO[bytes]", process.stdout)
    os.set_blocking(stream.fileno(), False)
    with stream, selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not stopped:
            ended = process.poll() is not None
            chunk = _read(stream.fileno()) if selector.select(0 if ended else _POLL_S) else None
            if chunk == b"" or (chunk is None and ended):
                break
            kept += chunk or b""
            del kept[:-kept_at_most]
            printed += len(chunk or b"")
            if printed > printed_at_most:
                stopped = f"it printed more than {printed_at_most} bytes"
            elif time.monotonic() > deadline:
                stopped = f"it was still running after {timeout_s:g} s"
        if not stopped and not _ends(process, deadline):
            stopped = f"it was still running after {timeout_s:g} s"
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    cut = printed > len(kept)
    code = None if stopped else (process.returncode if process.returncode >= 0 else 128 - process.returncode)
    return Bounded(code, bytes(kept).decode("utf-8", "ignore" if cut else "replace"), cut, stopped)


def _ends(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _read(handle: int) -> bytes | None:
    try:
        return os.read(handle, _CHUNK)
    except BlockingIOError:
        return None
