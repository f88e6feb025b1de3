"""Stop signals are heard at once, whatever the main thread is blocked in.

Python runs a signal handler in the main thread, between two of its instructions. A signal that comes just before the
main thread begins to wait for a lock is not handled until the lock is released, which may be hours later. The
interpreter's C handler writes to the wakeup file descriptor even then.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CLOSE = 0


@contextmanager
def stop_signals(heard: Callable[[str, int], None]) -> Generator[None]:
    """While entered, SIGINT and SIGTERM do nothing but call `heard`. Only for the main thread.

    Args:
        heard: called in a thread of its own with the name of the signal, and how many have come by now.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writer, False)
    listener = threading.Thread(target=_listen, args=(reader, heard), name="waypost-signals", daemon=True)
    listener.start()
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _left_to_the_listener) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.write(writer, bytes([_CLOSE]))
        listener.join()
        os.close(writer)
        os.close(reader)


def _listen(reader: int, heard: Callable[[str, int], None]) -> None:
    count = 0
    while (number := os.read(reader, 1)[0]) != _CLOSE:
        if number in STOP_SIGNALS:
            count += 1
            heard(signal.Signals(number).name, count)


def _left_to_the_listener(_number: int, _frame: object) -> None:
    return None
