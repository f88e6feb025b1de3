"""All cheats, by what they are done to."""

from __future__ import annotations

from . import of_checks, of_git, of_kinds, of_processes, of_records, of_tests

TABLE = {
    "The tests": of_tests.CHEATS,
    "The scope, and git": of_git.CHEATS,
    "Processes and programs": of_processes.CHEATS,
    "Records and answers": of_records.CHEATS,
    "Checks and outputs": of_checks.CHEATS,
    "Kinds of check": of_kinds.CHEATS,
}
ALL = tuple(cheat for cheats in TABLE.values() for cheat in cheats)
