"""Writes down which tests a pytest ran and how each ended, for whoever started it.

A copy of this file is loaded by the pytest of a check, in whatever Python the project uses: it imports nothing of ours,
only looks on, and takes its own traces out of the environment before any code of the project runs.
"""

import hashlib
import hmac
import json
import os
from typing import Any

_VARIABLE = "WAYPOST_TESTS"


def _nothing(**_row: Any) -> None:
    return None


def _begin() -> Any:
    told = os.environ.pop(_VARIABLE, "")
    if not told:
        # A pytest that the pytest of the check has started.
        return _nothing
    facts = json.loads(told)
    for name, value in facts["restore"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    key, process, count = bytes.fromhex(facts["key"]), os.urandom(8).hex(), 0

    def say(**row: Any) -> None:
        nonlocal count
        count += 1
        text = json.dumps({**row, "process": process, "row": count})
        line = hmac.new(key, text.encode(), hashlib.sha256).hexdigest() + " " + text + "\n"
        file = os.open(facts["to"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # In one piece: several of one command may write side by side.
            os.write(file, line.encode())
        finally:
            os.close(file)

    return say


_say = _begin()
_say(event="start")


def pytest_configure(config: Any) -> None:
    """Ids are told relative to where pytest was started: its own root depends on files that may come and go."""
    _say(event="root", path=os.path.relpath(str(config.rootdir), str(config.invocation_params.dir)))


def pytest_collectreport(report: Any) -> None:
    """A file or class that could not be collected."""
    if report.failed:
        _say(event="test", id=report.nodeid, when="collect", outcome="failed", xfail=False)


def pytest_runtest_logreport(report: Any) -> None:
    """One phase of one test: set-up and tear-down only where something is to be said about them."""
    if report.when == "call" or report.outcome != "passed":
        xfail = hasattr(report, "wasxfail")
        _say(event="test", id=report.nodeid, when=report.when, outcome=report.outcome, xfail=xfail)


def pytest_sessionfinish(session: Any, exitstatus: Any) -> None:
    """The end, which code that ends the process never comes to."""
    _say(event="finish", exit_code=int(exitstatus))
