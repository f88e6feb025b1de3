"""A real terminal: a tmux server of its own, with one window of a known size."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

from .cli import environment
from .waiting import wait_for

# Continuous integration installs it: there a missing tmux is a failure.
NEEDS_TMUX = pytest.mark.skipif(
    shutil.which("tmux") is None and not os.environ.get("CI"), reason="tmux is not installed"
)


class Tmux:
    """A command in a window. Ended, with everything in it, when it is left."""

    def __init__(self, words: Sequence[str], cwd: Path, *, columns: int, lines: int, **variables: str) -> None:
        self._name = f"waypost-{uuid.uuid4().hex[:12]}"
        given = {**environment(), "LC_ALL": "C.UTF-8", **variables}
        shown = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        # What it ended with stays to be seen, and so does what it has printed last.
        line = f"env {shown} {shlex.join(words)}; printf '\\nended %s\\n' $?; exec cat"
        size = ("-x", str(columns), "-y", str(lines))
        # In a folder with a short name: the path of a socket may have 107 bytes.
        given = {name: value for name, value in given.items() if name not in ("TMUX", "CI", "COLUMNS", "LINES")}
        start = ["tmux", "-u", "-L", self._name, "-f", os.devnull, "new-session", "-d", *size, "sh", "-c", line]
        subprocess.run(start, cwd=cwd, env=given, check=True, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, timeout=60)

    def screen(self) -> str:
        """What stands on the screen now, without the blanks at the ends."""
        words = ["tmux", "-L", self._name, "capture-pane", "-p", "-S", "-"]
        text = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
        return "\n".join(line.rstrip() for line in text.splitlines()).rstrip()

    def shows(self, *parts: str) -> str:
        """The screen once it shows all of these."""
        seen = ""

        def found() -> bool:
            nonlocal seen
            seen = self.screen()
            missing = [part for part in parts if part not in seen]
            assert not missing or "\nended " not in seen
            return not missing

        try:
            wait_for(found, timeout_s=120)
        except AssertionError:
            raise AssertionError(f"waited in vain for {parts}, the screen shows\n{seen}") from None
        return seen

    def keys(self, *names: str) -> None:
        """Press keys, by tmux's names for them."""
        subprocess.run(["tmux", "-L", self._name, "send-keys", *names], check=True, timeout=60)
