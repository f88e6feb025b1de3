"""A thread for what need not be waited for: one in a process, begun when it is first needed."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable

Work = Callable[[], float | None]
"""Does what is due now; gives after how many seconds it wants to be called again, None for not at all."""


class Background:
    """Calls work in the order in which it came, or later where it asks for that. Work that raises is dropped."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew, as a forked child must: its parent's thread is not there, nor what that had to do."""
        self._begin = threading.Lock()
        self._came: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def soon(self, work: Work) -> None:
        """Have it called a moment later."""
        self._came.put(work)
        if self._thread is None:
            with self._begin:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="waypost-background", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        later: dict[Work, float] = {}
        while True:
            for work in [self._next(later), *(work for work, at in later.items() if at <= time.monotonic())]:
                if work is None:
                    continue
                later.pop(work, None)
                after_s: float | None = None
                with contextlib.suppress(Exception):
                    after_s = work()
                if after_s is not None:
                    later[work] = time.monotonic() + after_s

    def _next(self, later: dict[Work, float]) -> Work | None:
        try:
            return self._came.get(timeout=max(0.0, min(later.values()) - time.monotonic()) if later else None)
        except queue.Empty:
            return None


BACKGROUND = Background()
os.register_at_fork(after_in_child=BACKGROUND.forget)
