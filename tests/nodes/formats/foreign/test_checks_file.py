"""`waypost.checks.toml` adds checks to a task file that stays as it is."""

from __future__ import annotations

import pytest
from waypost.nodes.plan import compile_plan
from waypost.state.errors import TaskFileError

TASKS = """- [ ] T001 Write the words

- [ ] T002 Validate by running `make lint` and by running `make test`
"""


@pytest.fixture
def with_checks(tmp_path, opened):
    def make(toml: str, text: str = TASKS):
        (tmp_path / "waypost.checks.toml").write_text(toml)
        return opened(text)

    return make


def commands(source, id):
    (step,) = source.runnable(id).steps
    return {
        criterion.id: [c.run for c in step.verification if c.ref in criterion.verified_by]
        for criterion in step.criteria
    }


def test_without_it_a_criterion_that_names_no_command_cannot_be_proved(opened):
    (gap,) = compile_plan(opened(TASKS).runnable("T001")).gaps
    assert (gap.criterion, gap.line) == ("done", 1)


def test_a_command_proves_the_criterion_it_stands_below(with_checks):
    source = with_checks('[task.T001.done]\nrun = "make test"\n')
    assert commands(source, "T001") == {"done": ["make test"]}
    assert compile_plan(source.runnable("T001")).gaps == ()


def test_several_commands_prove_it_together_with_those_that_were_proposed(with_checks):
    source = with_checks('[task.T002.done]\nrun = ["a b", "c d"]\n')
    assert sorted(commands(source, "T002")["done"]) == ["a b", "c d", "make lint", "make test"]


def test_a_proposed_command_can_be_left_out(with_checks):
    source = with_checks('[task.T002.done]\nskip = ["make lint"]\n')
    assert commands(source, "T002") == {"done": ["make test"]}


PARTLY = "- [ ] T001 a\n\n## P: b\n\n- [ ] T002 c\n\n**Checkpoint**: `make test` passes and `git status` is clean\n"


def gaps(source, id):
    return [gap.criterion for gap in compile_plan(source.runnable(id)).gaps]


def test_a_criterion_of_which_only_a_part_is_checked_is_not_proved(opened):
    assert gaps(opened(PARTLY), "T002") == ["done", "checkpoint"]


@pytest.mark.parametrize("decided", ['skip = ["git status"]', 'run = "git diff --exit-code"'])
def test_a_person_decides_what_is_needed_for_the_rest(with_checks, decided):
    source = with_checks(f"[task.T002.checkpoint]\n{decided}\n", PARTLY)
    assert gaps(source, "T002") == ["done"]
    assert "make test" in commands(source, "T002")["checkpoint"]


def test_equivalents_and_a_timeout_belong_to_the_command(with_checks):
    source = with_checks('[task.T001.done]\nrun = "make x"\nequivalents = ["python3 x.py"]\ntimeout_s = 5\n')
    (command,) = source.runnable("T001").steps[0].verification
    assert (command.equivalents, command.timeout_s) == (("python3 x.py",), 5.0)


REFUSED = {
    '[task.T009.done]\nrun = "a"\n': (1, 'there is no task "T009"'),
    '# a\n\n[task.T001.AC7]\nrun = "a"\n': (3, 'has no criterion "AC7"'),
    '[task.T001.done]\nrun = "a"\n[task.T002.done]\nskip = ["make all"]\n': (3, "not proposed: make all"),
    '[task.T001.done]\nruns = "a"\n': (1, 'unknown key "runs"'),
    "[task.T001.done]\nrun = 7\n": (1, '"run" has to be one command'),
    '[task.T001.done]\nrun = "a\\nb"\n': (1, '"run" has to be one command'),
    '[task.T001.done]\nrun = ["a", "a"]\n': (1, "twice"),
    "[task.T001.done]\ntimeout_s = true\n": (1, "number of seconds"),
    "[task.T001.done]\ntimeout_s = inf\n": (1, "number of seconds"),
    '[task.T001.done]\nequivalents = ["b"]\n': (1, "exactly one command"),
    "[task.T001]\ndone = 1\n": (2, "has to be a table"),
    "[checks.T001.done]\n": (1, 'unknown table "checks"'),
    "task = 1\n": (1, "has to be a table"),
    "[task.T001.done]\nrun = \n": (2, "this is no TOML"),
    "a = " + "[" * 5_000: (1, "this is no TOML"),
}


@pytest.mark.parametrize("toml", REFUSED, ids=lambda text: text[:40])
def test_what_is_wrong_or_stale_in_it_is_refused_with_its_line(with_checks, tmp_path, toml):
    line, what = REFUSED[toml]
    with pytest.raises(TaskFileError) as caught:
        with_checks(toml)
    assert what in caught.value.what
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "waypost.checks.toml"), line)


def test_one_command_for_two_criteria_runs_once_and_must_say_the_same(with_checks):
    text = "## P: a\n\n- [ ] T001 Write\n\n**Checkpoint**: fine\n"
    same = '[task.T001.done]\nrun = "a b"\n[task.T001.checkpoint]\nrun = "a b"\n'
    source = with_checks(same, text)
    assert len(source.runnable("T001").steps[0].verification) == 1
    other = with_checks(same + "timeout_s = 3\n", text)
    with pytest.raises(TaskFileError, match="another timeout"):
        other.runnable("T001")


def test_a_link_in_its_place_is_refused(tmp_path, opened):
    (tmp_path / "elsewhere.toml").write_text('[task.T001.done]\nrun = "a"\n')
    (tmp_path / "waypost.checks.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(TaskFileError, match="cannot be read"):
        opened(TASKS)
