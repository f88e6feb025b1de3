"""Asking an executable about itself: found by PATH, asked once, with a time limit, and asked again when it changed."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TIME_LIMIT_S = 10.0
_OUTPUT_MAX = 1 << 20
# What a program needs to find itself and to talk plainly. It is only asked for help: it gets no key and no token.
_PASSED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
_PLAIN = {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "200"}
_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")


@dataclass(frozen=True)
class Answer:
    """What a program printed, on both streams, when it was asked. `problem` says why it did not answer."""

    text: str = ""
    problem: str = ""


_Key = tuple[str, int, int, tuple[str, ...], float]
_answers: dict[_Key, Answer] = {}
_lock = threading.Lock()


def find_executable(name: str) -> str | None:
    """The absolute path of an executable: `name` looked up in PATH, or `name` itself where it is a path."""
    found = shutil.which(name)
    return os.path.abspath(found) if found else None


def ask(path: str, arguments: Iterable[str], *, time_limit_s: float = TIME_LIMIT_S) -> Answer:
    """What `path` prints for these arguments. Remembered until the file changes. Never raises, never waits for ever."""
    argv = (path, *arguments)
    try:
        status = os.stat(path)
    except OSError as error:
        return Answer(problem=f"{path}: {error.strerror}")
    key = (os.path.realpath(path), status.st_mtime_ns, status.st_size, argv, time_limit_s)
    with _lock:
        known = _answers.get(key)
    if known is None:
        known = _run(argv, time_limit_s)
        # What went wrong once, a machine under load for instance, may go well the next time.
        if not known.problem:
            with _lock:
                _answers[key] = known
    return known


def version_in(text: str) -> str | None:
    """The first thing in `text` that looks like a version."""
    found = _VERSION.search(text)
    return found.group() if found else None


def missing_words(text: str, words: Iterable[str]) -> tuple[str, ...]:
    """Which of these flags or subcommands do not stand in a help text as words of their own."""
    return tuple(word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text))


def _run(argv: tuple[str, ...], time_limit_s: float) -> Answer:
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | _PLAIN
    # Not in the workspace: many tools read configuration, or run hooks, of the folder they are started in.
    with tempfile.TemporaryDirectory(prefix="waypost-probe-") as folder, open(Path(folder) / "out", "w+b") as output:
        try:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Answer(problem=f"cannot be started: {error}")
        ended = _ended(process, time_limit_s)
        _kill_group(process)
        output.seek(0)
        text = output.read(_OUTPUT_MAX).decode("utf-8", "replace")
    asked = " ".join(argv[1:])
    return Answer(text) if ended else Answer(text, f'"{asked}" did not answer within {time_limit_s:g} s')


def _ended(process: subprocess.Popen[bytes], time_limit_s: float) -> bool:
    deadline = time.monotonic() + time_limit_s
    poll = select.poll()
    handle = os.pidfd_open(process.pid)
    poll.register(handle, select.POLLIN)
    try:
        while process.poll() is None and (left := deadline - time.monotonic()) > 0:
            poll.poll(left * 1000)
    finally:
        os.close(handle)
    return process.poll() is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
