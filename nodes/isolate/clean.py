"""Find what isolated runs have left in a repository, and remove what holds nothing that is nowhere else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...state.errors import WorkspaceError
from .names import RUN_ROOT, STEP_ROOT, of_branch, put_by_refs, run_branch, step_branches, worktrees
from .repository import Repository
from .worktree import Worktree

_OURS = (f"refs/heads/{RUN_ROOT}/", f"refs/heads/{STEP_ROOT}/", f"refs/{RUN_ROOT}/")


@dataclass(frozen=True)
class Leftover:
    """One thing that a run left.

    Attributes:
        kind: worktree, folder (a worktree no longer), branch or ref.
        keep: why it is not removed; empty where it is, or would be.
    """

    run: str
    kind: str
    name: str
    keep: str = ""


@dataclass(frozen=True)
class Cleaner:
    """Cleans one repository.

    Attributes:
        force: also remove what holds work.
        dry_run: say what would be removed, and remove nothing.
    """

    repo: Repository
    force: bool
    dry_run: bool
    _kept: set[str] = field(default_factory=set[str])

    def runs(self) -> set[str]:
        """The runs that branches of ours are named after."""
        names = self._refs("refs/heads/" + RUN_ROOT, "refs/heads/" + STEP_ROOT)
        return {of_branch(name.removeprefix("refs/heads/")) for name in names}

    def elsewhere(self, run: str, run_dir: Path) -> Path | None:
        """A worktree of that run which stands in another runs folder, and is that folder's business."""
        inside = worktrees(run_dir).resolve()
        for path, branch in self._registered():
            if _is_of(branch, run) and path.exists() and not path.resolve().is_relative_to(inside):
                return path
        return None

    def clean(self, run: str, run_dir: Path) -> Iterator[Leftover]:
        """Everything of one run: its worktrees, then its branches, then what a person had begun to resolve."""
        yield from (self._worktree(run, tree) for tree in self._worktrees(run, run_dir))
        for folder in (worktrees(run_dir) / "steps", worktrees(run_dir)):
            if not self.dry_run and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        yield from (self._branch(run, branch) for branch in self._branches(run))
        for ref in self._refs(put_by_refs(run)):
            keep = "" if self.force else "a person began to resolve a conflict here"
            if not keep and not self.dry_run:
                self.repo.git("update-ref", "-d", ref)
            yield Leftover(run, "ref", ref, keep)

    def _worktrees(self, run: str, run_dir: Path) -> list[Worktree]:
        root = worktrees(run_dir)
        known = {path.resolve(): branch for path, branch in self._registered()}
        found = [root / "run"] if (root / "run").exists() else []
        found += sorted((root / "steps").iterdir()) if (root / "steps").is_dir() else []
        paths = {path.resolve(): path for path in found}
        paths |= {path: path for path, branch in known.items() if _is_of(branch, run) and path not in paths}
        return [Worktree(self.repo, path, known.get(real, "")) for real, path in paths.items()]

    def _worktree(self, run: str, tree: Worktree) -> Leftover:
        registered = bool(tree.branch)
        kind = "worktree" if registered else "folder"
        keep = "" if self.force or not tree.path.exists() else self._work_in(tree)
        if keep:
            self._kept.add(tree.branch)
        elif not self.dry_run:
            if registered:
                self.repo.git("worktree", "remove", "--force", "--force", str(tree.path))
            elif tree.path.exists():
                shutil.rmtree(tree.path)
        return Leftover(run, kind, str(tree.path), keep)

    def _work_in(self, tree: Worktree) -> str:
        if tree.admin() is None:
            return "it is no worktree any more, and may hold work"
        try:
            changed = tree.uncommitted()
            loose = self._only_here(tree.head(), besides=_OURS[2:])
        except WorkspaceError as error:
            return f"git cannot tell what it holds: {error}"
        if changed:
            return f"it holds work that is not committed: {', '.join(changed[:5])}"
        return f"its HEAD holds {loose} commits that no branch holds" if loose else ""

    def _branches(self, run: str) -> list[str]:
        # The run's own first: what it holds need not be kept for the steps once more.
        refs = self._refs(f"refs/heads/{run_branch(run)}", f"refs/heads/{step_branches(run)}")
        return [ref.removeprefix("refs/heads/") for ref in sorted(refs, key=lambda ref: (STEP_ROOT in ref, ref))]

    def _branch(self, run: str, branch: str) -> Leftover:
        keep = ""
        if not self.force:
            loose = self._only_here(f"refs/heads/{branch}", besides=_OURS)
            if loose:
                keep = f"it holds {loose} commit{'s' if loose > 1 else ''} that no other branch holds"
            elif branch in self._kept:
                keep = "its worktree is kept"
        if keep:
            self._kept.add(branch)
        elif not self.dry_run:
            self.repo.git("branch", "--quiet", "-D", branch)
        return Leftover(run, "branch", branch, keep)

    def _only_here(self, commit: str, *, besides: tuple[str, ...]) -> int:
        """How many commits of its history are in no ref but those `besides`; what is kept of ours counts as held."""
        others = [*(f"--exclude={prefix}*" for prefix in besides), "--all"]
        kept = [ref for branch in self._kept if self.repo.commit_of(ref := f"refs/heads/{branch}")]
        return int(self.repo.git("rev-list", "--count", "--single-worktree", commit, "--not", *others, *kept).text)

    def _refs(self, *prefixes: str) -> list[str]:
        return self.repo.git("for-each-ref", "--format=%(refname)", *prefixes).text.splitlines()

    def _registered(self) -> Iterator[tuple[Path, str]]:
        """Every worktree that git knows of, with its branch; detached ones have an empty one."""
        for block in self.repo.git("worktree", "list", "--porcelain").text.split("\n\n"):
            rows: dict[str, str] = {}
            for line in block.splitlines():
                name, _, value = line.partition(" ")
                rows[name] = value
            if "worktree" in rows:
                yield Path(rows["worktree"]), rows.get("branch", "").removeprefix("refs/heads/")


def _is_of(branch: str, run: str) -> bool:
    return branch == run_branch(run) or branch.startswith(step_branches(run))
