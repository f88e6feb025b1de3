"""Break the ledger in many ways, one at a time, and see that tests notice; the exit code is 1 if one goes unnoticed.

python tests/mutants/run.py [--only TEXT]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mutants.copies import apply, copy_project, is_used, passes
from mutants.table import MUTANTS, Mutant


def main(arguments: list[str]) -> int:
    """Try all mutants, or those whose name has a text in it."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mutants whose name has this in it")
    chosen = [mutant for mutant in MUTANTS if parser.parse_args(arguments).only in mutant.name]
    with tempfile.TemporaryDirectory(prefix="waypost-mutants-") as folder:
        copy = copy_project(Path(folder) / "sound")
        assert is_used(copy), "the copy is not what the tests would import"
        tests = dict.fromkeys(test for mutant in chosen for test in mutant.tests)
        if unsound := [test for test in tests if not passes(copy, test)]:
            print(f"these tests fail without any mutant: {unsound}")
            return 1
        print(f"{len(tests)} tests and test files pass on the sound copy", flush=True)
        survivors = [mutant.name for mutant in chosen if not _noticed(mutant, Path(folder))]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants are noticed")
    for name in survivors:
        print(f"  NOT NOTICED: {name}")
    return 1 if survivors else 0


def _noticed(mutant: Mutant, folder: Path) -> bool:
    copy = copy_project(folder / mutant.name.replace(" ", "-"))
    apply(mutant, copy)
    start = time.monotonic()
    by = next((test for test in mutant.tests if not passes(copy, test)), None)
    print(f"  {mutant.name:<60} {time.monotonic() - start:4.0f} s  {by or 'NOT NOTICED'}", flush=True)
    shutil.rmtree(copy.parent)
    return by is not None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
