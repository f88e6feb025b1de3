"""What was looked at last, kept in memory by several threads."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Recent(Generic[_Key, _Value]):
    """A few values by key; those that were kept longest ago go first.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._values: dict[_Key, _Value] = {}

    def get(self, key: _Key) -> _Value | None:
        """What was kept, if it is still there."""
        with self._lock:
            return self._values.get(key)

    def keep(self, key: _Key, value: _Value) -> None:
        """Keep a value as the newest."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]
