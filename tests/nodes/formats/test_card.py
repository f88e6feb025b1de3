"""What a Markdown card means."""

from __future__ import annotations

import pytest

TASK = "### Task DKT-3: A title\n\n**Goal**: get it done\n\n"
ACTION = "**Concrete Actions**: do it\n\n"


def lone(task):
    (step,) = task.steps
    return step


def test_a_task_without_steps_is_one_step_that_carries_everything(read):
    task = read(
        TASK
        + ACTION
        + "**Acceptance Criteria**\n\n- it works. Verified by V1, O1\n\n**Verification**\n\n- `true`\n\n"
        + "**Expected Outputs**: a.txt\n\n**Allowed Scope**: a*\n\n**Dependencies**: DKT-1, DKT-2\n"
    )
    step = lone(task)
    assert (task.id, task.title, task.goal, task.line) == ("DKT-3", "A title", "get it done", 1)
    assert (step.id, step.title, step.goal) == ("S1", "A title", "get it done")
    assert [c.verified_by for c in step.criteria] == [("V1", "O1")]
    assert step.allowed_paths == ("a*",)
    assert (task.criteria, task.verification, task.outputs, task.allowed_paths) == ((), (), (), ())
    assert (task.depends_on, step.depends_on) == (("DKT-1", "DKT-2"), ())


def test_with_steps_the_fields_of_the_task_stay_with_the_task(read):
    task = read(
        TASK
        + "**Verification**: `make all`\n**Acceptance Criteria**\n- all good. Verified by V1\n\n"
        + f"**Dependencies**: DKT-1\n#### Step S1: One\n{ACTION}#### Step S2: Two\n{ACTION}**Dependencies**: S1\n"
    )
    assert [(c.id, c.verified_by) for c in task.criteria] == [("AC1", ("V1",))]
    assert [command.run for command in task.verification] == ["make all"]
    assert task.depends_on == ("DKT-1",)
    assert [(s.id, s.title, s.goal, s.depends_on) for s in task.steps] == [
        ("S1", "One", "", ()),
        ("S2", "Two", "", ("S1",)),
    ]


def test_the_scope_of_the_task_is_the_default_of_its_steps(read):
    steps = f"#### Step S1: a\n{ACTION}#### Step S2: b\n{ACTION}**Allowed Scope**: b/**\n"
    task = read(f"{TASK}**Allowed Scope**: a/**\n\n{steps}")
    assert task.allowed_paths == ("a/**",)
    assert [step.allowed_paths for step in task.steps] == [("a/**",), ("b/**",)]


def test_a_file_holds_several_tasks_in_order(read_all):
    second = TASK.replace("DKT-3", "DKT-4")
    assert [task.id for task in read_all(TASK + ACTION + second + ACTION)] == ["DKT-3", "DKT-4"]


@pytest.mark.parametrize("heading", ["# Task X: t", "###### Task X: t", "### task `X`: t", "## TASK X : t ##"])
def test_a_heading_of_any_level_begins_a_task(read, heading):
    task = read(f"{heading}\n**Goal**: g\n{ACTION}")
    assert (task.id, task.title) == ("X", "t")


def test_text_before_the_first_task_is_ignored_whatever_it_says(read):
    assert read(f"# Plan\n\n**Nonsense**\n\n#### Step S9: x\n\n- a\n\n---\n\n{TASK}{ACTION}").line == 11


def test_a_heading_above_the_task_ends_it_and_what_follows_is_ignored(read):
    task = read(f"{TASK}{ACTION}## Notes\n\nnot an action\n\n- nor this\n")
    assert [action.text for action in lone(task).actions] == ["do it"]


@pytest.mark.parametrize("gap", ["", " ", "  "])
@pytest.mark.parametrize("above", ["- do it", "- do\n  it", "- do it\n  - now\n", "1. do it", "> do it", "- > do it"])
def test_a_label_right_below_a_list_or_quote_is_no_part_of_it(read, above, gap):
    indent = "" if above.startswith("-") else gap
    text = f"# Task X: t\n**Goal**: g\n**Concrete Actions**\n{above}\n{indent}**Expected Outputs**: a.txt\n"
    step = lone(read(text))
    assert [output.path for output in step.outputs] == ["a.txt"]
    assert all("Outputs" not in action.text for action in step.actions)


def test_an_indented_label_below_a_list_item_is_text_of_the_item(read):
    (action,) = lone(read(f"{TASK}**Concrete Actions**\n- do it\n  **Note**: soon\n")).actions
    assert action.text == "do it\n**Note**: soon"


@pytest.mark.parametrize(
    "goal",
    [
        "**Goal**: g",
        "**Goal:** g",
        "**goal**\n\ng",
        "**Goal**:\ng",
        "**GOAL** : g",
        "__Goal__: g",
        "**Goal**\n  g",
        "**Goal**: g\n\n---",
        "**Goal**: g\n---",
    ],
)
def test_a_label_is_bold_with_or_without_a_colon_and_text(read, goal):
    assert read(f"### Task X: t\n{goal}\n\n{ACTION}").goal == "g"


def test_labels_may_follow_each_other_without_an_empty_line(read):
    task = read(
        "# Task X: t\n**Goal**: g\n**Expected Outputs**: a.txt\n**Dependencies**: none\n**Concrete Actions**: do"
    )
    assert (task.goal, task.depends_on, lone(task).outputs[0].path) == ("g", (), "a.txt")


def test_the_goal_is_taken_from_the_source_as_it_stands(read):
    goal = "First `line`\nsecond *line*\n\n- <b>item</b> &amp; [x](y)\n\n```bash\nnot an action\n```\n\n[ref]: http://x"
    assert read(f"# Task X: t\n**Goal**\n\n{goal}\n\n{ACTION}").goal == goal


def test_bold_text_in_a_sentence_or_a_list_item_is_no_field(read):
    task = read(f"{TASK}**Concrete Actions**\n\n**Never** do this.\n\n- **Note**: or this\n")
    assert [action.text for action in lone(task).actions] == ["**Never** do this.", "**Note**: or this"]


def actions_of(read, text):
    step = lone(read(f"# Task X: t\n**Goal**: g\n**Concrete Actions**\n{text}"))
    return [(action.kind.value, action.text, action.line) for action in step.actions]


def test_paragraphs_and_items_are_prose_and_fences_are_for_their_worker(read):
    text = "para\ngraph\n\n- one\n- two\n  more\n\n```bash\nset -e\n\necho\n```\n\n"
    text += "~~~scripted\n- exit: 0\n~~~\n\n1. three\n"
    assert actions_of(read, text) == [
        ("prose", "para\ngraph", 4),
        ("prose", "one", 7),
        ("prose", "two\nmore", 8),
        ("bash", "set -e\n\necho", 11),
        ("scripted", "- exit: 0", 17),
        ("prose", "three", 21),
    ]


@pytest.mark.parametrize("info", ["bash", "sh", "shell", "Bash title=x"])
def test_shell_fences_go_by_several_names(read, info):
    assert actions_of(read, f"```{info}\necho\n```") == [("bash", "echo", 4)]


@pytest.mark.parametrize("info", ["", "python", "text bash"])
def test_any_other_fence_is_prose_with_its_fences(read, info):
    assert actions_of(read, f"```{info}\necho\n```") == [("prose", f"```{info}\necho\n```", 4)]


def test_a_fence_inside_a_list_item_counts_and_cuts_the_prose_in_two(read):
    text = "- before\n\n  ```bash\n  cat <<X\n    indented\n  X\n  ```\n  after\n"
    text += "  - deeper\n    ```sh\n    two\n    ```\n- ```bash\n  three\n  ```\n"
    assert actions_of(read, text) == [
        ("prose", "before", 4),
        ("bash", "cat <<X\n  indented\nX", 6),
        ("prose", "after\n- deeper", 11),
        ("bash", "two", 13),
        ("bash", "three", 16),
    ]


def test_quotes_html_and_indented_code_are_prose(read):
    text = "> quoted\n\n<!-- a comment -->\n\n    indented\n"
    assert [a[1] for a in actions_of(read, text)] == ["> quoted", "<!-- a comment -->", "indented"]


def names(read, field, text):
    task = read(f"{TASK}**{field}**{text}\n\n{ACTION}")
    return {
        "Dependencies": task.depends_on,
        "Expected Outputs": tuple(output.path for output in lone(task).outputs),
        "Allowed Scope": lone(task).allowed_paths,
    }[field]


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("Expected Outputs", ": a.txt, `b c.txt` and d", ("a.txt", "b c.txt", "d")),
        ("Expected Outputs", "\n- `a.txt`: the `thing`\n- b.txt (new, for x)", ("a.txt", "b.txt")),
        ("Expected Outputs", "\n- [ ] c.txt - see a, b", ("c.txt",)),
        ("Expected Outputs", ": none", ()),
        ("Expected Outputs", ": ./none, .hidden, a/..b", ("./none", ".hidden", "a/..b")),
        ("Dependencies", ": A-1 (first), `B_2`,\nC.3.", ("A-1", "B_2", "C.3")),
        ("Dependencies", "\n- A-1: the skeleton\n- B-2 \u2014 the model", ("A-1", "B-2")),
        ("Dependencies", ": None.", ()),
        ("Dependencies", ": -", ()),
        ("Dependencies", ": nothing", ()),
        ("Dependencies", "\n- none", ()),
        ("Allowed Scope", ": **/*.py, !a/[bc]?.py", ("**/*.py", "!a/[bc]?.py")),
        ("Allowed Scope", "\n- `my docs/**`\n- *.md", ("my docs/**", "*.md")),
    ],
)
def test_names_are_listed_with_commas_or_as_items_and_may_be_described(read, field, text, expected):
    assert names(read, field, text) == expected


def test_outputs_are_numbered_by_position_or_by_their_own_id(read):
    task = read(f"{TASK}{ACTION}**Deliverables**\n- a\n- O7: `b`\n- **O9**: c\n")
    assert [(o.ref, o.path) for o in lone(task).outputs] == [("O1", "a"), ("O7", "b"), ("O9", "c")]


def commands_of(read, text):
    return lone(read(f"{TASK}{ACTION}**Acceptance Criteria**\n- a\n- b\n\n**Verification**\n{text}")).verification


def test_a_command_stands_in_back_ticks_with_words_around_it(read):
    found = commands_of(read, "- `make a`\n- Lint: ``echo `date` `` (all of it)\n- V9: `c`\n")
    assert [(c.ref, c.run) for c in found] == [("V1", "make a"), ("V2", "echo `date`"), ("V9", "c")]


def test_a_command_that_wraps_in_back_ticks_is_one_line(read):
    assert commands_of(read, "- `make\n  all`")[0].run == "make all"


def test_a_command_may_have_equivalents_and_a_time_limit(read):
    text = "- `make t`\n  - equivalent: `a`\n  - Equivalents: `b`, `c d`\n  - timeout: 2 min\n"
    (command,) = commands_of(read, text)
    assert (command.equivalents, command.timeout_s, command.line) == (("a", "b", "c d"), 120.0, 12)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("60 s", 60), ("1.5min", 90), ("1 hour", 3600), ("3 Minutes", 180)]
)
def test_a_time_limit_has_a_unit(read, text, seconds):
    assert commands_of(read, f"- `a`\n  - timeout: {text}")[0].timeout_s == seconds


def test_a_fenced_block_holds_one_command_per_line(read):
    text = "```bash\n# first\nmake a\n\n  make b \\\n    c\necho 'x\\\\'\n```"
    assert [(c.run, c.line) for c in commands_of(read, text)] == [
        ("make a", 14),
        ("make b     c", 16),
        ("echo 'x\\\\'", 18),
    ]


def test_a_fence_may_stand_for_bash_or_the_same_line_as_the_label(read):
    assert [c.run for c in lone(read(f"{TASK}{ACTION}**Verification Baseline**: `make t`")).verification] == ["make t"]
