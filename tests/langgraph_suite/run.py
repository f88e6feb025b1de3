"""LangGraph's own test suite, run with LedgerSaver in place of its checkpointers.

    python tests/langgraph_suite/run.py                    everything that is published with the installed langgraph
    python tests/langgraph_suite/run.py --short            what CI runs: time travel, interrupts, subgraphs, deltas
    python tests/langgraph_suite/run.py --mode encrypted   with a saver that encrypts
    python tests/langgraph_suite/run.py --mode strict      with LANGGRAPH_STRICT_MSGPACK=true
    python tests/langgraph_suite/run.py -- -k fork -x      what follows `--` goes to pytest

The tests come from the source distribution of the installed version, on PyPI; the few packages they need beside what
is installed go into a folder of their own. Both are kept in `.cache/`, so only the first run needs the network.
Nothing of the suite is edited or copied into this repository. The exit code is pytest's, and never 0 if LedgerSaver
served no test; 69 means that the tests, or what they import, were not to be had.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

from fetch import packages, unpacked
from selection import MODES, SHORT

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "langgraph_suite"
UNAVAILABLE = 69


def main(arguments: list[str]) -> int:
    """Fetch what is missing, run, and give pytest's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=MODES, default="plain", help="which LedgerSaver the tests are given")
    parser.add_argument("--short", action="store_true", help="only the files in which a wrong checkpointer shows most")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="folder for what is downloaded (default: %(default)s)"
    )
    own, for_pytest = split(arguments)
    options = parser.parse_args(own)
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    try:
        suite = unpacked(cache, importlib.metadata.version("langgraph"))
        extra = packages(cache, suite)
    except subprocess.CalledProcessError as error:
        print(f"LangGraph's tests were not run: {error}; {cache} does not have it, and it", file=sys.stderr, end=" ")
        print("cannot be downloaded", file=sys.stderr)
        return UNAVAILABLE
    return run_tests(suite, extra, options.mode, options.short, for_pytest)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What is ours, and what follows `--`."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def run_tests(suite: Path, extra: Path, mode: str, short: bool, for_pytest: list[str]) -> int:
    """Run pytest in the folder of the suite."""
    ours = ["-p", "ledger_plugin", "--ledger-mode", mode]
    theirs = ["-p", "no:cacheprovider", "-o", "addopts=--snapshot-warn-unused", "-o", "timeout=120", "-q"]
    strict = ["-W", "error::pytest.PytestUnhandledThreadExceptionWarning"]
    found = {name: [str(path) for path in sorted(suite.glob(f"tests/{name}"))] for name in SHORT}
    if short and (missing := [name for name, paths in found.items() if not paths]):
        print(f"this version of LangGraph has no tests {', '.join(missing)}: see selection.py", file=sys.stderr)
        return 1
    files = [path for paths in found.values() for path in paths] if short else ["tests"]
    command = [sys.executable, "-m", "pytest", *ours, *theirs, *strict, *files, *for_pytest]
    return subprocess.run(command, cwd=suite, env=environment(extra, mode), check=False).returncode


def environment(extra: Path, mode: str) -> dict[str, str]:
    """No servers, no tracing to anywhere, and strictness as the mode says."""
    foreign = ("LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    path = os.pathsep.join(filter(None, [str(HERE), str(extra), os.environ.get("PYTHONPATH")]))
    strict = {"LANGGRAPH_STRICT_MSGPACK": "true"} if mode == "strict" else {}
    return {**kept, **strict, "NO_DOCKER": "true", "PYTHONPATH": path}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
