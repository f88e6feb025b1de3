"""A second process that writes a thread on demand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kit.ledgers import environment_for

OTHER = """
import sys
from kit.ledgers import Talk
from waypost.checkpointing import LedgerSaver
saver = LedgerSaver(sys.argv[1])
talk = Talk(saver)
talk.put(a="other")
for command in sys.stdin:
    try:
        if command == "put\\n":
            talk.put(a="again")
        if command == "release\\n":
            saver.release("t")
        print("done", flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
"""


class Other:
    """Another process that has written thread `t` and obeys; `inside` is a command that runs it."""

    def __init__(self, root: Path, inside: Sequence[str] = ()) -> None:
        command = [*inside, sys.executable, "-c", OTHER, str(root)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment_for())
        self.do("nothing")

    def do(self, command: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        print(command, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()


@contextmanager
def other_process(root: Path, inside: Sequence[str] = ()) -> Iterator[Other]:
    other = Other(root, inside)
    try:
        yield other
    finally:
        other.process.kill()
        other.process.communicate()
