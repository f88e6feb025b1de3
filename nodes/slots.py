"""How many steps of a run are worked on at the same time. LangGraph's own limit would count its own waiting too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from weakref import WeakValueDictionary

_POLL_S = 0.2


class _Places:
    """So many places; a class of its own because a weak dictionary needs one."""

    def __init__(self, count: int) -> None:
        self.free = threading.Semaphore(count)


class Slots:
    """The places of every run in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_run: WeakValueDictionary[str, _Places] = WeakValueDictionary()

    @contextmanager
    def one_of(self, run_id: str, count: int, give_up: Callable[[], bool]) -> Generator[bool]:
        """Hold one of the `count` places of a run; False where `give_up` said so before one was free."""
        with self._lock:
            places = self._of_run.setdefault(run_id, _Places(count))
        while not (held := places.free.acquire(timeout=_POLL_S)):
            if give_up():
                break
        try:
            yield held
        finally:
            if held:
                places.free.release()
