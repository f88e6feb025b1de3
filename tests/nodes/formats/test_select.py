"""Which task of a file is meant."""

from __future__ import annotations

import pytest
from kit.cards import card, write_card
from waypost.nodes.formats import read_task_file
from waypost.state.errors import TaskFileError


@pytest.fixture
def one(tmp_path):
    return write_card(tmp_path, card(task="A-1"))


@pytest.fixture
def two(tmp_path):
    return write_card(tmp_path, card(task="A-1") + card(task="A-2"))


def test_the_only_task_needs_no_name(one):
    assert read_task_file(one).id == "A-1"


def test_a_name_picks_one_of_several(two):
    assert [read_task_file(two, name).id for name in ("A-1", "A-2")] == ["A-1", "A-2"]


def test_several_tasks_need_a_name(two):
    with pytest.raises(TaskFileError) as caught:
        read_task_file(two)
    assert caught.value.facts == {"tasks": "A-1, A-2"}
    assert caught.value.next_step == "choose one with --task"


@pytest.mark.parametrize("name", ["A-3", "a-1", "", "../A-1", "A-1\0", "x" * 300])
def test_a_name_that_no_task_has_is_refused_even_if_there_is_only_one(one, name):
    with pytest.raises(TaskFileError, match="holds no task") as caught:
        read_task_file(one, name)
    assert caught.value.facts == {"tasks": "A-1"}
    assert caught.value.exit_code == 2
