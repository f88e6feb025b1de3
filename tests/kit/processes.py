"""Whether a process has come to its end."""

from __future__ import annotations

import psutil


def gone(pid: int) -> bool:
    """True as soon as the process has ended: SIGKILL returns before its target is gone."""
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True
