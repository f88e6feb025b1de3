"""An expected output is there, inside the workspace, and not empty; anything else is a failure."""

from __future__ import annotations

import pytest
from waypost.nodes.checks.outputs import look_at_output
from waypost.state.records import Outcome


def test_a_file_with_content_passes_and_is_named_by_size_and_hash(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    outcome, reason = look_at_output(tmp_path, "a.txt")
    assert outcome is Outcome.PASSED
    assert reason.startswith("a.txt: 1 bytes, sha256 2d711642")


def test_a_folder_with_a_file_passes(tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").write_text("x")
    assert look_at_output(tmp_path, "d")[0] is Outcome.PASSED


def spoil_missing(root):
    return "missing"


def spoil_empty(root):
    root.joinpath("out").touch()
    return "empty"


def spoil_empty_folder(root):
    root.joinpath("out").mkdir()
    return "empty"


def spoil_folder_of_empty_files(root):
    root.joinpath("out").mkdir()
    root.joinpath("out/x").touch()
    return "empty"


def spoil_link_outside(root):
    root.joinpath("out").symlink_to("/etc/hostname")
    return "outside"


def spoil_dangling_link(root):
    root.joinpath("out").symlink_to("nowhere")
    return "missing"


def spoil_device(root):
    import os

    os.mkfifo(root / "out")
    return "no regular file"


@pytest.mark.parametrize(
    "spoil",
    [value for name, value in list(globals().items()) if name.startswith("spoil_")],
    ids=lambda spoil: spoil.__name__,
)
def test_anything_else_fails_and_says_why(tmp_path, spoil):
    said = spoil(tmp_path)
    outcome, reason = look_at_output(tmp_path, "out")
    assert outcome is Outcome.FAILED
    assert said in reason
