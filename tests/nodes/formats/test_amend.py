"""`waypost.checks.toml` beside a card adds checks to its criteria, or puts them in the place of its own."""

from __future__ import annotations

import pytest
from waypost.nodes.formats import read_tasks
from waypost.nodes.plan import compile_plan
from waypost.state.errors import TaskFileError

LONE = """### Task X: t
**Goal**: g
**Concrete Actions**: do
**Acceptance Criteria**
- AC1: One. Verified by V1
- AC2: Two.
**Verification**
- V1: `make test`
  - proves: all
"""
STEPS = """### Task Y: t
**Goal**: g
**Acceptance Criteria**
- Whole. Verified by `make all`
#### Step S1: s
**Concrete Actions**: do
**Acceptance Criteria**
- AC1: Part. Verified by `make part`
"""


@pytest.fixture
def amended(tmp_path):
    def make(toml, text=LONE):
        path = tmp_path / "tasks.md"
        path.write_text(text)
        (tmp_path / "waypost.checks.toml").write_text(toml)
        return read_tasks(path)[0]

    return make


def checks(task, contract=None):
    """Criterion -> its checks in short."""
    contract = contract or task.steps[0]
    words = {c.ref: c.run for c in contract.verification} | {p.ref: (p.kind, p.subject) for p in contract.probes}
    return {c.id: [words[ref] for ref in c.verified_by] for c in contract.criteria}


def test_it_adds_to_what_the_card_says(amended):
    task = amended('[task.X.AC2]\nrun = "a"\nchecks = [{file = "b.md", matches = "x"}, {manual = "So?"}]\n')
    assert checks(task) == {"AC1": ["make test"], "AC2": ["a", ("file", ("b.md",)), ("manual", ("So?",)), "make test"]}
    assert task.source.checks_sha256
    assert compile_plan(task).gaps == ()


def test_it_replaces_what_the_card_says_where_it_says_so_and_the_command_still_runs(amended):
    task = amended('[task.X.AC1]\nrun = "a"\nreplace = true\n')
    assert checks(task) == {"AC1": ["a"], "AC2": ["make test"]}
    assert [c.run for c in task.steps[0].verification] == ["make test", "a"]


def test_a_timeout_and_equivalents_belong_to_what_it_adds(amended):
    task = amended('[task.X."S1.AC2"]\nrun = "a"\nequivalents = ["b"]\ntimeout_s = 5\n')
    command = next(c for c in task.steps[0].verification if c.run == "a")
    assert (command.equivalents, command.timeout_s) == (("b",), 5.0)
    assert "a" in checks(task)["AC2"]


def test_a_command_of_which_more_is_asked(amended):
    task = amended('[task.X.AC2]\nchecks = [{run = "a", output = "^OK$", exit_code = 3}]\n')
    command = next(c for c in task.steps[0].verification if c.run == "a")
    assert (command.output, command.exit_code) == ("^OK$", 3)


def test_criteria_of_steps_are_named_with_their_step_and_those_of_the_task_without(amended):
    task = amended('[task.Y."S1.AC1"]\nrun = "a"\n[task.Y.AC1]\nrun = "b"\n', STEPS)
    assert checks(task) == {"AC1": ["make part", "a"]}
    assert checks(task, task) == {"AC1": ["make all", "b"]}


REFUSED = {
    '[task.Z.AC1]\nrun = "a"\n': (1, 'there is no task "Z"'),
    '[task.X.AC9]\nrun = "a"\n': (1, 'task "X" has no criterion "AC9"'),
    '# \n[task.X.AC1]\nchecks = [{nosuch = "a"}]\n': (2, "an entry of no known kind: nosuch"),
    '[task.X.AC1]\nchecks = [{file = "a", holds = "b"}]\n': (1, 'unknown detail "holds"'),
    '[task.X.AC1]\nchecks = [{file = "../a"}]\n': (1, "leaves the workspace"),
    '[task.X.AC1]\nchecks = [{file = "a", matches = ["b"]}]\n': (1, "has to be text or a number"),
    '[task.X.AC1]\nchecks = {file = "a"}\n': (1, "has to be a list of tables"),
    "[task.X.AC1]\nreplace = true\n": (1, '"replace" has to be true or false, and needs'),
    '[task.X.AC1]\nrun = "a"\nreplace = "yes"\n': (1, '"replace" has to be true or false'),
    '[task.X.AC1]\nskip = ["make test"]\n': (1, "not proposed"),
}


@pytest.mark.parametrize("toml", REFUSED, ids=lambda text: text[:40])
def test_what_is_wrong_in_it_is_refused_with_its_own_line(amended, tmp_path, toml):
    line, what = REFUSED[toml]
    with pytest.raises(TaskFileError) as caught:
        amended(toml)
    assert what in caught.value.what
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "waypost.checks.toml"), line)
