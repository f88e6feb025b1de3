"""The documentation and the examples are read, not trusted; foreign files are refused, not mistaken."""

from __future__ import annotations

from pathlib import Path

import pytest
from waypost.nodes.formats import read_task_file, read_tasks
from waypost.nodes.plan import compile_plan
from waypost.state.errors import TaskFileError

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "../shared/samples"
FOREIGN = sorted(path for path in SAMPLES.glob("*/*") if path.is_file())


def documented(tmp_path, language, ticks="```"):
    text = (ROOT / "docs/task-card.md").read_text()
    (example,) = [part.split(f"\n{ticks}\n")[0] for part in text.split(f"\n{ticks}{language}\n")[1:]]
    path = tmp_path / f"tasks.{'md' if language == 'markdown' else language}"
    path.write_text(example + "\n")
    return read_task_file(path)


def without_places(value):
    if isinstance(value, dict):
        return {key: without_places(item) for key, item in value.items() if key not in ("line", "source")}
    return [without_places(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("language", "ticks"), [("markdown", "````"), ("yaml", "```"), ("json", "```")])
def test_each_documented_card_is_read_and_fully_covered(tmp_path, language, ticks):
    assert compile_plan(documented(tmp_path, language, ticks)).gaps == ()


def test_the_documented_markdown_and_yaml_are_the_same_task(tmp_path):
    markdown = documented(tmp_path, "markdown", "````").model_dump(mode="json")
    assert without_places(markdown) == without_places(documented(tmp_path, "yaml").model_dump(mode="json"))


@pytest.mark.parametrize("card", sorted(ROOT.glob("examples/*/tasks.md")), ids=lambda path: path.parent.name)
def test_each_example_is_read_and_fully_covered(card):
    assert compile_plan(read_task_file(card)).gaps == ()


def test_the_example_declares_equivalents_for_its_missing_baseline():
    (step,) = read_task_file(ROOT / "examples/dkt-003/tasks.md").steps
    baseline = step.verification[0]
    assert baseline.run == "make test-orchestrator"
    assert baseline.equivalents == (
        "python3 -m unittest tests.test_state_machine",
        "python3 -m unittest tests.test_transitions",
    )
    assert all(criterion.verified_by for criterion in step.criteria)


@pytest.mark.skipif(not FOREIGN, reason="no samples of other formats here")
@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.name)
def test_a_file_of_another_format_is_refused_and_told_what_was_expected(path):
    with pytest.raises(TaskFileError) as caught:
        read_tasks(path)
    assert {"expected", "known"} & set(caught.value.facts)
