"""Writing a task as a card and reading it gives the task."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waypost.nodes.formats import read_task_file
from waypost.state.task import Action, ActionKind, Command, Criterion, Output, Probe, Source, Step, Task

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORD = st.text(st.sampled_from("abcXYZ019.,;()[]<>&#_~'\"$%\u00e4\u4e2d\U0001f600"), min_size=1, max_size=8)
LINE = st.lists(WORD, max_size=5).map(lambda words: " ".join(["Do", *words]))
SCRIPT = st.lists(st.text(st.sampled_from("ab `-#*>\\\"'|$"), max_size=12), min_size=1, max_size=4).map(
    lambda lines: "\n".join(["echo", *lines]).rstrip("\n")
)
COMMAND = st.text(st.sampled_from("abc -/.`'\"$|&*"), min_size=1, max_size=12).map(lambda text: f"run {text}".strip())
PATH = (
    st.text(st.sampled_from("abc/ ._-"), min_size=1, max_size=10)
    .map(lambda text: f"x{text}y")
    .filter(lambda path: ".." not in path)
)
PATTERN = st.sampled_from(["^OK$", "a, b", "x`y", r"\\d+ \"passed\"", "z"])
TIMEOUT = st.none() | st.integers(1, 5000).map(float)


PROBES = st.lists(
    st.builds(lambda *ids: ("test", ids, {}), st.sampled_from(["a.py::b", "a.py::C::d[x, y]"]), st.just("e.py::f[`]"))
    | st.builds(lambda run: ("test", ("com.acme.A.b",), {"run": f"{run} {{junit}}"}), COMMAND)
    | st.builds(lambda path, matches: ("file", (path,), {"matches": matches}), PATH, PATTERN)
    | st.builds(lambda path: ("file", (path,), {"schema": "schema.json"}), PATH)
    | st.builds(lambda question: ("manual", (question,), {}), LINE),
    max_size=2,
    unique_by=repr,
)


@st.composite
def contracts(draw):
    runs = draw(st.lists(COMMAND, max_size=3, unique=True))
    wanted = st.tuples(st.none() | PATTERN, st.integers(0, 3))
    verification = [
        Command(
            ref=f"V{i}",
            run=run,
            equivalents=tuple(draw(equivalents(run))),
            timeout_s=draw(TIMEOUT),
            output=out,
            exit_code=code,
        )
        for i, (run, (out, code)) in enumerate(((run, draw(wanted)) for run in runs), 1)
    ]
    probes = [
        Probe(ref=f"V{i}", kind=kind, subject=subject, args=args, timeout_s=draw(TIMEOUT))
        for i, (kind, subject, args) in enumerate(draw(PROBES), len(runs) + 1)
    ]
    outputs = [
        Output(ref=f"O{i}", path=path) for i, path in enumerate(draw(st.lists(PATH, max_size=2, unique=True)), 1)
    ]
    refs = [item.ref for item in (*verification, *probes, *outputs)]
    proofs = st.lists(st.sampled_from(refs), unique=True, max_size=3) if refs else st.just([])
    criteria = [
        Criterion(id=f"AC{i}", text=text, verified_by=tuple(draw(proofs)))
        for i, text in enumerate(draw(st.lists(LINE, max_size=3)), 1)
    ]
    return {
        "title": draw(LINE),
        "criteria": tuple(criteria),
        "outputs": tuple(outputs),
        "verification": tuple(verification),
        "probes": tuple(probes),
        "allowed_paths": tuple(draw(st.lists(PATH, max_size=2, unique=True))),
    }


def equivalents(run):
    return st.lists(COMMAND.filter(lambda other: other != run), max_size=2, unique=True)


ACTIONS = st.lists(
    st.builds(Action, kind=st.just(ActionKind.PROSE), text=LINE)
    | st.builds(Action, kind=st.sampled_from([ActionKind.BASH, ActionKind.SCRIPTED]), text=SCRIPT),
    min_size=1,
    max_size=3,
)


@st.composite
def tasks(draw):
    own = draw(contracts())
    ids = [f"S{i}" for i in range(1, draw(st.integers(1, 3)) + 1)]
    steps = []
    for id in ids:
        part = draw(contracts())
        part["allowed_paths"] = part["allowed_paths"] or own["allowed_paths"]
        depends_on = draw(st.lists(st.sampled_from(ids), unique=True, max_size=2))
        steps.append(Step(id=id, goal=draw(LINE), actions=draw(ACTIONS), depends_on=depends_on, **part))
    source = Source(path="tasks.md", sha256="0" * 64)
    others = draw(st.sampled_from([(), ("A-1", "B-2")]))
    return Task(id="T-1", goal=draw(LINE), steps=steps, depends_on=others, source=source, **own)


def ticked(text):
    marks = "`" * (max((len(run) for run in runs_of(text)), default=0) + 1)
    return f"{marks} {text} {marks}" if "`" in text else f"`{text}`"


def runs_of(text):
    return "".join(c if c == "`" else " " for c in text).split()


def fenced(action):
    if action.kind is ActionKind.PROSE:
        return f"- {action.text}\n"
    fence = "`" * (max([len(run) for run in runs_of(action.text)] + [2]) + 1)
    return f"{fence}{action.kind}\n{action.text}\n{fence}\n"


def fields(contract):
    parts = [f"**Goal**\n\n{contract.goal}\n"]
    if contract.depends_on:
        parts.append(f"**Dependencies**: {', '.join(contract.depends_on)}\n")
    if contract.criteria:
        parts.append("**Acceptance Criteria**\n")
        parts += [
            f"- {c.text}" + f" — Verified by {', '.join(c.verified_by)}" * bool(c.verified_by)
            for c in contract.criteria
        ]
        parts.append("")
    if contract.outputs:
        parts.append("**Expected Outputs**\n\n" + "\n".join(f"- {ticked(o.path)}" for o in contract.outputs) + "\n")
    if contract.allowed_paths:
        parts.append(f"**Allowed Scope**: {', '.join(ticked(glob) for glob in contract.allowed_paths)}\n")
    if contract.verification or contract.probes:
        parts.append("**Verification**\n")
        for command in contract.verification:
            parts.append(f"- {ticked(command.run)}")
            parts += [f"  - equivalent: {ticked(other)}" for other in command.equivalents]
            parts += [f"  - timeout: {command.timeout_s:g} s"] if command.timeout_s else []
            parts += [f"  - output: {ticked(command.output)}"] if command.output else []
            parts += [f"  - exit code: {command.exit_code}"] if command.exit_code else []
        for probe in contract.probes:
            parts.append(f"- {', '.join(ticked(text) for text in probe.subject)}")
            parts.append(f"  - kind: {probe.kind}")
            parts += [f"  - {name}: {ticked(value)}" for name, value in probe.args.items()]
            parts += [f"  - timeout: {probe.timeout_s:g} s"] if probe.timeout_s else []
        parts.append("")
    return parts


def render(task):
    # Closed headings: an open one would lose a "#" at its end.
    parts = [f"### Task {task.id}: {task.title} ###\n", *fields(task)]
    for step in task.steps:
        parts += [f"#### Step {step.id}: {step.title} ####\n", *fields(step), "**Concrete Actions**\n"]
        parts += [fenced(action) for action in step.actions]
    return "\n".join(parts)


def without_places(value):
    if isinstance(value, dict):
        return {key: without_places(item) for key, item in value.items() if key not in ("line", "source")}
    return [without_places(item) for item in value] if isinstance(value, list) else value


def read_back(path, text):
    path.write_text(text, encoding="utf-8")
    return without_places(read_task_file(path).model_dump(mode="json"))


@SETTINGS
@given(task=tasks())
def test_a_task_written_as_markdown_reads_as_itself(tmp_path, task):
    assert read_back(tmp_path / "tasks.md", render(task)) == without_places(task.model_dump(mode="json"))


@SETTINGS
@given(task=tasks(), indent=st.sampled_from([None, 2, "\t"]), ascii=st.booleans())
def test_a_task_written_as_json_reads_as_itself(tmp_path, task, indent, ascii):
    written = json.dumps(task.model_dump(mode="json"), indent=indent, ensure_ascii=ascii)
    assert read_back(tmp_path / "tasks.json", written) == without_places(task.model_dump(mode="json"))


@SETTINGS
@given(task=tasks())
def test_a_task_written_as_json_with_spaces_is_yaml_as_well(tmp_path, task):
    written = json.dumps(task.model_dump(mode="json"), indent=1, ensure_ascii=False)
    assert read_back(tmp_path / "tasks.yaml", written) == without_places(task.model_dump(mode="json"))


def called(probe):
    """A check of a kind as it stands behind "Verified by"."""
    args = "".join(f" with {name} {ticked(value)}" for name, value in probe.args.items())
    return f"{probe.kind} {' '.join(ticked(text) for text in probe.subject)}{args}"


@SETTINGS
@given(task=tasks())
def test_checks_written_behind_their_criterion_read_as_themselves(tmp_path, task):
    probes = [probe.model_copy(update={"timeout_s": None}) for step in task.steps for probe in step.probes]
    unlike = {(p.kind, p.subject, *sorted(p.args.items())): p for p in probes}
    items = "".join(f"- It is so. Verified by {called(probe)}\n" for probe in unlike.values())
    text = f"### Task T: t\n**Goal**: g\n**Concrete Actions**: do\n**Acceptance Criteria**\n{items or '- None.'}\n"
    (step,) = read_back(tmp_path / "tasks.md", text)["steps"]
    found = [{**probe, "ref": None} for probe in step["probes"]]
    assert found == [{**without_places(p.model_dump(mode="json")), "ref": None} for p in unlike.values()]
