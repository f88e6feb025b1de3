"""`make demo`: a real git repository with a failing test, a card that fixes it, and the proof that it did.

Works in a new folder below `.artifacts/demo/`, so that what it leaves can be looked at afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMOS = HERE.parents[1] / ".artifacts" / "demo"
GIT = ["git", "-c", "user.name=Demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"]


def main() -> int:
    DEMOS.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix="bugfix-", dir=DEMOS))
    shutil.copytree(HERE / "project", workspace, dirs_exist_ok=True)
    (workspace / ".gitignore").write_text("__pycache__/\n.artifacts/\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "A median with a bug"]):
        subprocess.run([*GIT, *command], cwd=workspace, check=True)

    print("before: python3 -m unittest discover", flush=True)
    tests = [sys.executable, "-m", "unittest", "discover"]
    before = subprocess.run(tests, cwd=workspace, capture_output=True, text=True, check=False)
    print(f"        exit code {before.returncode}: {before.stderr.strip().splitlines()[-1]}\n", flush=True)

    return subprocess.run(
        [
            *(sys.executable, "-m", "waypost", "run", str(HERE / "tasks.md")),
            *("--workspace", str(workspace)),
            *("--runs", str(workspace / ".artifacts" / "agent_runs")),
        ],
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
