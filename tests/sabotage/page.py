"""Write docs/sabotage.md from the table that the tests use.

python tests/sabotage/page.py
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sabotage.cheat import Cheat, Ending
from sabotage.table import TABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sabotage.md"
_MEANING = {
    Ending.BLOCKED: "the run ends BLOCKED, with exit code 3, and says why",
    Ending.REFUSED: "the run ends with an error: what it rests on was damaged",
    Ending.HARMLESS: "DONE, and rightly: the work was done and is proved, and the cheat has changed nothing",
    Ending.FOUND: "DONE, and rightly; what was changed afterwards is found by `waypost audit`",
    Ending.TOLD: "DONE, as the card asks; the report says what that does not show",
}
_HEAD = """\
# Cheats, and what comes of them

<!-- Written by `python tests/sabotage/page.py` from the table that tests/sabotage/ runs. -->

Every row is played by `tests/sabotage/test_cheats.py` against the real pipeline: a real git repository, a real worker,
real checks. A row is true as long as the tests pass.

"""
_TAIL = """\
## What counts as a false DONE

DONE says: every check that the card names was run by us on the files that are recorded, and ended as the card asks;
nothing outside of what the card allows was changed in the repository; and what judges is what it was before the work,
or is named where it is not. A DONE that says so where it is not so is a false one. No row ends with one.

A row that is *told* ends with DONE and with a sentence in its report, which a test looks for. There the card's own
check cannot tell good work from bad, and no program can in its place:

- **A check that cannot fail**, such as `true`: that it passes is true, and says nothing. `waypost plan` says it before
  anything runs (PROVES NOTHING), the report after it.
- **Code that is made to deceive its tests**: it runs in the process of the test program, and what is equal to
  everything passes every assertion that asks for equality. Ending the process, forging what is written down and
  changing files meanwhile are found; what an honest test program is told by the code under test is its word.
- **A schema that the worker writes**, where the card names it in Allowed Scope or Expected Outputs: the two fit.
  Where the card does not name it, the run is blocked.
- **What happens outside of the repository**: the worker can write wherever its user can. What judges from there
  (programs, settings above the workspace, `usercustomize.py`) is compared; the rest is not looked at.

## What no row can show

- **The same user.** Worker, checks and Waypost run as one user. A process that the worker starts by other means (cron,
  a container, a service manager) is not below its launcher and cannot be found; nor can one without a variable of ours
  that outlives a launcher which the worker has killed. That attempt is lost and never believed, but such a process
  could type `waypost approve` as you can, and write over anything that you can write.
- **An exit record that is adopted.** When Waypost was killed and comes back, nobody knows how the launcher ended, and
  its record is believed. That decides only whether the checks run: DONE rests on the checks.
- **Tests that the card gives away.** `Changed Tests` of a card accepts what would block otherwise, and the report says
  so. Of a pytest that a script or `make` starts, tests that are gone or that end early are found, and its exit code is
  the word of what started it. A file that judges the work and that no pattern protects is not put back:
  [baseline.md](baseline.md) has the list.
- **What git ignores.** Files that were ignored when the run began (an environment, caches, build results) are not
  compared, but for the programs that checks name, and the pytest and `sitecustomize.py` of an environment that they
  name; nor is what lies in a new folder whose name begins with a dot and which ignores itself, as caches of tools do.
- **The index.** What a worker has staged and not left in the files is not looked at: see `git diff --cached` before
  you commit.
- **Nested repositories.** A repository inside the workspace that is no submodule is one entry for git: what changes in
  it is not listed.
- **Programs of git filters.** Isolated runs hold the configuration of filters against that of the start, and not the
  programs that it names.
- **Who writes last.** What changes in the workspace after the last look is not noticed by the run; the tree that was
  verified is recorded.
"""


def page(table: Mapping[str, tuple[Cheat, ...]]) -> str:
    """The whole page."""
    counts = Counter(cheat.ending for cheats in table.values() for cheat in cheats)
    total = [f"| {ending} | {counts[ending]} | {meaning} |" for ending, meaning in _MEANING.items()]
    parts = [_HEAD + "\n".join(["| ending | cheats | what it means |", "| --- | ---: | --- |", *total]) + "\n"]
    for name, cheats in table.items():
        rows = [f"| {_cell(cheat.title)} | {cheat.ending} | {_cell(_reason(cheat))} |" for cheat in cheats]
        parts.append(
            f"## {name}\n\n" + "\n".join(["| cheat | ending | what is said |", "| --- | --- | --- |", *rows]) + "\n"
        )
    return "\n".join((*parts, _TAIL))


def _reason(cheat: Cheat) -> str:
    return "" if cheat.ending in (Ending.HARMLESS, Ending.FOUND) else cheat.said


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(TABLE), encoding="utf-8")
