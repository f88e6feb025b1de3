"""What stop signals do to a run: the first drains it, the next ones stop its workers too."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..nodes.context import RunContext
from ..nodes.workers.stop import stop_attempts
from .signals import stop_signals

# How long a second Ctrl-C is waited for while workers are in flight, and how long stopped workers may take.
PATIENCE_S = 1.0
_STOP_AT_MOST_S = 10.0
_AGAIN_S = 0.2


class Told(Protocol):
    """Receives what a stop signal does."""

    def draining(self, signal_name: str, *, by_hand: bool) -> None: ...
    def stopping(self, signal_name: str, told: int | None) -> None: ...


@contextmanager
def stopping(context: RunContext, run_dirs: Iterable[Path], view: Told) -> Generator[None]:
    """While entered, SIGINT and SIGTERM stop the runs that are driven. Only for the main thread."""
    stopper = _Stopper(context, tuple(run_dirs), view)
    with stop_signals(stopper.heard):
        try:
            yield
        finally:
            stopper.close()


class _Stopper:
    def __init__(self, context: RunContext, run_dirs: tuple[Path, ...], view: Told) -> None:
        self._context = context
        self._run_dirs = run_dirs
        self._view = view
        self._over = threading.Event()
        self._asked_twice = threading.Event()

    def heard(self, name: str, count: int) -> None:
        """Called in the thread that listens to signals."""
        if count == 1:
            by_hand = name == signal.SIGINT.name
            if by_hand:
                self._context.hold.set()
                self._start(self._hold)
            self._context.drain.set()
            self._view.draining(name, by_hand=by_hand)
        elif count == 2:
            self._context.hold.set()
            self._asked_twice.set()
            told = self._tell_workers()
            self._view.stopping(name, told)
            self._start(self._stop)
        else:
            self._view.stopping(name, None)

    def close(self) -> None:
        """The run is no longer driven: nothing is held or stopped any more."""
        self._over.set()

    def _tell_workers(self) -> int:
        return sum(len(stop_attempts(run_dir)) for run_dir in self._run_dirs)

    def _start(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="waypost-stopping", daemon=True).start()

    def _hold(self) -> None:
        """Somebody who types Ctrl-C twice means the workers too: they are not left behind before that can be seen."""
        if not self._asked_twice.wait(PATIENCE_S):
            self._context.hold.clear()

    def _stop(self) -> None:
        """Tell also those that were only about to claim their attempt; give up on workers that cannot be stopped."""
        for _ in range(int(_STOP_AT_MOST_S / _AGAIN_S)):
            if self._over.wait(_AGAIN_S):
                return
            self._tell_workers()
        self._context.hold.clear()
