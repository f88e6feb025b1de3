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
## What no row can show

- **The same user.** Worker, checks and Waypost run as one user. A process that the worker starts by other means (cron,
  a container, a service manager) is not below its launcher and cannot be found; nor can one without a variable of ours
  that outlives a launcher which the worker has killed. That attempt is lost and never believed, but such a process
  could type `waypost approve` as you can, and write over anything that you can write.
- **An exit record that is adopted.** When Waypost was killed and comes back, nobody knows how the launcher ended, and
  its record is believed. That decides only whether the checks run: DONE rests on the checks.
- **Tests that the card gives away.** `Changed Tests` of a card accepts what would block otherwise, and the report says
  so. Where a command is no pytest that can be seen as one, the tests that it runs are not compared one by one: its exit
  code has to be right with the first versions of the protected files too, and that is all. A file that judges the work
  and that no pattern protects is not put back: [baseline.md](baseline.md) has the list.
- **What git ignores.** Files that were ignored when the run began (an environment, caches, build results) are not
  compared; nor is what lies in a new folder whose name begins with a dot and which ignores itself, as caches of tools
  do.
- **Nested repositories.** A repository inside the workspace that is no submodule is one entry for git: what changes in
  it is not listed.
- **Programs of git filters.** Isolated runs hold the configuration of filters against that of the start, and not the
  programs that it names.
- **Who writes last.** What changes in the workspace after the last look is not noticed by the run; the report says
  which changes were looked at.
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
