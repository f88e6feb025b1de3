"""Whether nodes of a run still run: whoever cancels a run has to know when its threads have come to their end."""

from __future__ import annotations

import threading
from types import TracebackType


class Busy:
    """Counts the nodes that run; enter it for as long as one does."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0

    def __enter__(self) -> None:
        with self._changed:
            self._running += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def wait_for_end(self) -> None:
        """Return once no node runs any more."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
