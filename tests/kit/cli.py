"""`waypost` as a user runs it: a real process."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from typer.main import get_command
from typer.testing import CliRunner
from waypost.cli.main import app
from waypost.state.event_schema import check_event

from kit import preloaded

TIMEOUT_S = 120
TELLING = frozenset({"run", "resume", "approve", "reject", "watch"})


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str
    tells: bool = False

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines; those of a run are what the schema says, whichever test reads them."""
        found = [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]
        for event in found if self.tells else ():
            check_event(event)
        return found

    @property
    def result(self) -> dict[str, Any]:
        """The last line of a `--json` run."""
        last = self.events[-1]
        assert last["event"] in ("result", "error"), self
        return last

    @property
    def run_id(self) -> str:
        return next(event["run_id"] for event in self.events if "run_id" in event)

    def started(self) -> list[str]:
        """The stages that began, in order."""
        return [event["node"] for event in self.events if event["event"] == "node_started"]

    def finished(self) -> list[str]:
        """The stages that came to their end, in order."""
        return [event["node"] for event in self.events if event["event"] == "node_finished"]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "waypost", *map(str, arguments)]


def environment(failpoint: str | None = None) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}
    return given if failpoint is None else {**given, "WAYPOST_FAILPOINT": failpoint}


@functools.cache
def _commands() -> Any:
    return get_command(app)


def waypost_here(*arguments: str | Path, cwd: Path) -> Ran:
    """The same command line inside this process: for the many cases where a process of its own adds nothing."""
    # The runner builds the whole tree of commands for each call, which takes as long as many of the calls themselves.
    with contextlib.chdir(cwd), mock.patch("typer.testing._get_command", return_value=_commands()):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr, tells=str(arguments[0]) in TELLING)


def waypost(
    *arguments: str | Path, cwd: Path, failpoint: str | None = None, variables: Mapping[str, str] | None = None
) -> Ran:
    """A process of its own, which a server forks that has everything imported; to its end."""
    process = start_waypost(*arguments, cwd=cwd, failpoint=failpoint, variables=variables)
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    return Ran(process.wait(), out, err, tells=str(arguments[0]) in TELLING)


def start_waypost(
    *arguments: str | Path, cwd: Path, failpoint: str | None = None, variables: Mapping[str, str] | None = None
) -> preloaded.Process:
    """The same, as soon as it has begun."""
    env = {**environment(failpoint), **(variables or {})}
    return preloaded.start([str(argument) for argument in arguments], cwd=cwd, env=env)
