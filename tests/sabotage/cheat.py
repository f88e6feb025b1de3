"""What a cheat is, and how it is played: a real repository, a real run, a real worker."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from kit.cards import card, write_card
from kit.cli import Ran, waypost_here

RUN_ID = "R"
PYTHON = sys.executable
PYTEST = f"env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {PYTHON} -m pytest -q -p no:cacheprovider tests"
FILES = {
    "README": "start\n",
    ".gitignore": "__pycache__/\n/build/\n",
    "calc.py": "def add(a, b):\n    return a - b\n",
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "tests/conftest.py": "",
    "Makefile": "check:\n\t@test -s honest.txt\n",
}


class Ending(StrEnum):
    """What comes of a cheat. None of them is a DONE that says more than is so."""

    BLOCKED = "BLOCKED"
    REFUSED = "refused"
    HARMLESS = "no effect"
    FOUND = "found by audit"
    TOLD = "told"


@dataclass(frozen=True)
class Scene:
    """A repository, the folder of its run, and the files that the run left there."""

    repo: Path
    ran: Ran

    @property
    def run_dir(self) -> Path:
        return self.repo.parent / "runs" / RUN_ID

    def waypost(self, verb: str, *arguments: str) -> Ran:
        return waypost_here(verb, RUN_ID, *arguments, "--runs", self.repo.parent / "runs", "--json", cwd=self.repo)


@dataclass(frozen=True)
class Cheat:
    """One way to cheat.

    Attributes:
        title: what the cheat does, for a reader.
        bash: what the worker runs. The work it was asked for is `honest.txt`, or a mended `calc.py`.
        ending: what has to come of it.
        said: what has to be said about it.
        before: what stands in the workspace before the run.
        afterwards: what is done once the run has ended; what it gives back is asked for `said` too.
        text: the card, where it is not one of a single step with `verify` as its check.
        variables: of the environment that Waypost itself is started with.
    """

    title: str
    bash: str
    ending: Ending
    said: str
    verify: str = "test -s honest.txt"
    scope: str = "- `honest.txt`"
    outputs: str = ""
    options: tuple[str, ...] = ()
    before: Callable[[Path], object] | None = None
    afterwards: Callable[[Scene], str] | None = None
    text: str = ""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def card(self) -> str:
        return self.text or card(bash=self.bash, verify=self.verify, scope=self.scope, outputs=self.outputs)


def on_tests(
    title: str,
    bash: str,
    ending: Ending,
    said: str,
    scope: str = "- `calc.py`",
    before: Callable[[Path], object] | None = None,
) -> Cheat:
    """One that is asked to mend `calc.py`, and is checked by pytest."""
    return Cheat(title, bash, ending, said, verify=PYTEST, scope=scope, before=before)


def reported(scene: Scene) -> str:
    """The report of the run."""
    return (scene.run_dir / "reports" / "T-1" / "report.md").read_text(encoding="utf-8")


def play(cheat: Cheat, start: Path, folder: Path) -> Scene:
    """Run the cheat in a copy of the repository `start`."""
    repo = Path(shutil.copytree(start, folder / "repo", symlinks=True))
    if cheat.before:
        cheat.before(repo)
    path = write_card(folder, cheat.card().replace("{repo}", str(repo)))
    limits = ("--max-rework", "0", "--on-lost", "block")
    where = ("--workspace", repo, "--runs", folder / "runs", "--run-id", RUN_ID, "--json")
    os.environ.update({name: value.format(repo=repo) for name, value in cheat.variables.items()})
    return Scene(repo, waypost_here("run", path, *where, *limits, *cheat.options, cwd=folder))
