"""The diff of a run: what was changed, byte for byte, and nothing that a repository configures is run for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.repos import git, make_repo
from kit.states import make_state
from waypost.state.isolation import Isolated
from waypost.state.pipeline import Baseline, PipelineState
from waypost.viewer.diff import FileDiff, diff_of


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "shop", {"a.txt": "one\ntwo\nthree\n", "gone.txt": "gone\n", "sub/b.txt": "b\n"})


def state_of(shop: Path) -> PipelineState:
    return make_state(workspace=str(shop), baseline=Baseline(commit=git(shop, "rev-parse", "HEAD")))


def only(state: PipelineState, *paths: str) -> FileDiff:
    diff = diff_of(state, paths)
    assert diff.problem == ""
    (file,) = diff.files
    return file


def lines(file: FileDiff) -> list[tuple[str, str]]:
    return [(line.kind, line.text) for line in file.lines if line.kind != "hunk"]


def test_a_changed_line_is_removed_and_added_with_its_numbers(shop: Path):
    (shop / "a.txt").write_text("one\nTWO\nthree\n")
    file = only(state_of(shop), "a.txt")
    assert lines(file) == [("same", "one"), ("removed", "two"), ("added", "TWO"), ("same", "three")]
    assert [(line.old, line.new) for line in file.lines if line.kind in ("removed", "added")] == [(2, None), (None, 2)]
    assert (file.added, file.removed) == (1, 1)


def test_new_and_deleted_files_are_told_as_such(shop: Path):
    (shop / "new.txt").write_text("new\n")
    (shop / "gone.txt").unlink()
    state = state_of(shop)
    assert lines(only(state, "new.txt")) == [("note", "new file"), ("added", "new")]
    assert lines(only(state, "gone.txt")) == [("note", "deleted file"), ("removed", "gone")]


def test_several_files_each_get_their_own(shop: Path):
    (shop / "a.txt").write_text("one\n")
    (shop / "sub" / "b.txt").write_text("B\n")
    diff = diff_of(state_of(shop), ("a.txt", "not there", "sub/b.txt"))
    assert [(file.path, file.added, file.removed) for file in diff.files] == [
        ("a.txt", 0, 2),
        ("not there", 0, 0),
        ("sub/b.txt", 1, 1),
    ]


@pytest.mark.parametrize("content", [b"\0binary", b"x" * 300_000])
def test_what_is_no_text_or_too_big_is_not_compared(shop: Path, content: bytes):
    (shop / "a.txt").write_bytes(content)
    assert lines(only(state_of(shop), "a.txt")) == [("note", "a binary file, or too big to be compared here")]


def test_a_name_that_reads_like_an_answer_of_git_is_a_name(shop: Path):
    (shop / "new blob").write_text("new\n")
    (shop / "a.txt").write_text("one\ntwo\n")
    diff = diff_of(state_of(shop), ("new blob", "a.txt"))
    assert [(file.path, file.added, file.removed) for file in diff.files] == [("new blob", 1, 0), ("a.txt", 0, 1)]


def test_of_a_long_line_it_is_told_that_there_is_more(shop: Path):
    (shop / "a.txt").write_text("x" * 5_000)
    assert ("added", f"{'x' * 1000}… (5000 characters)") in lines(only(state_of(shop), "a.txt"))


def test_a_file_that_was_big_in_the_commit_is_not_read(shop: Path):
    (shop / "a.txt").write_text("y" * 300_000)
    git(shop, "commit", "-qam", "big")
    state = state_of(shop)
    (shop / "a.txt").write_text("small\n")
    assert lines(only(state, "a.txt")) == [("note", "a binary file, or too big to be compared here")]


def test_a_link_out_of_the_workspace_is_not_followed(shop: Path):
    (shop.parent / "hidden").write_text("secret\n")
    (shop / "a.txt").unlink()
    (shop / "a.txt").symlink_to("../hidden")
    (shop / "out").symlink_to("..")
    state = state_of(shop)
    assert "secret" not in str(diff_of(state, ("a.txt", "out/hidden", "../hidden")).files)


def test_no_filter_of_the_repository_is_run(shop: Path):
    state = state_of(shop)
    for kind, name in (("filter.evil", "clean"), ("filter.evil", "smudge"), ("diff.evil", "textconv")):
        git(shop, "config", f"{kind}.{name}", f"touch {shop.parent}/ran; cat")
    git(shop, "config", "diff.evil.command", f"touch {shop.parent}/ran")
    git(shop, "config", "core.fsmonitor", f"touch {shop.parent}/ran")
    (shop / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (shop / "a.txt").write_text("changed\n")
    assert only(state, "a.txt").added == 1
    head = git(shop, "rev-parse", "HEAD")
    isolated = Isolated(branch="waypost/R", base=head, head=head)
    assert diff_of(state.model_copy(update={"isolated": isolated}), ()).problem == ""
    assert not (shop.parent / "ran").exists()


def test_a_run_on_a_branch_is_compared_by_its_commits_whatever_the_checkout_holds(shop: Path):
    state = state_of(shop)
    base = git(shop, "rev-parse", "HEAD")
    (shop / "a.txt").write_text("one\ntwo\n-- three\n")
    (shop / "ä x.txt").write_text("new\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "work")
    isolated = Isolated(branch="waypost/R", base=base, head=git(shop, "rev-parse", "HEAD"))
    git(shop, "reset", "-q", "--hard", base)
    diff = diff_of(state.model_copy(update={"isolated": isolated}), ())
    assert [(file.path, file.added, file.removed) for file in diff.files] == [("a.txt", 1, 1), ("ä x.txt", 1, 0)]
    assert ("added", "-- three") in lines(diff.files[0])


def test_of_a_branch_so_much_is_read_as_can_be_shown(shop: Path):
    state, base = state_of(shop), git(shop, "rev-parse", "HEAD")
    (shop / "a.txt").write_text("z" * 300_000)
    for number in range(250):
        (shop / "sub" / f"[{number:03}]*").write_text("new\n")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "work")
    isolated = Isolated(branch="waypost/R", base=base, head=git(shop, "rev-parse", "HEAD"))
    inside = state.model_copy(update={"isolated": isolated, "workspace": str(shop / "sub")})
    diff = diff_of(inside, ())
    assert (len(diff.files), diff.cut) == (200, True)
    assert [line.kind for line in diff.files[0].lines] == ["note"]
    assert (diff.files[1].path, diff.files[1].added) == ("sub/[000]*", 1)


@pytest.mark.parametrize("commit", ["--output=/tmp/x", "HEAD", "", "a" * 39])
def test_what_is_no_commit_is_not_given_to_git(shop: Path, commit: str):
    isolated = Isolated(branch="b", base=commit, head=commit)
    state = state_of(shop)
    assert diff_of(state.model_copy(update={"isolated": isolated}), ()).problem == "What is recorded is no commit."
    assert diff_of(state.model_copy(update={"baseline": Baseline(commit=commit)}), ("a.txt",)).files == ()


def test_a_workspace_that_is_gone_is_told(shop: Path):
    state = state_of(shop)
    shop.rename(shop.parent / "moved")
    assert "git" in diff_of(state, ("a.txt",)).problem
