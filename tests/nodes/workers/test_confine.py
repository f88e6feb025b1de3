"""No name leads out of the workspace, or past the allowed paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from waypost.nodes.workers.confine import Confined, OutOfScope


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, outside: Path) -> Path:
    root = tmp_path / "workspace"
    for folder in ("src", "docs", ".git/hooks", "runs"):
        (root / folder).mkdir(parents=True)
    (root / "src" / "a.py").write_text("a = 1\n")
    (root / "docs" / "a.md").write_text("a\n")
    (root / "out").symlink_to(outside)
    (root / "src" / "out.py").symlink_to(outside / "secret.txt")
    (root / "src" / "new.py").symlink_to(outside / "made.txt")
    (root / "src" / "docs").symlink_to("../docs")
    (root / "within").symlink_to("src")
    (root / "src" / "loop").symlink_to("loop")
    (root / "hooks").symlink_to(".git/hooks")
    (root / "src" / "runs").symlink_to("../runs")
    return root


@pytest.fixture
def confined(workspace: Path):
    found = Confined(workspace, allowed=("src/**", "!src/locked.py"), protected=(workspace / "runs",))
    yield found
    found.close()


OUTSIDE = [
    "/etc/passwd",
    "../outside/secret.txt",
    "src/../../outside/secret.txt",
    "out/secret.txt",
    "src/out.py",
    "within/out.py",
    "out/../secret.txt",
    "//etc/passwd",
    "/proc/self/root/etc/passwd",
    "..",
    "/",
    "",
    "src/a.py\0.txt",
    "src/\udcff.py",
    "{workspace}/../outside/secret.txt",
    "{workspace}x/secret.txt",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leads_out_is_neither_read_nor_written(confined, workspace, outside, path):
    path = path.format(workspace=workspace)
    before = {item: item.read_bytes() for item in outside.iterdir()}
    with pytest.raises(OutOfScope):
        confined.read_text(path)
    with pytest.raises(OutOfScope):
        confined.write_text(path, "mine")
    assert {item: item.read_bytes() for item in outside.iterdir()} == before


@pytest.mark.parametrize(
    "path",
    [
        "docs/a.md",
        "SRC/a.py",
        "src",
        "src/",
        "src/a.py/",
        "src/new/.",
        ".",
        "src/new.py",
        "src/docs/a.md",
        "src/locked.py",
        "src/../docs/a.md",
        ".git/hooks/pre-commit",
        ".GIT/config",
        "src/.git/config",
        "hooks/pre-commit",
        "runs/ledger.jsonl",
        "src/runs/ledger.jsonl",
        "src/loop",
    ],
)
def test_a_path_that_is_not_to_be_changed_is_not_written(confined, workspace, outside, path):
    before = sorted(str(item) for item in workspace.parent.rglob("*"))
    with pytest.raises(OutOfScope):
        confined.write_text(path, "mine")
    assert sorted(str(item) for item in workspace.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("{workspace}/src/a.py", "src/a.py"),
        ("within/a.py", "src/a.py"),
        ("docs/../src/a.py", "src/a.py"),
        ("src/deep/er/new.py", "src/deep/er/new.py"),
        ("src/spa ce\n.py", "src/spa ce\n.py"),
        ("src/ü.py", "src/ü.py"),
    ],
)
def test_a_path_inside_is_written_where_it_really_leads(confined, workspace, path, place):
    assert confined.write_text(path.format(workspace=workspace), "mine\n") == place
    assert (workspace / place).read_text() == "mine\n"
    assert confined.read_text(path.format(workspace=workspace)) == "mine\n"


def test_without_allowed_paths_the_workspace_is_the_limit(workspace, outside):
    confined = Confined(workspace, protected=(workspace / "runs",))
    assert confined.write_text("docs/a.md", "b") == "docs/a.md"
    for path in ("out/x", ".git/config", ".GIT/config", "src/.Git/x", "hooks/x", "runs/x", "src/runs/x", "../x"):
        with pytest.raises(OutOfScope):
            confined.write_text(path, "mine")
    confined.close()


def test_a_workspace_inside_the_protected_folder_can_be_worked_in(workspace):
    confined = Confined(workspace, protected=(workspace.parent,))
    assert confined.write_text("docs/a.md", "b") == "docs/a.md"
    confined.close()


def test_a_workspace_that_is_named_by_a_link_is_the_folder_it_leads_to(workspace, tmp_path):
    (tmp_path / "link").symlink_to(workspace)
    confined = Confined(tmp_path / "link", allowed=("src/**",))
    assert confined.write_text(str(tmp_path / "link" / "src" / "a.py"), "b") == "src/a.py"
    confined.close()


def test_a_folder_swapped_for_a_link_after_it_was_judged_is_no_way_out(confined, workspace, outside, monkeypatch):
    judge = confined.place_to_change

    def judge_then_swap(path):
        place = judge(path)
        os.rename(workspace / "src", workspace / "moved")
        (workspace / "src").symlink_to(outside)
        return place

    monkeypatch.setattr(confined, "place_to_change", judge_then_swap)
    with pytest.raises(OutOfScope, match="no folder"):
        confined.write_text("src/secret.txt", "mine")
    assert (outside / "secret.txt").read_text() == "secret"


def test_a_file_swapped_for_a_link_after_it_was_judged_is_not_followed(confined, workspace, outside, monkeypatch):
    judge = confined.place

    def judge_then_swap(path):
        place = judge(path)
        (workspace / "src" / "a.py").unlink()
        (workspace / "src" / "a.py").symlink_to(outside / "secret.txt")
        return place

    monkeypatch.setattr(confined, "place", judge_then_swap)
    with pytest.raises(OSError, match="symbolic links"):
        confined.read_text("src/a.py")


def test_a_change_to_a_hard_link_leaves_the_other_name_as_it_was(confined, workspace, outside):
    os.link(outside / "secret.txt", workspace / "src" / "hard.py")
    confined.write_text("src/hard.py", "mine")
    assert (outside / "secret.txt").read_text() == "secret"


def test_pipes_folders_and_very_large_files_are_not_read(confined, workspace):
    os.mkfifo(workspace / "pipe")
    for path in ("pipe", "src"):
        with pytest.raises(OutOfScope, match="no regular file"):
            confined.read_text(path)
    with pytest.raises(OutOfScope, match="larger than 3 bytes"):
        confined.read_text("src/a.py", limit=3)


def test_a_pipe_is_not_replaced(confined, workspace):
    os.mkfifo(workspace / "src" / "pipe")
    with pytest.raises(OutOfScope, match="no regular file"):
        confined.write_text("src/pipe", "mine")


def test_a_replaced_file_keeps_its_permissions_and_leaves_nothing_beside_it(confined, workspace):
    (workspace / "src" / "a.py").chmod(0o750)
    before = sorted(os.listdir(workspace / "src"))
    confined.write_text("src/a.py", "b")
    assert (workspace / "src" / "a.py").stat().st_mode & 0o7777 == 0o750
    assert sorted(os.listdir(workspace / "src")) == before


def test_text_that_is_no_unicode_is_refused_and_bytes_that_are_no_utf8_are_read_with_marks(confined, workspace):
    with pytest.raises(OutOfScope, match="no valid Unicode"):
        confined.write_text("src/a.py", "\ud800")
    (workspace / "src" / "a.py").write_bytes(b"\xff\xfe a")
    assert confined.read_text("src/a.py") == "\ufffd\ufffd a"


def test_files_are_listed_without_git_and_without_following_links(confined):
    links = {"hooks", "out", "within", "src/docs", "src/loop", "src/new.py", "src/out.py", "src/runs"}
    assert [name for name in confined.files(".") if name not in links] == ["docs/a.md", "src/a.py"]
    assert [entry.name for entry in confined.entries("src/docs")] == ["a.md"]
    with pytest.raises(OutOfScope):
        confined.entries("out")
