"""Real git repositories to work in."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

GIT = ("git", "-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false", "-c", "gc.auto=0")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def make_repo(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A repository with one commit that holds `files`."""
    shutil.copytree(_template(tuple((files or {"README": "start\n"}).items())), folder, dirs_exist_ok=True)
    # A copy is another file, which git would have to look at again at every command.
    git(folder, "update-index", "-q", "--refresh")
    return folder


@functools.cache
def _template(files: tuple[tuple[str, str], ...]) -> Path:
    """What `make_repo` copies: a few files cost less than two more processes for each test."""
    folder = Path(tempfile.mkdtemp(prefix="waypost-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    git(folder, "init", "-q", "-b", "main")
    for sample in (folder / ".git" / "hooks").glob("*.sample"):
        sample.unlink()
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "start")
    folder.chmod(0o755)
    return folder
