"""Patterns and schemas of strangers, in a process of their own that is given a few seconds and no more."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from ...needs import need
from .kind import NotKept

LIMIT_S = 10.0
_CHILD = Path(__file__).with_name("bounded_child.py")


class Bounded(contextlib.AbstractContextManager["Bounded"]):
    """One such process, started when it is first asked; the next question after one that took too long gets another.

    Args:
        limit_s: for each answer.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._process: subprocess.Popen[bytes] | None = None

    def __exit__(self, *_: object) -> None:
        self._end()

    def holds(self, pattern: str, text: bytes) -> bool:
        """Whether the pattern is found. Raises NotKept: not in time, or it cannot be looked for."""
        return bool(self._ask({"pattern": pattern}, text).get("found"))

    def schema_errors(self, schema: bytes, document: bytes) -> list[str]:
        """What the schema says against the document. Raises NotKept: not in time, no schema, or not installed."""
        told = self._ask({}, schema, document)
        if "absent" in told:
            raise NotKept(f"JSON Schemas need the extra: pip install 'waypost[schema]' ({told['absent']})")
        return [str(error) for error in told["errors"]]

    def _ask(self, asked: dict[str, str], *texts: bytes) -> dict[str, Any]:
        process = self._started()
        request = {**asked, "sizes": [len(text) for text in texts]}
        with contextlib.suppress(BrokenPipeError):
            writer = need(process.stdin, "stdin")
            writer.write(b"".join([json.dumps(request).encode(), b"\n", *texts]))
            writer.flush()
        answer = need(process.stdout, "stdout")
        ready, _, _ = select.select([answer], [], [], self._limit_s)
        line = answer.readline() if ready else b""
        if not line:
            self._end()
            what = f"it took more than {self._limit_s:g} s" if not ready else "it needed too much memory"
            raise NotKept(f"the {'pattern' if 'pattern' in asked else 'schema'} cannot be checked: {what}")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise NotKept(f"it cannot be checked: {told['error']}")
        return told

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
