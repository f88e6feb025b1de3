"""Where the `waypost` command begins: Ctrl-C ends it quietly while the command line is still being loaded."""

from __future__ import annotations

import signal
import sys
from importlib import import_module

INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Load the command line and run it."""
    before = signal.getsignal(signal.SIGINT)
    # Python's own handler would show a traceback of whatever is being imported.
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    command_line = import_module(".cli.main", __package__)
    signal.signal(signal.SIGINT, before)
    try:
        command_line.main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
