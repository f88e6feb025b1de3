"""Whether anything has happened to a checkout since it was looked at, known without git."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.repos import git, make_repo
from waypost.nodes.checks import untouched
from waypost.nodes.checks.noted import Noted, noted
from waypost.nodes.checks.untouched import footprint, is_untouched
from waypost.nodes.checks.workspace import is_as_at_start, read_baseline

FILES = {"a": "same", "sub/b": "same", ".gitignore": "build/\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = make_repo(tmp_path / "repo", FILES)
    (made / "build").mkdir()
    (made / "build/x").write_text("same")
    (made / "runs").mkdir()
    (made / "link").symlink_to("a")
    return made


def seen_untouched(repo: Path, happen: Callable[[], object]) -> bool:
    index, runs = repo / ".git/index", repo / "runs"
    before = footprint(repo, index, left_out=runs)
    assert before is not None
    happen()
    return is_untouched(before, repo, index, left_out=runs)


def same_size_and_times(path: Path) -> None:
    was = path.stat()
    path.write_text("emas")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def there_and_back(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.with_name("elsewhere").rename(path)


def test_nothing_has_happened(repo):
    assert seen_untouched(repo, lambda: (repo / "a").read_text())


def test_what_happens_in_the_folder_that_is_left_out_is_nothing(repo):
    assert seen_untouched(repo, lambda: (repo / "runs/ledger").write_text("x"))


@pytest.mark.parametrize(
    "happen",
    [
        lambda at: (at / "a").write_text("other"),
        lambda at: same_size_and_times(at / "sub/b"),
        lambda at: (at / "sub/new").write_text(""),
        lambda at: (at / "build/new").write_text(""),
        lambda at: (at / "a").unlink(),
        lambda at: (at / "a").chmod(0o755),
        lambda at: there_and_back(at / "a"),
        lambda at: ((at / "link").unlink(), (at / "link").symlink_to("sub/b")),
        lambda at: git(at, "rm", "-q", "--cached", "a"),
        lambda at: (at / ".git/index").unlink(),
        lambda at: make_repo(at / "nested", {"x": "y"}),
        lambda at: ((at / "a").unlink(), os.mkfifo(at / "a")),
    ],
)
def test_whatever_happens_is_seen(repo, happen):
    assert not seen_untouched(repo, lambda: happen(repo))


def test_a_change_that_the_clock_of_the_file_system_did_not_see_is_seen_by_its_content(repo, monkeypatch):
    monkeypatch.setattr(untouched, "noted", lambda path: Noted(noted(path).mode, 4, 0, 1 << 63, 0))
    assert not seen_untouched(repo, lambda: (repo / "a").write_text("emas"))


@pytest.mark.parametrize(
    "make",
    [
        lambda at: make_repo(at / "nested", {"x": "y"}),
        lambda at: os.mkfifo(at / "pipe"),
        lambda at: [(at / f"{number}").write_text("") for number in range(1001)],
        lambda at: (at / "large").write_bytes(bytes((1 << 20) + 1)),
    ],
)
def test_of_what_is_not_small_and_plain_nothing_is_said(repo, make):
    make(repo)
    assert footprint(repo, repo / ".git/index", left_out=repo / "runs") is None


def test_a_workspace_is_as_at_the_start_of_its_run_until_somebody_writes_in_it(repo):
    began = read_baseline(repo, runs_dir=repo / "runs")
    assert is_as_at_start(repo, began, runs_dir=repo / "runs")
    (repo / "new").write_text("x")
    assert not is_as_at_start(repo, began, runs_dir=repo / "runs")


def test_a_start_that_was_seen_elsewhere_is_not_known(repo):
    earlier = read_baseline(repo, runs_dir=repo / "runs")
    (repo / "a").write_text("other")
    later = read_baseline(repo, runs_dir=repo / "runs")
    assert is_as_at_start(repo, later, runs_dir=repo / "runs")
    assert not is_as_at_start(repo, earlier, runs_dir=repo / "runs")
