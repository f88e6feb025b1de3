"""Tasks as YAML and JSON."""

from __future__ import annotations

import json

import pytest
from waypost.state.errors import TaskFileError
from waypost.state.task import ActionKind

LEAST = "id: X\ntitle: t\ngoal: g\n"
YAML = f"{LEAST}actions: [do]\n"


def test_the_fields_have_the_names_of_the_model(read):
    task = read(
        """
id: X-1
title: A title
goal: |
  First line
  second line
depends_on: [W-1]
allowed_paths: [src/**]
criteria:
  - {id: C9, text: all good, verified_by: [LINT]}
verification:
  - {ref: LINT, run: make lint, equivalents: [ruff check], timeout_s: 1.5, proves: [C9]}
steps:
  - id: a
    title: One
    actions:
      - prose
      - kind: bash
        text: |
          echo
      - {kind: scripted, text: "- exit: 0"}
    criteria:
      - text: it works
        verified_by: [O1, {run: "true"}]
      - no proof
    outputs: [out.txt, {ref: LOG, path: log.txt}]
    verification: [make t]
    depends_on: b
  - {id: b, title: Two, goal: h, actions: [do]}
""",
        ".yaml",
    )
    first, second = task.steps
    assert (task.goal, task.depends_on, task.allowed_paths) == ("First line\nsecond line", ("W-1",), ("src/**",))
    assert [(c.id, c.verified_by, c.line) for c in task.criteria] == [("C9", ("LINT",), 10)]
    (lint,) = task.verification
    assert (lint.run, lint.equivalents, lint.timeout_s, lint.line) == ("make lint", ("ruff check",), 1.5, 12)
    assert [(a.kind, a.text) for a in first.actions] == [
        (ActionKind.PROSE, "prose"),
        (ActionKind.BASH, "echo"),
        (ActionKind.SCRIPTED, "- exit: 0"),
    ]
    assert [(c.id, c.verified_by) for c in first.criteria] == [("AC1", ("O1", "V2")), ("AC2", ())]
    assert [(c.ref, c.run) for c in first.verification] == [("V1", "make t"), ("V2", "true")]
    assert [(o.ref, o.path) for o in first.outputs] == [("O1", "out.txt"), ("LOG", "log.txt")]
    assert (first.depends_on, first.line, second.goal, second.allowed_paths) == (("b",), 14, "h", ("src/**",))


def test_without_steps_the_task_is_one_step(read):
    task = read(f"{YAML}criteria: [{{text: c, verified_by: {{run: make}}}}]\n", ".yml")
    assert task.criteria == ()
    assert [c.verified_by for c in task.steps[0].criteria] == [("V1",)]


def test_several_tasks_stand_below_tasks(read_all):
    text = "tasks:\n- {id: A, title: t, goal: g, actions: [do]}\n- {id: B, title: t, goal: g, actions: [do]}\n"
    assert [(task.id, task.line) for task in read_all(text, ".yaml")] == [("A", 2), ("B", 3)]


def test_json_has_lines_as_well(read):
    text = '{\n\t"id":"X",\n\t"title":"\\u00e4 \\ud83d\\ude00 \\/ \\"",\n"goal":"g",'
    text += '"actions":[\n"do",\n\n{"kind":"bash","text":"a\\nb"}]}'
    task = read(text, ".json")
    assert task.title == '\u00e4 \U0001f600 / "'
    assert [(a.text, a.line) for a in task.steps[0].actions] == [("do", 5), ("a\nb", 7)]


def test_an_empty_list_is_no_entry_and_null_is_no_time_limit(read):
    text = f"{YAML}criteria: []\noutputs: []\nsteps: []\nverification: [{{run: a, timeout_s: null, equivalents: []}}]"
    step = read(text, ".yaml").steps[0]
    assert (step.criteria, step.outputs, step.verification[0].timeout_s) == ((), (), None)


def test_what_waypost_prints_is_read_again_as_the_same_task(read):
    task = read(f"{YAML}criteria: [{{text: c, verified_by: [{{run: make}}]}}]\n", ".yaml")
    again = read(task.model_dump_json(indent=1), ".json")
    unlocated = {"source", "line"}
    assert strip(again.model_dump(mode="json"), unlocated) == strip(task.model_dump(mode="json"), unlocated)


def strip(value, names):
    if isinstance(value, dict):
        return {key: strip(item, names) for key, item in value.items() if key not in names}
    return [strip(item, names) for item in value] if isinstance(value, list) else value


YAML_REFUSED = {
    "no yaml": ("id: X\ntitle: [ <-- HERE", "no YAML"),
    "a tab": (f"{LEAST}actions:\n\t- a <-- HERE", "no YAML"),
    "a list": ("- id: X <-- HERE", "found a list"),
    "a text": ("hello <-- HERE", 'found text "hello'),
    "no tasks": ("tasks: [] # <-- HERE", "holds no task"),
    "tasks that are no list": ("tasks: # <-- HERE\n", "has to be a list, found null"),
    "more beside tasks": ("tasks: []\nname: x # <-- HERE", 'unknown field "name"'),
    "an unknown field of a task": (f"{YAML}priority: 1 # <-- HERE", "known  id, title, goal, actions"),
    "an unknown field of a step": (f"{LEAST}steps:\n- id: a\n  title: t\n  steps: [] # <-- HERE", 'field "steps"'),
    "an unknown field of a criterion": (f"{YAML}criteria:\n- text: a\n  proof: b # <-- HERE", 'field "proof"'),
    "an unknown field of a command": (f"{YAML}verification:\n- run: a\n  retry: 1 # <-- HERE", 'field "retry"'),
    "a key twice": (f"{YAML}title: u # <-- HERE", 'field "title" stands twice'),
    "a key that is no text": (f"{YAML}1: u # <-- HERE", "a field name is expected, found number"),
    "a key that is a list": (f"{YAML}? [a] # <-- HERE\n: b", "a field name is expected"),
    "an anchor": (f"{YAML}criteria: &a [b] # <-- HERE", "anchors and aliases"),
    "an alias": (f"{YAML}criteria: *a # <-- HERE", "anchors and aliases"),
    "a tag": (f"{YAML}criteria: !!python/object/apply:os.system [ls] # <-- HERE", "python/object/apply:os.system"),
    "a plain tag": (f"{YAML}criteria: !x [ls] # <-- HERE", "the tag !x"),
    "a merge key": (f"{YAML}<<: {{goal: h}} # <-- HERE", "a field name is expected"),
    "a second document": (f"{YAML}--- # <-- HERE\nid: Y", "second document"),
    "no id": ("title: t # <-- HERE", 'no field "id"'),
    "no title": ("id: X # <-- HERE", 'no field "title"'),
    "no goal": ("id: X # <-- HERE\ntitle: t\nactions: [do]", "has no Goal"),
    "an empty goal": ("id: X\ntitle: t\ngoal: '' # <-- HERE\nactions: [do]", "has no Goal"),
    "a null": ("id: X\ntitle: t\ngoal: # <-- HERE\nactions: [do]", "has to be text, found null"),
    "a number": ("id: 1.10 # <-- HERE\ntitle: t", "put it in quotes"),
    "a boolean": ("id: X\ntitle: no # <-- HERE", 'found boolean "no"'),
    "a date": ("id: X\ntitle: 2026-01-01 # <-- HERE", "found date"),
    "a text for a list": (f"{YAML}criteria: a # <-- HERE", "has to be a list"),
    "a mapping for a text": (f"{YAML}depends_on: [{{a: b}}] # <-- HERE", "has to be text, found a mapping"),
    "a list for a step": (f"{LEAST}steps:\n- [a] # <-- HERE", "a step is expected, found a list"),
    "an unknown kind": (f"{LEAST}actions:\n- text: a\n  kind: perl # <-- HERE", "prose, bash, scripted"),
    "an empty action": (f"{LEAST}actions:\n- ' ' # <-- HERE", "action is empty"),
    "a title of two lines": ('id: X\ntitle: "a\\nb" # <-- HERE\ngoal: g', "several lines"),
    "a command of two lines": (f'{YAML}verification: ["a\\nb"] # <-- HERE', "several lines"),
    "a path of two lines": (f'{YAML}outputs: ["a\\nb"] # <-- HERE', "line break"),
    "an escaped NUL": ('id: X\ntitle: "a\\0b" # <-- HERE', "U+0000"),
    "an escaped surrogate": ('id: X\ntitle: "a\\ud800b" # <-- HERE', "U+D800"),
    "an escape out of range": ('id: "\\UFFFFFFFF" # <-- HERE', "no YAML"),
    "a directive out of range": (f"%YAML {'1' * 5000}.1 # <-- HERE\n---\n{YAML}", "no YAML"),
    "a time limit of nothing": (f"{YAML}verification:\n- run: a\n  timeout_s: 0 # <-- HERE", "seconds above 0"),
    "a time limit without end": (f"{YAML}verification:\n- run: a\n  timeout_s: .inf # <-- HERE", "seconds above 0"),
    "a time limit in words": (f"{YAML}verification:\n- run: a\n  timeout_s: 2 min # <-- HERE", "seconds above 0"),
    "a check that is a command": (f"{YAML}criteria:\n- text: a\n  verified_by: make t # <-- HERE", "is no check"),
    "proves an unknown criterion": (f"{YAML}verification:\n- run: a\n  proves: [AC1] # <-- HERE", "is no criterion"),
    "an id twice": (f"{YAML}criteria:\n- {{id: A, text: a}}\n- {{id: A, text: b}} # <-- HERE", 'id "A" stands twice'),
    "an id that is no name": (f"{YAML}criteria:\n- {{id: a/b, text: a}} # <-- HERE", "no safe name"),
    "a check id of an output": (f"{YAML}outputs: [a]\nverification:\n- {{ref: O1, run: b}} # <-- HERE", "stands twice"),
    "deep nesting": ("[" * 5000 + "] # <-- HERE", "nested deeper"),
    "many values": (f"{LEAST}actions: [{'a,' * 60_000}] # <-- HERE", "more than 50000 values"),
    "many entries": (f"id: X # <-- HERE\ntitle: t\ngoal: g\nactions: [{'a,' * 1_001}]", "more than 1000 entries"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), YAML_REFUSED.values(), ids=YAML_REFUSED)
def test_yaml_that_is_not_clear_is_refused_at_its_line(refused, text, said):
    assert said in str(refused(text, ".yaml"))


def test_an_alias_bomb_is_not_expanded(read):
    lines = ["a: &a0 [x]"] + [f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    with pytest.raises(TaskFileError, match="anchors and aliases"):
        read("\n".join(lines), ".yaml")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('{\n"id": "X",\n}', 3, "no JSON"),
        ("{id: X}", 1, "no JSON"),
        ("{'id': 'X'}", 1, "no JSON"),
        ('{"id": "X"}\n{}', 2, "no JSON"),
        ('// note\n{"id": "X"}', 1, "no JSON"),
        ('{"id": "X",\n"goal": NaN}', 2, "NaN is no number"),
        ('{"id": -Infinity}', 1, "no JSON|no number"),
        ('{"id": "X",\n"id": "Y"}', 2, "stands twice"),
        ('{"id":\n12345678901234567890123}', 2, 'found number "12345678901234567890123"'),
        ('{"id": ' + "1" * 5000 + "}", 1, "found number"),
        ('{"id": "\\u0000"}', 1, r"U\+0000"),
        ('{"id":\n"\\ud800"}', 2, r"U\+D800"),
        ('{"id": "a\nb"}', 1, "no JSON"),
        ("[" * 100_000, 1, "nested deeper"),
        ("[" * 100 + "]" * 100, 1, "nested deeper"),
        ("null", 1, "found null"),
        ('"text"', 1, "found text"),
        ('{"tasks": {"a": 1}}', 1, "has to be a list"),
        ('{\n"master": {"tasks": []}}', 2, 'unknown field "master"'),
    ],
)
def test_json_that_is_not_clear_is_refused_at_its_line(read, text, line, said):
    with pytest.raises(TaskFileError, match=said) as caught:
        read(text, ".json")
    assert caught.value.line == line


def test_markdown_in_a_json_file_is_no_json(read):
    with pytest.raises(TaskFileError, match="no JSON"):
        read("### Task X: t\n", ".json")


def test_json_with_windows_lines_keeps_its_texts(read):
    text = json.dumps({"id": "X", "title": "t", "goal": "a\r\nb", "actions": ["do"]}, indent=1).replace("\n", "\r\n")
    with pytest.raises(TaskFileError, match=r"U\+000D"):
        read(text, ".json")
