"""Which run a thread of the server is: the server takes UUIDs only, runs have names."""

from __future__ import annotations

import threading
from pathlib import Path

from ..state.ids import is_server_thread, server_thread


class Names:
    """The runs in a folder by the ids that the server knows them by.

    Args:
        root: the folder of all runs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._runs: dict[str, str] = {}

    def run_of(self, thread: object) -> str:
        """The name of the run that a thread is; of a thread that is no run started elsewhere, its own id."""
        given = str(thread)
        # A thread that the server made has its own id for a name: its folder answers without looking through all.
        if not is_server_thread(given) or (self._root / given).is_dir():
            return given
        with self._lock:
            if given not in self._runs:
                self._runs = {server_thread(name): name for name in self._names()}
            return self._runs.get(given, given)

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self._root.iterdir() if not path.name.startswith(".")]
        except OSError:
            return []
