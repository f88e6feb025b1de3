"""What was verified is kept so that it can be put together again, byte for byte, and nobody's repository is written."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.odd_changes import ODD_NAME, change_everything, files_in, make_odd
from kit.repos import git, make_repo
from waypost.nodes.checks import snapshot as module
from waypost.nodes.checks.borrowed import borrowed
from waypost.nodes.checks.snapshot import Snapshot, snapshot_of_commit, snapshot_of_workspace
from waypost.nodes.checks.tools import tool_named, tools_of
from waypost.nodes.checks.workspace import changes_since, look, read_baseline
from waypost.nodes.evidence.patch import read_patch
from waypost.nodes.workers.launcher.masking import Masker
from waypost.state.errors import EvidenceError
from waypost.state.pipeline import Baseline
from waypost.state.records import Check, CheckKind, Outcome


def take(repo: Path, change: Callable[[Path], object] = change_everything, masker: Masker | None = None) -> Snapshot:
    baseline = read_baseline(repo, runs_dir=repo / ".artifacts")
    change(repo)
    return of(repo, baseline, masker or Masker())


def of(workspace: Path, baseline: Baseline, masker: Masker | None = None) -> Snapshot:
    seen = look(workspace, baseline, runs_dir=workspace / ".artifacts")
    return snapshot_of_workspace(workspace, baseline.commit, seen, masker=masker or Masker())


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Snapshot]:
    repo = make_odd(tmp_path_factory.mktemp("odd") / "repo")
    return repo, take(repo)


def patch_of(found: Snapshot) -> bytes:
    assert found.patch is not None, found.why_no_patch
    return found.patch


def test_the_change_leads_from_the_commit_to_the_files_byte_for_byte(odd: tuple[Path, Snapshot], tmp_path: Path):
    repo, found = odd
    (tmp_path / "patch").write_bytes(patch_of(found))
    with borrowed(repo, found.base, tmp_path / "again") as own:
        own.worktree.mkdir()
        own.start(found.base)
        own.apply(tmp_path / "patch")
        assert own.write() == found.tree
        own.git("checkout-index", "--all")
        assert files_in(own.worktree) == files_in(repo)


def test_the_change_can_be_read_without_git(odd: tuple[Path, Snapshot]):
    repo, found = odd
    rows = {row.path: row.kind for row in read_patch(io.BytesIO(patch_of(found)))}
    with borrowed(repo, found.base) as own:
        own.start(found.base)
        (own.folder / "p").write_bytes(patch_of(found))
        own.apply(own.folder / "p")
        expected = {os.fsencode(one.path): one.kind for one in own.differences(found.base, own.write())}
    assert rows == expected
    assert rows[ODD_NAME] == "added"


def test_taking_it_writes_nothing_into_the_repository(tmp_path: Path):
    repo = make_odd(tmp_path / "repo")
    baseline = read_baseline(repo, runs_dir=repo / "none")
    change_everything(repo)

    def known() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (repo / ".git").rglob("*") if path.is_file()}

    before = known()
    of(repo, baseline)
    assert known() == before


def test_it_holds_what_scope_looks_at_and_nothing_else(odd: tuple[Path, Snapshot]):
    repo, found = odd
    changed = {row.path for row in read_patch(io.BytesIO(patch_of(found)))}
    baseline = read_baseline(repo, runs_dir=repo / "none").model_copy(update={"commit": found.base, "dirty": {}})
    assert {os.fsencode(change.path) for change in changes_since(repo, baseline, runs_dir=repo / "none")} >= changed
    assert b"ignored/cache" not in changed


def test_what_was_not_committed_before_the_run_is_part_of_it(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    (repo / "mine.txt").write_text("mine\n")
    found = take(repo, lambda _repo: None)
    assert [row.path for row in read_patch(io.BytesIO(patch_of(found)))] == [b"mine.txt"]


def test_nothing_changed_is_an_empty_change(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    found = take(repo, lambda _repo: None)
    assert (found.patch, found.tree) == (b"", git(repo, "rev-parse", "HEAD^{tree}"))


def test_of_a_large_change_the_tree_is_known_and_no_patch_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    repo = make_repo(tmp_path / "repo")
    monkeypatch.setattr(module, "MOST_CHANGE_BYTES", 1000)
    found = take(repo, lambda repo: (repo / "large").write_bytes(b"x" * 2000))
    assert (found.patch, "2000 bytes, and 1000 are kept" in found.why_no_patch) == (None, True)
    git(repo, "add", "-A")
    assert found.tree == git(repo, "write-tree")


def test_a_change_that_removes_a_large_file_is_large_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    repo = make_repo(tmp_path / "repo", {"large": "x" * 2000})
    monkeypatch.setattr(module, "MOST_CHANGE_BYTES", 1000)
    assert take(repo, lambda repo: (repo / "large").unlink()).patch is None


def test_a_secret_in_the_change_is_not_kept(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    found = take(repo, lambda repo: (repo / "x").write_text("password=hunter22\n"), Masker([b"hunter22"]))
    assert (found.patch, found.why_no_patch) == (None, "it holds what looks like a secret")


def test_a_repository_inside_the_repository_is_told(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    found = take(repo, lambda repo: make_repo(repo / "inner"))
    assert (found.omitted, found.tree) == (("inner",), git(repo, "rev-parse", "HEAD^{tree}"))


def test_a_workspace_below_the_top_says_where_it_is(tmp_path: Path):
    repo = make_repo(tmp_path / "repo", {"part/x.txt": "x\n"})
    baseline = read_baseline(repo / "part", runs_dir=tmp_path / "none")
    (repo / "part" / "y.txt").write_text("y\n")
    (repo / "beside.txt").write_text("z\n")
    found = of(repo / "part", baseline)
    assert found.folder == "part"
    assert [row.path for row in read_patch(io.BytesIO(patch_of(found)))] == [b"beside.txt", b"part/y.txt"]


def test_of_a_commit_it_is_the_tree_of_the_commit(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    base = git(repo, "rev-parse", "HEAD")
    (repo / "x").write_text("x\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "x")
    found = snapshot_of_commit(repo, base, git(repo, "rev-parse", "HEAD"), folder=".", masker=Masker())
    assert (found.base, found.tree) == (base, git(repo, "rev-parse", "HEAD^{tree}"))
    assert [row.path for row in read_patch(io.BytesIO(patch_of(found)))] == [b"x"]


def test_a_change_that_is_cut_or_names_other_files_is_refused(odd: tuple[Path, Snapshot]):
    whole = patch_of(odd[1])
    for size in range(1, len(whole), 53):
        try:
            rows = read_patch(io.BytesIO(whole[:size]))
        except EvidenceError:
            continue
        # A cut between two pieces leaves a change that is whole in itself; its hash tells that one.
        assert whole[size:].startswith((b"diff --git ", b"@@ ")), rows[-1]
    with pytest.raises(EvidenceError, match="another file"):
        read_patch(io.BytesIO(whole.replace(b"--- a/text.txt", b"--- a/else.txt")))
    with pytest.raises(EvidenceError, match="twice"):
        read_patch(io.BytesIO(whole + whole))


def test_the_programs_of_the_checks_are_recorded_and_not_those_of_the_workspace(tmp_path: Path):
    (tmp_path / "own.sh").write_text("#!/bin/sh\n")
    (tmp_path / "own.sh").chmod(0o755)
    words = (("git", "status"), ("./own.sh",), ("no-such-program",))
    facts = {"round": 1, "step": None, "attempt": None, "ref": "V1", "kind": CheckKind.COMMAND, "reason": ""}
    checks = [Check(id=w[0], run=" ".join(w), argv=w, outcome=Outcome.PASSED, **facts) for w in words]
    (tool,) = tools_of(checks, tmp_path, dict(os.environ))
    said = subprocess.run(["git", "--version"], capture_output=True, text=True).stdout.strip()
    assert (tool.name, tool.version) == ("git", said)
    assert tool_named("no-such-program", tmp_path, dict(os.environ)) is None
