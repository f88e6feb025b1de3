"""Many `waypost` processes from one: the libraries are loaded once, each call is a fork that imports waypost anew."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .cli import TIMEOUT_S, environment

_PROGRAM = """
import json, os, sys
import langgraph.graph, langchain_core.runnables, pydantic, typer, rich.table
import jinja2, psutil, yaml, markdown_it, pathspec

def call(arguments, failpoint):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if failpoint:
        os.environ["WAYPOST_FAILPOINT"] = failpoint
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["waypost", *arguments]
    from waypost.cli.main import main
    main()

print(json.dumps([call(arguments, failpoint) for arguments, failpoint in json.load(sys.stdin)]))
"""


def waypost_each(calls: list[tuple[list[str | Path], str | None]], *, cwd: Path) -> list[int]:
    """The exit codes of these calls, each with its failpoint; negative for the signal that ended it."""
    given = json.dumps([([str(word) for word in words], failpoint) for words, failpoint in calls])
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=given,
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return json.loads(done.stdout)
