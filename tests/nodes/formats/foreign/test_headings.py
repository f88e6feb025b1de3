"""Free Markdown: a heading per task with bold fields below it."""

from __future__ import annotations

from pathlib import Path

from waypost.nodes.formats.foreign import Progress, open_tasks
from waypost.state.task import ActionKind

FILE = Path(__file__).parents[4] / "examples/formats/headings/work.md"


def test_fields_in_bold_make_a_task():
    found = open_tasks(FILE)
    second = found.task("GREET-2")
    assert [(task.id, task.title, task.progress) for task in found.tasks] == [
        ("GREET-1", "The project", Progress.DONE),
        ("GREET-2", "Greet by name", Progress.OPEN),
    ]
    assert (second.goal, second.depends_on, [c.text for c in second.criteria]) == (
        "Somebody is greeted by name.",
        ("GREET-1",),
        ["`python3 -m greet` succeeds", "It is polite"],
    )


def test_a_shell_block_below_actions_is_for_the_shell_worker():
    assert [a.kind for a in open_tasks(FILE).task("GREET-2").details] == [ActionKind.BASH, ActionKind.PROSE]


def test_deliverables_that_are_paths_are_expected_outputs_and_other_ones_are_not():
    (step,) = open_tasks(FILE).runnable("GREET-2").steps
    assert [output.path for output in step.outputs] == ["greet/__main__.py"]


def test_a_field_that_is_not_known_stays_in_the_text_for_the_worker():
    assert "Risks: none that are known" in [a.text for a in open_tasks(FILE).task("GREET-2").details]


def test_a_heading_below_a_task_belongs_to_it(opened):
    found = opened("## One\n\n**Goal**: g\n\n### Acceptance\n\n- a\n\n### Details\n\ntext\n", format="headings")
    assert [c.text for c in found.task("1").criteria] == ["a"]
    assert "Details: text" in [a.text for a in found.task("1").details]
