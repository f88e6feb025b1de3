"""A repository in which everything was changed that git can hold, and some of it hidden from git."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .repos import git, make_repo

ODD_NAME = b'\xff "odd"\\\n\t.bin'


def make_odd(folder: Path) -> Path:
    """A repository with one commit."""
    repo = make_repo(
        folder,
        {
            ".gitattributes": "*.crlf text eol=lf\n*.id ident\n*.up filter=up\n",
            ".gitignore": "ignored/\n*.o\n",
            "text.txt": "one\ntwo\nthree\n",
            "no-end.txt": "one\ntwo",
            "moved/old name.txt": "a rename\n" * 40,
            "gone.txt": "gone\n",
            "script.sh": "#!/bin/sh\n",
            "folder/a.txt": "a\n",
            "folder/b.txt": "b\n",
            "becomes-folder": "a file\n",
            "becomes-file/x": "x\n",
            "link-to-file.txt": "not a link yet\n",
            "hidden.txt": "as it was\n",
            "windows.crlf": "one\ntwo\n",
            "keyword.id": "$Id$\n",
            "loud.up": "loud\n",
        },
    )
    git(repo, "config", "filter.up.clean", "tr a-z A-Z")
    return repo


def change_everything(repo: Path) -> None:
    """Text, binary, names, modes, links, folders, and what settings and flags would hide."""
    (repo / "text.txt").write_text("one\n2\nthree\nfour")
    (repo / "no-end.txt").write_text("one\ntwo\nthree\n")
    (repo / "moved").rename(repo / "moved again")
    (repo / "gone.txt").unlink()
    (repo / "script.sh").chmod(0o755)
    shutil.rmtree(repo / "folder")
    os.symlink("becomes-folder", repo / "folder")
    (repo / "becomes-folder").unlink()
    (repo / "becomes-folder").mkdir()
    (repo / "becomes-folder" / "inside.txt").write_text("inside\n")
    shutil.rmtree(repo / "becomes-file")
    (repo / "becomes-file").write_text("now a file\n")
    (repo / "link-to-file.txt").unlink()
    os.symlink("text.txt", repo / "link-to-file.txt")
    git(repo, "update-index", "--assume-unchanged", "hidden.txt")
    (repo / "hidden.txt").write_text("changed behind git's back\n")
    (repo / "windows.crlf").write_bytes(b"one\r\ntwo\r\n")
    (repo / "keyword.id").write_text("$Id: 1234 $\n")
    (repo / "quiet.up").write_text("lower case\n")
    (repo / "empty.txt").touch()
    (repo / "binary.bin").write_bytes(bytes(range(256)) * 9)
    (repo / "diff.txt").write_text("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-no\n+header\n")
    Path(os.fsdecode(os.fsencode(repo) + b"/" + ODD_NAME)).write_bytes(b"\x00\x01")
    (repo / "ignored").mkdir()
    (repo / "ignored" / "cache").write_text("not part of it\n")


def files_in(folder: Path) -> dict[bytes, tuple[str, bytes]]:
    """Every file that is not git's own and not ignored: path -> kind and content."""
    found: dict[bytes, tuple[str, bytes]] = {}
    for path in sorted(folder.rglob("*")):
        name = os.fsencode(path.relative_to(folder))
        if name.startswith((b".git/", b"ignored/")) or name == b".git":
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(os.readlink(path)))
        elif path.is_file():
            found[name] = ("x" if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else "-", path.read_bytes())
    return found
