"""Python processes that can reach this machine only, and leave a note of every attempt to reach another one."""

from __future__ import annotations

import os
from pathlib import Path

_HOOK = """
import os, sys
_LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None}
def _heard(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        host = arguments[1][0] if isinstance(arguments[1], tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in _LOCAL or (host and "ALONE" in os.environ):
        with open(os.environ["WENT_OUT"], "a") as note:
            note.write(f"{event} {host}\\n")
        raise OSError("unplugged")
sys.addaudithook(_heard)
"""


class Unplugged:
    """The environment of such processes.

    Args:
        folder: where the hook and the notes are kept.
    """

    def __init__(self, folder: Path) -> None:
        hooks = folder / "hooks"
        hooks.mkdir(parents=True)
        (hooks / "sitecustomize.py").write_text(_HOOK, encoding="utf-8")
        self._notes = folder / "went-out"
        self._path = str(hooks)

    def environment(self, given: dict[str, str], *, alone: bool = False) -> dict[str, str]:
        """The same, unplugged, and without a key or a wish to trace; `alone` it reaches not even this machine."""
        kept = {name: value for name, value in given.items() if not name.startswith(("LANG", "OTEL_"))}
        path = os.pathsep.join(part for part in (self._path, kept.get("PYTHONPATH")) if part)
        strict = {"ALONE": "1"} if alone else {}
        return {**kept, "PYTHONPATH": path, "WENT_OUT": str(self._notes), **strict}

    def went_out(self) -> list[str]:
        """Every attempt that was noted."""
        return self._notes.read_text(encoding="utf-8").splitlines() if self._notes.exists() else []
