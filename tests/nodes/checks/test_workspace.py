"""What changed since the first step, as git sees it: nothing is missed, nothing of before is blamed."""

from __future__ import annotations

import os

import pytest
from kit.repos import git, make_repo
from waypost.nodes.checks.scope import judge_changes
from waypost.nodes.checks.workspace import Change, changes_between, changes_since, content_of, read_baseline
from waypost.state.errors import WorkspaceError


def changed(repo, baseline):
    return [(change.path, change.kind) for change in changes_since(repo, baseline, runs_dir=repo / ".artifacts")]


def baseline_of(repo):
    return read_baseline(repo, runs_dir=repo / ".artifacts")


def test_nothing_changed_is_nothing(repo):
    assert changed(repo, baseline_of(repo)) == []


def test_modified_added_deleted_and_untracked_files_are_found(repo):
    (repo / "old").write_text("x")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "more")
    baseline = baseline_of(repo)
    (repo / "README").write_text("changed")
    (repo / "old").unlink()
    (repo / "staged").write_text("staged")
    git(repo, "add", "staged")
    (repo / "new file\n").write_text("new")
    assert changed(repo, baseline) == [
        ("README", "modified"),
        ("new file\n", "untracked"),
        ("old", "deleted"),
        ("staged", "added"),
    ]


def test_a_commit_does_not_hide_a_change(repo):
    baseline = baseline_of(repo)
    (repo / "README").write_text("changed")
    git(repo, "commit", "-qam", "quietly")
    assert changed(repo, baseline) == [("README", "modified")]


def test_files_that_were_dirty_before_count_only_if_they_changed_again(repo):
    (repo / "README").write_text("dirty")
    (repo / "mine").write_text("untracked")
    baseline = baseline_of(repo)
    assert changed(repo, baseline) == []
    (repo / "mine").write_text("touched")
    git(repo, "checkout", "-q", "README")
    assert changed(repo, baseline) == [("README", "modified"), ("mine", "untracked")]


def test_a_mode_change_is_found(repo):
    baseline = baseline_of(repo)
    os.chmod(repo / "README", 0o755)
    assert changed(repo, baseline) == [("README", "mode 644 to 755")]
    (repo / "README").write_text("changed")
    assert changed(repo, baseline) == [("README", "mode 644 to 755 and modified")]


def happen_to(repo):
    """Files of every kind, and something that happens to each."""
    (repo / "old").write_text("the same bytes")
    (repo / "file").write_text("x")
    (repo / "link").symlink_to("README")
    (repo / "dropped").symlink_to("README")
    make_repo(repo / "inner")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "more")
    baseline = baseline_of(repo)
    (repo / "old").rename(repo / "new")
    (repo / "file").unlink()
    (repo / "file").symlink_to("README")
    (repo / "link").unlink()
    (repo / "link").symlink_to("file")
    (repo / "dropped").unlink()
    (repo / "another").symlink_to("new")
    (repo / "inner" / "README").write_text("changed")
    git(repo / "inner", "commit", "-qam", "moved on")
    return baseline


HAPPENED = [
    ("another", "{} symbolic link"),
    ("dropped", "deleted symbolic link"),
    ("file", "replaced by a symbolic link"),
    ("inner", "modified submodule"),
    ("link", "modified symbolic link"),
    ("new", "renamed from old"),
    ("old", "renamed to new"),
]


def test_what_happened_to_a_path_is_told(repo):
    baseline = happen_to(repo)
    assert changed(repo, baseline) == [(path, kind.format("untracked")) for path, kind in HAPPENED]


def test_what_happened_between_two_commits_is_told_in_the_same_words(repo):
    baseline = happen_to(repo)
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "all of it")
    changes = changes_between(repo, baseline.commit, "HEAD", folder=".")
    assert [(c.path, c.kind) for c in changes] == [(path, kind.format("added")) for path, kind in HAPPENED]


def test_both_names_of_a_renamed_file_have_to_be_allowed(repo):
    baseline = baseline_of(repo)
    (repo / "README").rename(repo / "READ")
    changes = changes_since(repo, baseline, runs_dir=repo / ".artifacts")
    assert [allowed for _, allowed in judge_changes(changes, ("READ",))] == [True, False]


def test_what_commands_of_ours_left_counts_only_if_it_is_changed_again(repo):
    baseline = baseline_of(repo)
    (repo / "report.xml").write_text("before")
    (repo / "README").write_text("snapshot")
    left = {path: content_of(repo / path) for path in ("report.xml", "README")}

    def since():
        return [change.path for change in changes_since(repo, baseline, runs_dir=repo / ".artifacts", left=left)]

    assert since() == []
    (repo / "report.xml").unlink()
    git(repo, "checkout", "-q", "README")
    assert since() == [], "as it was at the start is no change either"
    (repo / "report.xml").write_text("evil")
    assert since() == ["report.xml"]


def test_the_runs_folder_is_not_part_of_the_work(repo):
    baseline = baseline_of(repo)
    (repo / ".artifacts").mkdir()
    (repo / ".artifacts" / "ledger.jsonl").write_text("x")
    assert changed(repo, baseline) == []


def test_a_change_beside_a_workspace_that_is_a_subfolder_is_found_and_never_allowed(repo):
    (repo / "sub").mkdir()
    baseline = baseline_of(repo / "sub")
    (repo / "README").write_text("changed")
    changes = changes_since(repo / "sub", baseline, runs_dir=repo / ".artifacts")
    assert changes == (Change("../README", "modified"),)
    assert judge_changes(changes, ("**",)) == [(changes[0], False)]


def test_a_repository_cannot_make_us_run_a_program(repo):
    git(repo, "config", "core.fsmonitor", f"touch {repo}/owned; false")
    git(repo, "config", "diff.external", f"touch {repo}/owned")
    baseline = baseline_of(repo)
    (repo / "README").write_text("changed")
    assert changed(repo, baseline) == [("README", "modified")]


def test_a_commit_that_holds_other_files_than_at_the_start_is_not_compared_with(repo):
    forged = baseline_of(repo).model_copy(update={"files_sha256": "0" * 64})
    with pytest.raises(WorkspaceError, match="does not hold the files that it held"):
        changed(repo, forged)


def test_files_that_a_conversion_of_git_hides_are_compared_as_they_are(repo):
    (repo / ".gitattributes").write_text("* text eol=lf\n*.x ident\n")
    (repo / "crlf").write_bytes(b"a\r\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "converted")
    baseline = baseline_of(repo)
    assert changed(repo, baseline) == []
    (repo / "README").write_bytes(b"start\r\n")
    assert changed(repo, baseline) == [("README", "modified")]


def test_the_cache_of_a_tool_that_ignores_itself_is_no_change(repo):
    baseline = baseline_of(repo)
    (repo / ".tool_cache" / "deep").mkdir(parents=True)
    (repo / ".tool_cache" / ".gitignore").write_text("*\n")
    (repo / ".tool_cache" / "deep" / "x").write_text("x")
    assert changed(repo, baseline) == []


def test_what_the_ignore_files_of_the_commit_name_stays_ignored_when_one_of_them_is_changed(repo):
    (repo / "sub").mkdir()
    (repo / "sub" / ".gitignore").write_text("out/\n!out/kept\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "ignores")
    baseline = baseline_of(repo)
    (repo / "sub" / ".gitignore").write_text("out/\nnew\n")
    (repo / "sub" / "out").mkdir()
    (repo / "sub" / "out" / "x").write_text("x")
    (repo / "sub" / "new").write_text("x")
    assert changed(repo, baseline) == [("sub/.gitignore", "modified"), ("sub/new", "untracked")]


def test_globs_decide_what_is_inside():
    changes = (Change("src/a.py", "added"), Change("src/deep/b.py", "added"), Change("tests/c.py", "modified"))
    assert [allowed for _, allowed in judge_changes(changes, ("src/**",))] == [True, True, False]
    assert [allowed for _, allowed in judge_changes(changes, ())] == [True, True, True]


@pytest.mark.parametrize("kind", ["no folder", "no repository", "no commit"])
def test_a_workspace_that_is_no_repository_with_a_commit_is_refused(tmp_path, kind):
    folder = tmp_path / "w"
    if kind != "no folder":
        folder.mkdir()
    if kind == "no commit":
        git(folder, "init", "-q")
    with pytest.raises(WorkspaceError):
        read_baseline(folder, runs_dir=tmp_path / "runs")


HIDDEN = {
    "assume-unchanged": lambda repo: git(repo, "update-index", "--assume-unchanged", "README"),
    "skip-worktree": lambda repo: git(repo, "update-index", "--skip-worktree", "README"),
    "both flags": lambda repo: (
        git(repo, "update-index", "--assume-unchanged", "README"),
        git(repo, "update-index", "--skip-worktree", "README"),
    ),
    "ctime not trusted": lambda repo: git(repo, "config", "core.trustctime", "false"),
}


@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN)
def test_a_changed_file_cannot_be_hidden_from_git(repo, hide):
    baseline = baseline_of(repo)
    before = (repo / "README").stat()
    hide(repo)
    index = (repo / ".git" / "index").read_bytes()
    (repo / "README").write_text("evil!\n")
    os.utime(repo / "README", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changed(repo, baseline) == [("README", "modified")]
    assert (repo / ".git" / "index").read_bytes() == index


def test_a_file_that_was_left_out_of_the_checkout_before_is_no_change(repo):
    git(repo, "update-index", "--skip-worktree", "README")
    (repo / "README").unlink()
    assert changed(repo, baseline_of(repo)) == []


def test_a_changed_mode_cannot_be_hidden_by_a_setting(repo):
    baseline = baseline_of(repo)
    git(repo, "config", "core.fileMode", "false")
    (repo / "README").chmod(0o755)
    assert changed(repo, baseline) == [("README", "mode 644 to 755")]


@pytest.mark.parametrize("where", ["info/exclude", "core.excludesFile"])
def test_what_is_ignored_from_outside_the_worktree_is_what_was_ignored_at_the_start(repo, where):
    with (repo / ".git" / "info" / "exclude").open("a") as file:
        file.write("# mine\n*.swp\n")
    baseline = baseline_of(repo)
    if where == "info/exclude":
        with (repo / ".git" / "info" / "exclude").open("a") as file:
            file.write("evil.py\n")
    else:
        (repo / ".git" / "mine").write_text("evil.py\n")
        git(repo, "config", "core.excludesFile", str(repo / ".git" / "mine"))
    (repo / "evil.py").write_text("x")
    (repo / "notes.swp").write_text("x")
    assert changed(repo, baseline) == [("evil.py", "untracked")]


@pytest.mark.parametrize("split", [False, True], ids=["one file", "split index"])
def test_what_is_staged_between_two_looks_is_seen(tmp_path, split):
    repo = make_repo(tmp_path / "repo", {".gitignore": "hidden\n"})
    if split:
        git(repo, "config", "core.splitIndex", "true")
    baseline = read_baseline(repo, runs_dir=repo / ".artifacts")
    assert changed(repo, baseline) == []
    (repo / "hidden").write_text("x\n")
    assert changed(repo, baseline) == []
    git(repo, "add", "--force", "hidden")
    assert changed(repo, baseline) == [("hidden", "added")]
    git(repo, "rm", "--cached", "-q", "hidden")
    assert changed(repo, baseline) == []


def test_what_is_staged_where_there_was_no_index_is_seen(tmp_path):
    repo = make_repo(tmp_path / "repo", {})
    git(repo, "rm", "-q", "-r", "--ignore-unmatch", ".")
    git(repo, "commit", "-q", "--allow-empty", "-m", "empty")
    (repo / ".git" / "index").unlink()
    baseline = read_baseline(repo, runs_dir=repo / ".artifacts")
    assert changed(repo, baseline) == []
    (repo / "new").write_text("x\n")
    git(repo, "add", "new")
    assert changed(repo, baseline) == [("new", "added")]
    (repo / ".git" / "index").unlink()
    assert changed(repo, baseline) == [("new", "untracked")]
