"""Asking git so that settings, filters, flags and ignore rules, which a worker can write too, hide nothing."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ...state.errors import WorkspaceError
from ..git import checked, git, try_git

IGNORE_FILE = ".gitignore"
_SHA1_DIGITS = 40
# Files are compared byte by byte: a filter or an encoding would show git other content than a program reads.
_ATTRIBUTES = "* -filter -text -ident !eol !working-tree-encoding\n"
_CONFIG = "[core]\n\tbare = false\n\tattributesFile = /dev/null\n\texcludesFile = /dev/null\n"
_CONVERSIONS = r"^(filter\..*|core\.(autocrlf|eol|safecrlf|attributesfile|symlinks|filemode))$"
_NO_OTHERS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_ATTR_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Unhidden:
    """A repository seen through a git folder of our own: of what can be written to the real one, only objects are used.

    Attributes:
        commit: what the worktree is compared with.
        files_sha256: a hash over path, mode and content hash of every file of the commit.
    """

    top: Path
    commit: str
    folder: Path
    objects: Path
    files_sha256: str = ""

    def read(self) -> str:
        """Make the index, and look at every file of the worktree; the hash over the files of the commit."""
        self._git("read-tree", self.commit)
        files = self._git("ls-files", "--stage", "-z")
        words = ("update-index", "-q", "--refresh")
        said = try_git(self.top, *words, environment=self._environment(self.top))
        # 1 tells that something differs, which is asked for next.
        if said.code not in (0, 1):
            checked(said, self.top, words)
        return hashlib.sha256(files).hexdigest()

    def changed(self) -> bytes:
        """`git diff-index --name-status -z` between the commit and the worktree."""
        words = ("diff-index", "--name-status", "-z", "--no-renames", "--ignore-submodules=none", self.commit, "--")
        return self._git(*words)

    def others(self, *pathspecs: str) -> list[bytes]:
        """The files that the commit does not have, ignored or not; folders that it ignores as a whole are left out."""
        excludes = [f"--exclude={pattern}" for pattern in self._ignored_folders()]
        found = self._git("ls-files", "--others", "-z", *excludes, "--", *pathspecs)
        return [path for path in found.split(b"\0") if path]

    def holds(self, folder: str) -> bool:
        """True where the commit has a file in that folder."""
        return bool(self._git("ls-files", "-z", "--", f":(literal){folder}"))

    def not_ignored(self, paths: Iterable[bytes], patterns: tuple[str, ...]) -> list[bytes]:
        """Those of `paths` that neither the ignore files of the commit nor `patterns` name."""
        rules = self._rules()
        exclude = self.folder / "info" / "exclude"
        exclude.write_text("".join(f"{pattern}\n" for pattern in patterns), "utf-8", "surrogateescape")
        asked = b"\0".join(paths)
        words = ("check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching")
        said = try_git(rules, *words, environment=self._environment(rules), stdin=asked)
        if said.code not in (0, 1):
            checked(said, self.top, words)
        fields = said.out.split(b"\0")
        # Source, line, pattern and path; a path that a negated pattern names is not ignored.
        rows = zip(fields[2::4], fields[3::4], strict=False)
        return [path for pattern, path in rows if not pattern or pattern.startswith(b"!")]

    def _ignored_folders(self) -> list[str]:
        """The patterns of the commit for whole folders, which are not walked through; none where any is taken back."""
        files = [path.read_text("utf-8", "surrogateescape") for path in self._rules().rglob(IGNORE_FILE)]
        if any(line.startswith("!") for text in files for line in text.splitlines()):
            return []
        top = self._rules() / IGNORE_FILE
        lines = top.read_text("utf-8", "surrogateescape").splitlines() if top.exists() else []
        return [line for line in lines if line.endswith("/") and not line.startswith("#") and line.isprintable()]

    def _rules(self) -> Path:
        """A folder that holds the ignore files of the commit, each at its place."""
        rules = self.folder / "rules"
        if rules.exists():
            return rules
        rules.mkdir()
        for entry in self._git("ls-files", "--stage", "-z").split(b"\0"):
            facts, _, name = entry.partition(b"\t")
            if os.path.basename(name) == IGNORE_FILE.encode() and facts.startswith(b"100"):
                path = rules / os.fsdecode(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self._git("cat-file", "blob", facts.split()[1].decode()))
        return rules

    def _git(self, *words: str) -> bytes:
        return checked(try_git(self.top, *words, environment=self._environment(self.top)), self.top, words).out

    def _environment(self, worktree: Path) -> dict[str, str]:
        return {**no_others(self.folder, worktree), "GIT_OBJECT_DIRECTORY": str(self.objects)}


def make_git_folder(folder: Path, commit: str) -> None:
    """Make an empty git folder of our own, under which no file is converted; `commit` tells how long its ids are."""
    for part in ("objects", "refs", "info"):
        (folder / part).mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    version = "\trepositoryFormatVersion = 0\n"
    if len(commit) != _SHA1_DIGITS:
        version = "\trepositoryFormatVersion = 1\n[extensions]\n\tobjectFormat = sha256\n"
    (folder / "config").write_text(_CONFIG + version)
    (folder / "info" / "attributes").write_text(_ATTRIBUTES)


def no_others(folder: Path, worktree: Path) -> dict[str, str]:
    """Variables under which git sees that folder and that worktree, and no settings but the folder's."""
    index = str(folder / "index")
    return {**_NO_OTHERS, "GIT_DIR": str(folder), "GIT_WORK_TREE": str(worktree), "GIT_INDEX_FILE": index}


def objects_of(top: Path) -> Path:
    """Where the repository that `top` belongs to keeps its objects."""
    return _git_path(top, "objects")


@contextmanager
def unhidden(top: Path, commit: str) -> Generator[Unhidden]:
    """The worktree at `top` against `commit`, for as long as the block lasts.

    The index is read from the commit and never from the repository: an index also says which files need no look, by its
    flags and by the times and sizes that it remembers.

    Raises:
        WorkspaceError: git cannot read the commit.
    """
    with tempfile.TemporaryDirectory(prefix="waypost-") as name:
        folder = Path(name)
        make_git_folder(folder, commit)
        view = Unhidden(top, commit, folder, objects_of(top))
        yield replace(view, files_sha256=view.read())


def require_same_files(view: Unhidden, recorded: str | None) -> None:
    """Raises WorkspaceError where the commit does not hold the files that it held when the run began.

    A commit's id vouches for its files only as long as nobody writes other objects under the ids of its folders.
    """
    if recorded is not None and recorded != view.files_sha256:
        raise WorkspaceError(
            f"commit {view.commit[:12]} of {view.top} does not hold the files that it held when the run began",
            facts={"recorded sha256": recorded, "found sha256": view.files_sha256},
            next_step="run `git fsck --full` there, and start a new run from a repository that is whole",
        )


def conversions_sha256(folder: Path) -> str:
    """A hash over the settings of the repository and the user that make files of a checkout differ from its commit.

    Attributes in the worktree are not part of it: they are files of the commit.

    Raises:
        WorkspaceError: git cannot read its configuration.
    """
    words = ("config", "-z", "--get-regexp", _CONVERSIONS)
    said = try_git(folder, *words)
    # 1 says that none is set.
    if said.code not in (0, 1):
        checked(said, folder, words)
    named = git(folder, "config", "--path", "--default", "", "--get", "core.attributesFile").rstrip(b"\n")
    digest = hashlib.sha256(said.out)
    for path in (_git_path(folder, "info/attributes"), *([Path(os.fsdecode(named))] if named else [])):
        digest.update(b"\0")
        try:
            digest.update(path.read_bytes())
        except OSError:
            continue
    return digest.hexdigest()


def require_same_conversions(folder: Path, recorded: str | None) -> None:
    """Raises WorkspaceError where a checkout in `folder` is made by other filters than when the run began."""
    if recorded is not None and recorded != (found := conversions_sha256(folder)):
        raise WorkspaceError(
            f"the filters or attributes of git for {folder} are not those of the start of the run",
            facts={"recorded sha256": recorded, "found sha256": found},
            next_step="see .git/info/attributes and `git config --get-regexp filter`, and start a new run",
        )


def top_of(workspace: Path) -> Path:
    """The folder of the worktree that the workspace lies in.

    Raises:
        WorkspaceError: git cannot tell, or is told by its configuration to look at files that lie elsewhere.
    """
    top = Path(os.fsdecode(git(workspace, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    if not workspace.resolve().is_relative_to(top.resolve()):
        raise WorkspaceError(
            f"git does not look at the files of {workspace}",
            facts={"it looks at": top},
            next_step="see core.worktree: git config --show-origin core.worktree",
        )
    return top


def ignored_outside(workspace: Path) -> tuple[str, ...]:
    """The ignore patterns that stand outside the worktree: of the repository's `info/exclude`, and the user's own."""
    top = top_of(workspace)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    named = git(top, "config", "--path", "--default", str(home), "--get", "core.excludesFile").rstrip(b"\n")
    found: list[str] = []
    for path in (Path(os.fsdecode(named)), _git_path(top, "info/exclude")):
        try:
            lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            continue
        found += [line for line in lines if line.strip() and not line.startswith("#") and line.isprintable()]
    return tuple(found)


def _git_path(top: Path, name: str) -> Path:
    return top / os.fsdecode(git(top, "rev-parse", "--git-path", name).rstrip(b"\n"))
