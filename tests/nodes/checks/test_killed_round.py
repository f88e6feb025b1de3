"""What a killed round noted excuses files only where it is surely about that round."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from waypost.nodes.checks.killed_round import NAME, Began, began_before, note

ODD = os.fsdecode(b"n\xff")


def test_it_is_found_again_for_the_same_round_only(tmp_path: Path) -> None:
    note(tmp_path, 3, Began({"a": "1" * 64, ODD: ""}))
    assert began_before(tmp_path, 3) == Began({"a": "1" * 64, ODD: ""})
    assert began_before(tmp_path, 2) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"round": 3}', '{"round": 3, "files": null}', '{"files": {}}']
)
def test_what_cannot_be_read_excuses_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert began_before(tmp_path, 3) is None


@pytest.mark.parametrize("began", [None, Began({str(at): "" for at in range(10_001)})], ids=["unknown", "too many"])
def test_where_nobody_could_tell_nothing_is_excused(tmp_path: Path, began: Began | None) -> None:
    note(tmp_path, 3, began)
    assert began_before(tmp_path, 3) is None


def test_a_pipe_or_a_link_in_its_place_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    assert began_before(tmp_path, 3) is None
    (tmp_path / NAME).unlink()
    note(tmp_path / "..", 3, Began({}))
    (tmp_path / NAME).symlink_to(tmp_path.parent / NAME)
    assert began_before(tmp_path, 3) is None
