"""The files that were verified, held against git where it is at hand, and against the recorded change where not."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kit.cards import write_card
from kit.cli import waypost_here
from kit.repos import git, make_repo
from waypost.cli.compose import open_saver
from waypost.cli.ledger_facts import facts_of
from waypost.nodes.audit.finding import Found
from waypost.nodes.audit.outputs import audit_outputs
from waypost.nodes.audit.scope import audit_scope
from waypost.nodes.audit.tree import audit_tree
from waypost.nodes.checks.borrowed import borrowed
from waypost.nodes.evidence.files import open_run_folder
from waypost.state.pipeline import PipelineState
from waypost.state.records import CheckKind

from audit.bundles import CARD

EVIL = (
    b"diff --git a/evil.txt b/evil.txt\nnew file mode 100644\n"
    b"index 0000000000000000000000000000000000000000..e7ed2a7d3f8c84eb0a50ae5d34d3c4e76e84bb1b\n"
    b"--- /dev/null\n+++ b/evil.txt\n@@ -0,0 +1 @@\n+evil\n"
)


@dataclass
class Done:
    """A run that is DONE, in a repository where a file was changed before, and its records to be forged."""

    repo: Path
    run_dir: Path
    state: PipelineState

    def found(self, repository: Path | None) -> list[tuple[Found, str, str]]:
        with open_run_folder(self.run_dir) as run:
            every = [*audit_scope(self.state, run), *audit_tree(self.state, run, self.run_dir, repository)]
        return [(one.found, one.subject, one.what) for one in every]

    def wrong(self, repository: Path | None) -> str:
        return "\n".join(
            f"{subject}: {what}" for found, subject, what in self.found(repository) if found is Found.WRONG
        )

    def not_checked(self, repository: Path | None) -> list[str]:
        return [subject for found, subject, _ in self.found(repository) if found is Found.NOT_CHECKED]

    def tree(self, **changes: Any) -> None:
        assert self.state.tree is not None
        self.state = self.state.model_copy(update={"tree": self.state.tree.model_copy(update=changes)})

    def patch(self, change: Callable[[bytes], bytes]) -> None:
        assert self.state.tree is not None
        assert self.state.tree.patch is not None
        path = self.run_dir / self.state.tree.patch
        path.write_bytes(change(path.read_bytes()))
        self.tree(patch_sha256=hashlib.sha256(path.read_bytes()).hexdigest())

    def scope(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        (check,) = [check for check in self.state.checks if check.kind is CheckKind.SCOPE]
        path = self.run_dir / str(check.log)
        rows = change([json.loads(line) for line in path.read_text().splitlines()])
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    repo = make_repo(folder / "repo", {"README": "start\n", "mine.txt": "as committed\n"})
    (repo / "mine.txt").write_text("not committed\n")
    where = ("--workspace", repo, "--runs", folder / "runs", "--run-id", "R")
    ran = waypost_here("run", write_card(folder, CARD.format(task="T-1", what="hello")), *where, cwd=folder)
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def done(original: Path, tmp_path: Path) -> Done:
    runs = Path(shutil.copytree(original / "runs", tmp_path / "runs"))
    with open_saver(runs, read_only=True) as saver:
        state = facts_of(saver, runs / "R", "R").state
    assert state is not None
    return Done(original / "repo", runs / "R", state)


def test_a_run_is_verified_with_git_and_nothing_is_left_open(done: Done):
    assert {found for found, _, _ in done.found(done.repo)} == {Found.OK}


def test_without_the_repository_the_change_is_compared_and_the_rest_is_told(done: Done):
    assert (done.wrong(None), done.not_checked(None)) == ("", ["git", "mine.txt"])


def test_a_repository_without_the_commit_is_told_and_the_change_is_still_compared(done: Done, tmp_path: Path):
    other = make_repo(tmp_path / "other", {"a": "b\n"})
    assert (done.wrong(other), done.not_checked(other)) == ("", ["git", "mine.txt"])
    done.patch(lambda patch: patch + EVIL)
    assert "has not seen ['evil.txt']" in done.wrong(other)


def test_a_folder_that_is_no_repository_is_told(done: Done, tmp_path: Path):
    assert (done.wrong(tmp_path), done.not_checked(tmp_path)) == ("", ["git", "mine.txt"])


def test_another_change_makes_another_tree(done: Done):
    done.patch(lambda patch: patch.replace(b"+hello", b"+hullo"))
    assert "makes tree" in done.wrong(done.repo) or "does not apply" in done.wrong(done.repo)


def test_a_change_that_does_not_apply_is_wrong(done: Done):
    done.patch(lambda patch: patch.replace(b"-as committed", b"-as invented"))
    assert "does not apply to commit" in done.wrong(done.repo)


@pytest.mark.parametrize("at_hand", [True, False], ids=["with git", "without"])
def test_a_file_that_scope_has_not_seen_is_wrong(done: Done, at_hand: bool):
    done.patch(lambda patch: patch + EVIL)
    copy = Path(shutil.copytree(done.repo, done.run_dir.parent / "copy"))
    (copy / "evil.txt").write_text("evil\n")
    git(copy, "add", "-A")
    done.tree(tree=git(copy, "write-tree"))
    said = done.wrong(done.repo if at_hand else None)
    assert "has not seen ['evil.txt']" in said
    assert "['evil.txt'] of them outside the allowed scope" in said


@pytest.mark.parametrize("at_hand", [True, False], ids=["with git", "without"])
def test_a_row_that_was_taken_out_of_the_scope_log_is_missed(done: Done, at_hand: bool):
    done.scope(lambda rows: [])
    assert "has not seen ['out.txt']" in done.wrong(done.repo if at_hand else None)


@pytest.mark.parametrize("at_hand", [True, False], ids=["with git", "without"])
def test_a_row_that_was_put_into_the_scope_log_is_found(done: Done, at_hand: bool):
    done.scope(lambda rows: [*rows, {"change": "added", "path": "more.txt", "allowed": True}])
    said = done.wrong(done.repo if at_hand else None)
    assert "lists ['more.txt']" in said
    assert "calls allowed, or not allowed, what the globs of the task do not: ['more.txt']" in said


def test_what_differed_before_and_was_changed_in_the_run_too_is_told_with_git(done: Done):
    assert done.state.baseline is not None
    before = done.state.baseline.model_copy(update={"dirty": {"mine.txt": "0" * 64}})
    done.state = done.state.model_copy(update={"baseline": before})
    assert "has not seen ['mine.txt']" in done.wrong(done.repo)


def test_a_commit_that_held_other_files_when_the_run_began_is_wrong(done: Done):
    assert done.state.baseline is not None
    before = done.state.baseline.model_copy(update={"files_sha256": "0" * 64})
    done.state = done.state.model_copy(update={"baseline": before})
    assert "when the run began" in done.wrong(done.repo)


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "another tree": ({"tree": "1" * 40}, "makes tree"),
    "another round": ({"round": 2}, "is that of round 2"),
    "another base": ({"base": "1" * 40}, "counts from commit"),
    "no change and no reason": ({"patch": None}, "either a change, or a reason"),
    "a change and a reason": ({"why_no_patch": "lost"}, "either a change, or a reason"),
}


@pytest.mark.parametrize(("changes", "said"), FORGED.values(), ids=FORGED)
def test_a_forged_record_is_wrong(done: Done, changes: dict[str, Any], said: str):
    done.tree(**changes)
    assert said in done.wrong(done.repo)


def test_done_without_the_files_that_were_verified_is_wrong(done: Done):
    done.state = done.state.model_copy(update={"tree": None})
    assert "does not record which files were verified" in done.wrong(done.repo)


def test_where_no_change_was_kept_that_is_told(done: Done):
    done.tree(patch=None, patch_sha256=None, why_no_patch="it is large")
    assert done.not_checked(done.repo) == ["git", "git"]
    assert done.wrong(done.repo) == ""


def test_an_output_that_is_not_among_the_files_is_told_and_an_empty_one_is_wrong(done: Done):
    task = done.state.task
    assert task is not None
    outputs = {"out.txt": "ok", "ignored.log": "not checked", "empty.txt": "wrong"}
    git_tree = Path(shutil.copytree(done.repo, done.run_dir.parent / "copy"))
    (git_tree / "empty.txt").touch()
    git(git_tree, "add", "-A")
    tree = git(git_tree, "write-tree")
    assert done.state.tree is not None
    for path, wanted in outputs.items():
        step = task.steps[0].model_copy(
            update={"outputs": (task.steps[0].outputs[0].model_copy(update={"path": path}),)}
        )
        state = done.state.model_copy(update={"task": task.model_copy(update={"steps": (step,)})})
        with borrowed(git_tree, done.state.tree.base) as own:
            (found,) = audit_outputs(state, done.state.tree.model_copy(update={"tree": tree}), own)
        assert found.found.value == wanted, path


def test_files_of_another_repository_are_told(done: Done):
    done.tree(omitted=("vendor/lib",))
    assert "vendor/lib" in done.not_checked(done.repo)


def test_the_command_line_takes_the_repository_of_a_bundle(original: Path, tmp_path: Path):
    bundle = tmp_path / "R.tar.gz"
    assert waypost_here("bundle", "R", "--runs", original / "runs", "--out", bundle, cwd=tmp_path).code == 0

    def areas(*options: str | Path) -> set[str]:
        ran = waypost_here("audit", bundle, "--json", *options, cwd=tmp_path)
        assert ran.code == 0, ran.out
        return {row["area"] for row in ran.events[-1]["findings"] if row["found"] == "not checked"}

    assert areas() == {"scope", "signature"}
    assert areas("--repository", original / "repo") == {"signature"}
    assert waypost_here("audit", bundle, "--repository", tmp_path / "none", cwd=tmp_path).code == 2
