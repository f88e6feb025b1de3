"""The first stage: a task, or the reason why there is none."""

from __future__ import annotations

import pytest
from kit.cards import card, write_card
from kit.jobs import Recorded
from kit.states import RUN
from waypost.nodes.extract import extract
from waypost.state.pipeline import PipelineState
from waypost.state.status import Route, Status


@pytest.fixture
def extracted(tmp_path):
    def run(path, task_id=None):
        state = PipelineState(run_id=RUN, task_file=str(path), task_id=task_id, workspace=str(tmp_path))
        return extract(state, Recorded(tmp_path / "runs").call)

    return run


def test_the_task_and_its_id_go_into_the_state(extracted, tmp_path):
    move = extracted(write_card(tmp_path, card(task="A-1")))
    assert (move.target, move.route) == (Status.ANALYSIS, Route.EXTRACTED)
    assert (move.update["task"].id, move.update["task_id"]) == ("A-1", "A-1")
    assert move.reason == "task A-1: 1 step(s), 1 acceptance criteria"


def test_the_named_task_of_several_is_taken(extracted, tmp_path):
    path = write_card(tmp_path, card(task="A-1") + card(task="A-2"))
    assert extracted(path, "A-2").update["task_id"] == "A-2"


@pytest.mark.parametrize(
    ("text", "task_id", "said"),
    [
        (card(task="A-1") + card(task="A-2"), None, "choose one with --task"),
        (card(task="A-1"), "A-2", "holds no task 'A-2'"),
        ("nothing", None, "tasks.md:1: this file holds no task"),
        ("a\0b", None, "binary"),
    ],
)
def test_what_cannot_be_read_ends_the_run_with_the_whole_complaint(extracted, tmp_path, text, task_id, said):
    move = extracted(write_card(tmp_path, text), task_id)
    assert (move.target, move.route, move.update) == (Status.FAILED, Route.UNREADABLE, {})
    assert said in move.reason


def test_a_missing_file_ends_the_run(extracted, tmp_path):
    assert "no such file" in extracted(tmp_path / "none.md").reason
