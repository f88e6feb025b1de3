"""A copy of the project in which something may be broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mutants.table import Mutant

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("state", "checkpointing", "nodes", "graphs", "cli", "tests")
PATIENCE_S = 600


class DoesNotApply(Exception):
    """The code has changed, and with it what a mutant is to take out."""


def mutated(mutant: Mutant, source: str) -> str:
    """A file's text without what the mutant takes out.

    Raises:
        DoesNotApply: the text is not there, or more than once.
    """
    if source.count(mutant.old) != 1:
        raise DoesNotApply(f"{mutant.name}: {mutant.file} has its text {source.count(mutant.old)} times, not once")
    return source.replace(mutant.old, mutant.new)


def copy_project(folder: Path) -> Path:
    """The project as a package `waypost` in a folder; links and what other tools keep are left out."""
    copy = folder / "waypost"
    copy.mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for room in ROOMS:
        shutil.copytree(PROJECT / room, copy / room, ignore=ignore)
    for path in [*PROJECT.glob("*.py"), PROJECT / "pyproject.toml"]:
        shutil.copy(path, copy)
    return copy


def apply(mutant: Mutant, copy: Path) -> None:
    """Break a copy."""
    path = copy / mutant.file
    path.write_text(mutated(mutant, path.read_text(encoding="utf-8")), encoding="utf-8")


def passes(copy: Path, test: str) -> bool:
    """Whether a test passes in a copy."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "WAYPOST"))}
    environment |= {"PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", test]
    try:
        ran = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"{test} could not be run: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 0


def is_used(copy: Path) -> bool:
    """Whether tests that run in the copy import the copy."""
    where = "import waypost.checkpointing as room; print(room.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
    ran = subprocess.run([sys.executable, "-c", where], cwd=copy, env=environment, capture_output=True, text=True)
    return Path(ran.stdout.strip()).is_relative_to(copy)
