"""Few threads at a time do Python's work: of many that could, each only gets in the way of the others.

Python runs one thread at a time, and wakes another one wherever that one waits for a moment, be it for a file.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

_PATIENCE_S = 0.05


class Turns:
    """Turns are a courtesy: who gets none in good time goes on without one, so nobody can wait for ever.

    Args:
        at_once: how many threads have one at a time.
    """

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._mine = threading.local()

    @contextmanager
    def taken(self) -> Generator[None]:
        """Have a turn for as long as the block lasts."""
        if getattr(self._mine, "held", None) is not None:
            raise RuntimeError("this thread takes turns already")
        self._mine.held = self._free.acquire(timeout=_PATIENCE_S)
        try:
            yield
        finally:
            if self._mine.held:
                self._free.release()
            self._mine.held = None

    @contextmanager
    def aside(self) -> Generator[None]:
        """Let others have the turn of this thread, if it takes turns, while it waits for another process."""
        held = getattr(self._mine, "held", None)
        if held is None:
            yield
            return
        if held:
            self._free.release()
        self._mine.held = False
        try:
            yield
        finally:
            self._mine.held = self._free.acquire(timeout=_PATIENCE_S)


# One that runs, and two that wait for a disk meanwhile.
TURNS = Turns(3)
