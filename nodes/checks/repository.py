"""What git itself says about the repository of a workspace: where its parts are, and by which settings it converts."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...state.errors import WorkspaceError
from ..git import Said, StartedGit, checked, git

_CONVERSIONS = re.compile(rb"(filter\..*|core\.(autocrlf|eol|safecrlf|attributesfile|symlinks|filemode))\Z", re.DOTALL)
_OBJECTS, _EXCLUDE, _ATTRIBUTES, _INDEX = "objects", "info/exclude", "info/attributes", "index"
_LIST = ("config", "-z", "--list")
# A path that begins so stands for another one, which git alone can tell.
_SHORTHANDS = (b"~", b"%", b":")


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes:
        top: the folder of the worktree that the workspace lies in.
        exclude: the repository's own ignore file, outside the worktree.
        attributes: the same for attributes.
        index: what is staged, as the repository itself says.
    """

    top: Path
    objects: Path
    exclude: Path
    attributes: Path
    index: Path


@dataclass(frozen=True)
class Located:
    """A commit in its repository.

    Attributes:
        commit: its full id.
        tree: the id of its tree.
    """

    places: Places
    commit: str
    tree: str


class PlacesAsked:
    """The question where the repository of a workspace has its parts, put to git, which answers in a while."""

    def __init__(self, workspace: Path, commit: str) -> None:
        """Raises WorkspaceError where git cannot be started."""
        self._workspace = workspace
        self._paths = [word for name in (_OBJECTS, _EXCLUDE, _ATTRIBUTES, _INDEX) for word in ("--git-path", name)]
        self._asked = (f"{commit}^{{commit}}", f"{commit}^{{tree}}", "--show-toplevel", *self._paths)
        self._git = StartedGit(workspace, "rev-parse", *self._asked)

    def wait(self) -> Located:
        """As `located`."""
        workspace, asked = self._workspace, self._asked
        out = checked(self._git.wait(), workspace, ("rev-parse", *asked)).out
        lines = out.removesuffix(b"\n").split(b"\n")
        if len(lines) != len(asked) - len(self._paths) // 2:
            # A path holds a line break: each is asked for by itself.
            singly = [asked[0:1], asked[1:2], asked[2:3], *(("--git-path", name) for name in self._paths[1::2])]
            lines = [git(workspace, "rev-parse", *words).removesuffix(b"\n") for words in singly]
        found, tree, top, *parts = lines
        places = Places(_holding(workspace, top), *(workspace / os.fsdecode(part) for part in parts))
        return Located(places, found.decode(), tree.decode())


def located(workspace: Path, commit: str) -> Located:
    """Where the repository of the workspace has its parts, and what `commit` is, which it really holds.

    Raises:
        WorkspaceError: git cannot tell, does not hold the commit and its top folder, or is told by its configuration to
            look at files that lie elsewhere.
    """
    return PlacesAsked(workspace, commit).wait()


def top_of(workspace: Path) -> Path:
    """The folder of the worktree that the workspace lies in.

    Raises:
        WorkspaceError: git cannot tell, or is told by its configuration to look at files that lie elsewhere.
    """
    return _holding(workspace, git(workspace, "rev-parse", "--show-toplevel").removesuffix(b"\n"))


def objects_of(repository: Path) -> Path:
    """Where the repository that a folder belongs to keeps its objects. Raises WorkspaceError."""
    return repository / os.fsdecode(git(repository, "rev-parse", "--git-path", _OBJECTS).removesuffix(b"\n"))


def _holding(workspace: Path, told: bytes) -> Path:
    top = Path(os.fsdecode(told))
    if top != workspace and not workspace.resolve().is_relative_to(top.resolve()):
        raise WorkspaceError(
            f"git does not look at the files of {workspace}",
            facts={"it looks at": top},
            next_step="see core.worktree: git config --show-origin core.worktree",
        )
    return top


class Settings:
    """The configuration of git for a folder: of the repository, the user and the machine."""

    def __init__(self, folder: Path, said: Said) -> None:
        """Take what git has said to `settings_asked`. Raises WorkspaceError where it cannot read its configuration."""
        self._folder = folder
        self._entries = [entry for entry in checked(said, folder, _LIST).out.split(b"\0") if entry]

    def conversions_sha256(self, attributes: Path) -> str:
        """A hash over what makes files of a checkout differ from its commit.

        Attributes in the worktree are not part of it: they are files of the commit.

        Args:
            attributes: the repository's own attributes file, outside the worktree.
        """
        chosen = [entry for entry in self._entries if _CONVERSIONS.match(_name(entry))]
        digest = hashlib.sha256(b"".join(entry + b"\0" for entry in chosen))
        named = self._path("core.attributesFile")
        for path in (attributes, *([Path(named)] if named else [])):
            digest.update(b"\0")
            try:
                digest.update(path.read_bytes())
            except OSError:
                continue
        return digest.hexdigest()

    def ignored_outside(self, exclude: Path) -> tuple[str, ...]:
        """The ignore patterns that stand outside the worktree: of the user, and of the repository's `exclude`."""
        home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
        named = self._path("core.excludesFile")
        return tuple(_patterns((home if named is None else Path(named), exclude)))

    def _path(self, name: str) -> str | None:
        """The path that a setting holds, which may be empty; None where it is not set."""
        key = name.lower().encode()
        values = [entry.partition(b"\n")[2] for entry in self._entries if _name(entry) == key]
        if not values:
            return None
        value = values[-1]
        if value.startswith(_SHORTHANDS):
            value = git(self._folder, "config", "--path", "--get", name).removesuffix(b"\n")
        return os.fsdecode(value)


def settings_asked(folder: Path) -> StartedGit:
    """The question for the settings, put to git. Raises WorkspaceError where git cannot be started."""
    return StartedGit(folder, *_LIST)


def _name(entry: bytes) -> bytes:
    return entry.partition(b"\n")[0]


def _patterns(files: Iterable[Path]) -> Iterable[str]:
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            continue
        yield from (line for line in lines if line.strip() and not line.startswith("#") and line.isprintable())


def require_same_conversions(folder: Path, recorded: str | None) -> None:
    """Raises WorkspaceError where a checkout in `folder` is made by other filters than when the run began."""
    if recorded is None:
        return
    attributes = folder / os.fsdecode(git(folder, "rev-parse", "--git-path", _ATTRIBUTES).removesuffix(b"\n"))
    if recorded != (found := Settings(folder, settings_asked(folder).wait()).conversions_sha256(attributes)):
        raise WorkspaceError(
            f"the filters or attributes of git for {folder} are not those of the start of the run",
            facts={"recorded sha256": recorded, "found sha256": found},
            next_step="see .git/info/attributes and `git config --get-regexp filter`, and start a new run",
        )
