"""Named points at which the process can be made to die, for tests of crash safety. Nothing happens unless armed.

`WAYPOST_FAILPOINT=node.verify.enter` kills this process with SIGKILL when that point is reached the first time;
`WAYPOST_FAILPOINT=node.verify.enter:3` the third time. The idea is that of FreeBSD's fail(9) and of DBOS's debug
triggers: the product itself names its dangerous instants, so that a test can walk through all of them.
"""

from __future__ import annotations

import os
import signal
import threading

_VARIABLE = "WAYPOST_FAILPOINT"


class _Armed:
    def __init__(self, text: str) -> None:
        name, _, count = text.partition(":")
        self.name = name
        self.left = int(count) if count.isdigit() else 1
        self.lock = threading.Lock()

    def hit(self, name: str) -> None:
        if name != self.name:
            return
        with self.lock:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


_armed = _Armed(os.environ[_VARIABLE]) if os.environ.get(_VARIABLE) else None


def failpoint(name: str) -> None:
    """Die here by SIGKILL if the environment says so."""
    if _armed is not None:
        _armed.hit(name)
