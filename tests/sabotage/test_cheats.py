"""No way to cheat ends with a DONE that says more than is so; what is told is what happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.repos import git, make_repo

from sabotage.cheat import FILES, Cheat, Ending, play, reported
from sabotage.page import PAGE, page
from sabotage.table import ALL, TABLE

DONE = {Ending.HARMLESS, Ending.FOUND, Ending.TOLD}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository that every cheat is given a copy of."""
    repo = make_repo(tmp_path_factory.mktemp("start") / "repo", FILES)
    git(repo, "config", "user.name", "W")
    git(repo, "config", "user.email", "w@localhost")
    return repo


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("cheat", ALL, ids=lambda cheat: cheat.title)
def test_it_comes_to_the_end_that_is_told(cheat: Cheat, start: Path, tmp_path: Path):
    scene = play(cheat, start, tmp_path)
    said = scene.ran.out + scene.ran.err
    result = scene.ran.result
    if cheat.afterwards:
        said += cheat.afterwards(scene)
    done = (scene.ran.code, result.get("status")) == (0, "DONE")
    assert done == (cheat.ending in DONE), said
    if cheat.ending is Ending.BLOCKED:
        assert (scene.ran.code, result.get("status")) == (3, "BLOCKED")
    assert cheat.said in said


def test_there_are_many_of_them_and_each_is_told_once():
    titles = [cheat.title for cheat in ALL]
    assert len(titles) >= 40
    assert len(set(titles)) == len(titles)


def test_a_done_that_rests_on_weak_ground_is_told_in_the_report():
    assert [cheat.title for cheat in ALL if cheat.ending is Ending.TOLD and cheat.afterwards is not reported] == []


def test_each_refusal_names_what_has_to_be_said_about_it():
    assert [cheat.title for cheat in ALL if not cheat.said] == []


def test_the_page_is_what_the_table_generates():
    assert PAGE.read_text(encoding="utf-8") == page(TABLE), "run: python tests/sabotage/page.py"
