"""Asking git so that settings, filters, flags and ignore rules, which a worker can write too, hide nothing."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..git import checked, try_git
from .commit_files import IGNORE_FILE, CommitFiles
from .private_git import PrivateGit, private_git

_PATHS_AT_MOST = 4000
# What git would read as something else than the name itself.
_PATTERN_CHARACTERS = frozenset("*?[]\\!# ")
_CHANGED = {b"R": "deleted", b"C": "modified"}


@dataclass(frozen=True)
class Unhidden:
    """A worktree held against the files of a commit, by a git folder of our own.

    Attributes:
        left_out: a folder that is no part of what is looked at.
    """

    top: Path
    commit: str
    files: CommitFiles
    own: PrivateGit
    left_out: Path

    def differences(self, patterns: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
        """What differs from the commit, and what it does not have and no ignore file of now names: path -> what it is.

        Every file is compared by its content: an index of the repository also says which files need no look, by its
        flags and by the times and sizes that it remembers.

        Args:
            patterns: what is ignored besides.
        """
        excludes = [f"--exclude={pattern}" for pattern in (*patterns, *self._not_walked())]
        words = ("-t", "--modified", "--deleted", "--others", f"--exclude-per-directory={IGNORE_FILE}")
        changed, others = dict[str, str](), dict[str, str]()
        for entry in self._git("ls-files", "-z", *words, *excludes).split(b"\0"):
            tag, _, path = entry.partition(b" ")
            name = os.fsdecode(path)
            if tag == b"?":
                others[name] = "untracked"
            elif tag in _CHANGED and changed.get(name) != "deleted":
                changed[name] = _CHANGED[tag]
        return (changed | self._inside_submodules() if self.files.has_submodules else changed), others

    def others(self, *pathspecs: str) -> list[bytes]:
        """The files that the commit does not have, ignored or not; folders that it ignores as a whole are left out."""
        patterns = (*self.files.ignored_folders(), *self._not_walked())
        excludes = [f"--exclude={pattern}" for pattern in patterns]
        found = self._git("ls-files", "--others", "-z", *excludes, "--", *pathspecs)
        return [path for path in found.split(b"\0") if path]

    def new_ignore_files(self) -> list[bytes]:
        """The ignore files that the commit does not have, but for those in folders that it ignores as a whole."""
        found = _ignore_files(self.top, self.left_out)
        if found is not None and found <= self.files.rules.keys():
            return []
        return self.others(f":(glob)**/{IGNORE_FILE}")

    def not_ignored(self, paths: Iterable[bytes], patterns: tuple[str, ...]) -> list[bytes]:
        """Those of `paths` that neither the ignore files of the commit nor `patterns` name."""
        rules = self._rules()
        exclude = self.own.folder / "info" / "exclude"
        exclude.write_text("".join(f"{pattern}\n" for pattern in patterns), "utf-8", "surrogateescape")
        asked = b"\0".join(paths)
        words = ("check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching")
        said = try_git(rules, *words, environment=self.own.environment(rules), stdin=asked)
        if said.code not in (0, 1):
            checked(said, self.top, words)
        fields = said.out.split(b"\0")
        # Source, line, pattern and path; a path that a negated pattern names is not ignored.
        rows = zip(fields[2::4], fields[3::4], strict=False)
        return [path for pattern, path in rows if not pattern or pattern.startswith(b"!")]

    def _rules(self) -> Path:
        """A folder that holds the ignore files of the commit, each at its place."""
        rules = self.own.folder / "rules"
        if not rules.exists():
            rules.mkdir()
            for name, content in self.files.rules.items():
                path = rules / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return rules

    def _not_walked(self) -> list[str]:
        """The pattern that spares git the walk through the folder that is left out, where it can be written as one."""
        try:
            path = str(self.left_out.relative_to(self.top.resolve()))
        except ValueError:
            return []
        plain = path != "." and path.isprintable() and not _PATTERN_CHARACTERS & set(path)
        return [f"/{path}/"] if plain else []

    def _inside_submodules(self) -> dict[str, str]:
        """Submodules whose own files differ: git has to look into each."""
        words = ("update-index", "-q", "--refresh")
        said = try_git(self.top, *words, environment=self.own.environment(self.top))
        # 1 tells that something differs, which is asked for next.
        if said.code not in (0, 1):
            checked(said, self.top, words)
        words = ("diff-files", "--name-status", "-z", "--no-renames", "--ignore-submodules=none")
        fields = self._git(*words).split(b"\0")
        pairs = zip(fields[0::2], fields[1::2], strict=False)
        return {os.fsdecode(path): "deleted" if kind == b"D" else "modified" for kind, path in pairs}

    def _git(self, *words: str) -> bytes:
        return checked(try_git(self.top, *words, environment=self.own.environment(self.top)), self.top, words).out


@contextmanager
def unhidden(top: Path, commit: str, files: CommitFiles, objects: Path, *, left_out: Path) -> Generator[Unhidden]:
    """The worktree at `top` against the files of `commit`, for as long as the block lasts."""
    with private_git(commit, objects=objects, index=files.index) as own:
        yield Unhidden(top, commit, files, own, left_out)


def _ignore_files(top: Path, left_out: Path) -> set[str] | None:
    """Every ignore file below a folder, in whatever is walked through soon enough; None where that is too much."""
    found, folders, seen = set[str](), [""], 0
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(top / folder) as entries:
                for entry in entries:
                    path = f"{folder}{entry.name}"
                    seen += 1
                    if entry.name == IGNORE_FILE:
                        found.add(path)
                    elif entry.name != ".git" and entry.is_dir(follow_symlinks=False) and top / path != left_out:
                        folders.append(f"{path}/")
        except OSError:
            return None
        if seen > _PATHS_AT_MOST:
            return None
    return found
