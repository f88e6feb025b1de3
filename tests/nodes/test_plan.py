"""The second stage: the order of the steps, contradictions, and what nothing can prove."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
from kit.jobs import Recorded
from kit.states import RUN, make_step, make_task
from waypost.nodes.formats import read_task_file
from waypost.nodes.plan import compile_plan, plan
from waypost.state.errors import StateError, TaskFileError
from waypost.state.pipeline import PipelineState
from waypost.state.records import AttemptKind
from waypost.state.status import Route, Status
from waypost.state.task import Action, Command, Criterion, Output, Task

CRITERION = Criterion(id="AC1", text="a", verified_by=("V1",), line=7)
GAP = Criterion(id="AC2", text="b", line=8)


def steps_of(**dependencies):
    numbered = enumerate(dependencies.items(), 10)
    return [make_step(name, depends_on=tuple(others.split()), line=n) for n, (name, others) in numbered]


def contradiction(task):
    with pytest.raises(TaskFileError) as caught:
        compile_plan(task)
    return caught.value


@pytest.mark.parametrize(
    ("dependencies", "waves"),
    [
        ({"S1": ""}, (("S1",),)),
        ({"S1": "", "S2": "", "S3": ""}, (("S1", "S2", "S3"),)),
        ({"S1": "S2", "S2": "S3", "S3": ""}, (("S3",), ("S2",), ("S1",))),
        ({"B": "", "A": "", "D": "A B", "C": "A"}, (("B", "A"), ("D", "C"))),
        ({"A": "", "B": "A", "C": "A", "D": "B C", "E": ""}, (("A", "E"), ("B", "C"), ("D",))),
    ],
)
def test_a_wave_holds_what_depends_only_on_earlier_waves_in_file_order(dependencies, waves):
    assert compile_plan(make_task(*steps_of(**dependencies))).waves == waves


def test_coverage_names_each_criterion_with_its_checks_steps_first():
    task = make_task(
        make_step(criteria=(CRITERION, Criterion(id="AC9", text="c", verified_by=("V1",)))),
        criteria=(CRITERION,),
        verification=(Command(ref="V1", run="true"),),
    )
    rows = [(row.step, row.criterion, row.checks) for row in compile_plan(task).coverage]
    assert rows == [("S1", "AC1", ("V1",)), ("S1", "AC9", ("V1",)), (None, "AC1", ("V1",))]


def test_a_check_that_no_criterion_names_is_no_gap():
    step = make_step(verification=(Command(ref="V1", run="a"), Command(ref="V2", run="b")))
    assert compile_plan(make_task(step)).gaps == ()


def test_the_same_card_gives_the_same_plan_byte_for_byte_in_every_process(tmp_path):
    path = tmp_path / "tasks.json"
    task = make_task(*steps_of(D="B C", A="", E="", B="A", C="A E"))
    path.write_text(task.model_dump_json())
    script = (
        "import sys; from pathlib import Path; from waypost.nodes.formats import read_task_file;"
        "from waypost.nodes.plan import compile_plan;"
        "print(compile_plan(read_task_file(Path(sys.argv[1]))).model_dump_json())"
    )
    others = [
        subprocess.run(
            [sys.executable, "-c", script, str(path)],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert others == [compile_plan(read_task_file(path)).model_dump_json()] * 2


def test_an_unknown_dependency_is_refused_with_what_is_defined():
    error = contradiction(make_task(*steps_of(S1="", S2="S7")))
    assert str(error).split("\n")[0] == 'tasks.md:11: step "S2" depends on "S7", which this task does not define'
    assert error.facts == {"defined": "S1, S2"}
    assert "Dependencies" in error.next_step


@pytest.mark.parametrize("other", ["T-1", "T-0"])
def test_a_step_cannot_depend_on_a_task(other):
    error = contradiction(make_task(*steps_of(S1="", S2=other), depends_on=("T-0",)))
    assert f'depends on "{other}", which is a task' in error.what
    assert error.line == 11


def test_nothing_depends_on_itself():
    assert 'step "S1" depends on itself' in contradiction(make_task(*steps_of(S1="S1"))).what
    assert 'task "T-1" depends on itself' in contradiction(make_task(depends_on=("T-1",), line=3)).what


@pytest.mark.parametrize(
    ("dependencies", "circle"),
    [
        ({"S1": "S2", "S2": "S1"}, '"S1" -> "S2" -> "S1"'),
        ({"S1": "", "S2": "S4", "S3": "S2", "S4": "S3"}, '"S2" -> "S4" -> "S3" -> "S2"'),
    ],
)
def test_a_circle_is_named_from_its_first_step_along_the_dependencies(dependencies, circle):
    error = contradiction(make_task(*steps_of(**dependencies)))
    assert error.what.endswith(circle)
    first = next(iter(step for step in steps_of(**dependencies) if f'"{step.id}"' in circle))
    assert error.line == first.line
    assert f'"{first.id}" line {first.line}' in error.facts["steps"]


def test_of_all_graphs_of_three_steps_exactly_those_with_a_circle_are_refused():
    pairs = [(a, b) for a in "ABC" for b in "ABC" if a != b]
    for chosen in itertools.chain.from_iterable(itertools.combinations(pairs, n) for n in range(len(pairs) + 1)):
        needs = {name: {b for a, b in chosen if a == name} for name in "ABC"}
        task = make_task(*steps_of(**{name: " ".join(sorted(others)) for name, others in needs.items()}))
        order = next(
            (o for o in itertools.permutations("ABC") if all(o.index(b) < o.index(a) for a, b in chosen)), None
        )
        if order is None:
            assert "in a circle" in contradiction(task).what
        else:
            seen = set()
            for wave in compile_plan(task).waves:
                assert all(needs[step] <= seen for step in wave)
                seen.update(wave)
            assert seen == set("ABC")


@pytest.mark.parametrize("second", ["out/a.txt", "./out/a.txt", "out//a.txt"])
def test_an_output_of_two_steps_is_refused_at_the_second(second):
    first = make_step("S1", outputs=(Output(ref="O1", path="out/a.txt", line=5),))
    error = contradiction(make_task(first, make_step("S2", outputs=(Output(ref="O1", path=second, line=9),))))
    assert error.line == 9
    assert 'claimed by step "S1" and by step "S2"' in error.what


def test_the_task_may_expect_an_output_of_its_step():
    output = Output(ref="O1", path="a.txt")
    assert compile_plan(make_task(make_step(outputs=(output,)), outputs=(output,))).gaps == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": " ", "line": 4}, "empty title"),
        ({"actions": (), "line": 4}, "no Concrete Actions"),
        ({"actions": (Action(kind="prose", text="\n", line=4),)}, "empty action"),
        ({"criteria": (Criterion(id="AC1", text="", verified_by=("V1",), line=4),)}, "empty criterion"),
        ({"verification": (Command(ref="V1", run=" ", line=4),)}, "empty command"),
        ({"outputs": (Output(ref="O1", path=" ", line=4),)}, "empty output"),
        ({"allowed_paths": ("",), "line": 4}, "empty allowed scope"),
        ({"criteria": (Criterion(id="AC1", text="a", verified_by=("V2",), line=4),)}, 'names the check "V2"'),
    ],
)
def test_a_step_that_was_made_without_a_card_is_checked_as_well(fields, said):
    error = contradiction(make_task(make_step(**fields)))
    assert error.line == 4
    assert said in error.what


@pytest.mark.parametrize(("fields", "said"), [({"title": ""}, "empty title"), ({"goal": " "}, "empty goal")])
def test_a_task_that_was_made_without_a_card_is_checked_as_well(fields, said):
    assert said in contradiction(make_task(line=2, **fields)).what


@pytest.mark.parametrize(
    ("task", "gaps"),
    [
        (make_task(make_step(criteria=(CRITERION, GAP))), [("S1", "AC2", 8)]),
        (make_task(make_step(criteria=(), line=5), make_step("S2")), [("S1", None, 5)]),
        (make_task(make_step(), criteria=(GAP,)), [(None, "AC2", 8)]),
        (make_task(make_step(criteria=()), make_step("S2", criteria=()), line=3), [(None, None, 3)]),
        (
            make_task(
                make_step(criteria=(), line=5), criteria=(CRITERION,), verification=(Command(ref="V1", run="a"),)
            ),
            [("S1", None, 5)],
        ),
    ],
)
def test_what_nothing_can_prove_is_a_gap(task, gaps):
    found = compile_plan(task).gaps
    assert [(gap.step, gap.criterion, gap.line) for gap in found] == gaps
    assert all(gap.reason for gap in found)


def planned(task: Task | None, tmp_path, **fields):
    state = PipelineState(run_id=RUN, task_file="/x", workspace="/x", status=Status.ANALYSIS, task=task, **fields)
    return plan(state, Recorded(tmp_path).call)


def test_a_plan_without_gaps_is_frozen_and_the_first_wave_is_ordered(tmp_path):
    move = planned(make_task(*steps_of(S1="", S2="S1", S3="")), tmp_path)
    assert (move.target, move.route) == (Status.FREEZE, Route.FROZEN)
    assert move.reason == "3 step(s) in order: S1, S3 then S2"
    assert move.update["plan"].waves == (("S1", "S3"), ("S2",))
    orders = [(order.step, order.number, order.kind) for order in move.update["orders"]]
    assert orders == [("S1", 1, AttemptKind.CREATE), ("S3", 1, AttemptKind.CREATE)]


def test_a_contradiction_ends_the_run_with_the_whole_complaint(tmp_path):
    move = planned(make_task(*steps_of(S1="S2")), tmp_path)
    assert (move.target, move.route, move.update) == (Status.FAILED, Route.CONTRADICTORY, {})
    assert "tasks.md:10" in move.reason
    assert "next" in move.reason


def test_a_gap_blocks_the_run_before_any_work_and_says_how_to_close_it(tmp_path):
    move = planned(make_task(make_step(criteria=(CRITERION, GAP))), tmp_path)
    assert (move.target, move.route) == (Status.BLOCKED, Route.UNVERIFIABLE)
    assert move.update["blocked"].reasons == (
        'tasks.md:8: criterion AC2 of step S1 has no check; next: add "Verified by `command`" to it',
    )
    assert "start a new run" in move.update["blocked"].question
    assert move.update["plan"].gaps
    assert [order.step for order in move.update["orders"]] == ["S1"]


@pytest.mark.parametrize(
    "task", [make_task(make_step(criteria=())), make_task(make_step(criteria=()), make_step("S2"))]
)
def test_a_missing_criterion_blocks_as_well(tmp_path, task):
    move = planned(task, tmp_path)
    assert move.route is Route.UNVERIFIABLE
    assert 'add an "Acceptance Criteria" list to it' in move.reason


def test_without_a_task_there_is_no_plan(tmp_path):
    with pytest.raises(StateError):
        planned(None, tmp_path)
