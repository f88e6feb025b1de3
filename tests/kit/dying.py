"""Dying at a named point without leaving the process: for tests that do it many times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


class Died(BaseException):
    """Nobody but a test may catch it, and whoever has died must not be used again."""


class _Armed:
    def __init__(self, point: str, time: int) -> None:
        self.point, self.left = point, time

    def hit(self, name: str) -> None:
        self.left -= name == self.point
        if not self.left:
            raise Died(name)


@contextmanager
def dying_at(point: str, time: int = 1) -> Iterator[None]:
    """Raise Died when a failpoint is reached for the so-manyth time, and at every one that is reached after it."""
    with mock.patch("waypost.failpoints._armed", _Armed(point, time)):
        yield
