"""Python's collector while many runs go on in one process: what was loaded before them is not walked through again."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

_YOUNG = 10_000


@contextmanager
def collected_rarely() -> Generator[None]:
    """Collections look at what came since, and at more of it at a time; afterwards all is as it was."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
