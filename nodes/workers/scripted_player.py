"""Plays a scripted worker's cues in the current folder. A file of its own, standard library only."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any


def play(cue: dict[str, Any]) -> None:
    """Do one cue. Raises SystemExit for `exit` and `lie`, ValueError for a path that leaves the folder."""
    (name, value), *_ = cue.items()
    if name in ("write", "append"):
        path = _inside(value["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if name == "write" else "a", encoding="utf-8") as file:
            file.write(value["text"])
    elif name == "delete":
        _inside(value).unlink()
    elif name in ("say", "lie"):
        print(value, flush=True)
        if name == "lie":
            raise SystemExit(0)
    elif name == "complain":
        print(value, file=sys.stderr, flush=True)
    elif name == "sleep_s":
        time.sleep(value)
    elif name == "usage":
        Path(sys.argv[1]).with_name("usage.json").write_text(json.dumps(value), encoding="utf-8")
    elif name == "hang":
        signal.pause()
    elif name == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "exit":
        raise SystemExit(value)


def _inside(path: str) -> Path:
    root = Path.cwd().resolve()
    target = (root / path).resolve()
    if not target.is_relative_to(root):
        raise ValueError(f"{path!r} leaves the workspace")
    return target


if __name__ == "__main__":
    for item in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        play(item)
