"""Cards that are refused, each at the line of its fault."""

from __future__ import annotations

import pytest
from waypost.state.errors import TaskFileError

HEAD = "# Task X: t\n**Goal**: g\n"
WORK = f"{HEAD}**Concrete Actions**: do\n"
CRITERIA = f"{WORK}**Acceptance Criteria**\n"
VERIFICATION = f"{WORK}**Verification**\n"
OUTPUTS = f"{WORK}**Expected Outputs**\n"
SCOPE = f"{WORK}**Allowed Scope**\n"
STEP = "## Step S1: s\n**Concrete Actions**: do\n"

CARDS = {
    "no task": ("# Plan <-- HERE\n\n## Task without a colon\n\ntext", "holds no task"),
    "a task without id": ("## Task: t <-- HERE\n**Goal**: g", "holds no task"),
    "no title": ("\n# Task X: <-- HERE\n**Goal**: g\n**Concrete Actions**: do", "title of task"),
    "no goal": ("# Task X: t <-- HERE\n**Concrete Actions**: do", "has no Goal"),
    "no actions": ("# Task X: t <-- HERE\n**Goal**: g", "no Concrete Actions"),
    "a step without actions": (f"{HEAD}## Step S1: s <-- HERE\n**Goal**: g", "no Concrete Actions"),
    "a step without title": (f"{HEAD}## Step S1: <-- HERE\n**Concrete Actions**: do", "title of step"),
    "two tasks with one id": (f"{WORK}# Task X: t <-- HERE\n**Goal**: g\n**Concrete Actions**: do", '"X" stands twice'),
    "two steps with one id": (f"{HEAD}{STEP}## Step S1: t <-- HERE\n**Concrete Actions**: do", 'step id "S1" stands'),
    "actions beside steps": (f"{HEAD}**Concrete Actions**: do <-- HERE\n{STEP}", "has steps and Concrete Actions"),
    "a misspelt field": (f"{WORK}**Acceptance Critera** <-- HERE\n- a", 'did you mean "Acceptance Criteria"'),
    "a misspelt field below a list": (f"{CRITERIA}- a\n**Verificaton** <-- HERE\n- `b`", 'did you mean "Verification"'),
    "an unknown field": (f"{WORK}**Priority**: high <-- HERE", "Deliverables, Verification Baseline"),
    "a known field without colon": (f"{WORK}**Verification** `x` <-- HERE", "without a colon"),
    "a field twice": (f"{WORK}**goal**: h <-- HERE", "stands twice"),
    "a field twice by two names": (f"{WORK}**Expected Outputs**: a\n**Deliverables**: b <-- HERE", "stands twice"),
    "an empty field": (f"{WORK}**Dependencies**: <-- HERE\n\n---\n", "is empty"),
    "text before the first field": ("# Task X: t\nDo this. <-- HERE\n\n**Goal**: g", "before the first field"),
    "a fence before the first field": ("# Task X: t\n```bash <-- HERE\nx\n```\n**Goal**: g", "before the first field"),
    "a heading below the task": (f"{WORK}## Notes <-- HERE\n", "neither a task nor a step"),
    "a field under a heading": ("## Task X: t\n**Goal**: g\n## More\n**Verification**: `x` <-- HERE", "outside a task"),
    "a step under a heading": ("## Task X: t\n**Goal**: g\n## More\n### Step S1: s <-- HERE", "outside a task"),
    "an open fence": (f"{HEAD}**Concrete Actions**\n```bash <-- HERE\nx\n# Task Y: t\n", "never closed"),
    "an open fence without a last line": (f"{HEAD}**Concrete Actions**\n```bash <-- HERE", "never closed"),
    "an open fence in an item": (f"{HEAD}**Concrete Actions**\n- a\n  ```bash <-- HERE\n  x\n- b", "never closed"),
    "an empty bash block": (f"{HEAD}**Concrete Actions**\n```bash <-- HERE\n\n```\n", "block is empty"),
    "an id out of the folder": ("# Task ../x: t <-- HERE\n**Goal**: g", "no safe name"),
    "an id with a slash": ("# Task a/b: t <-- HERE\n**Goal**: g", "no safe name"),
    "an id with a space": ("# Task a b: t <-- HERE\n**Goal**: g", "no safe name"),
    "an id beyond ASCII": ("# Task \u00e4: t <-- HERE\n**Goal**: g", "no safe name"),
    "a long id": (f"# Task {'a' * 300}: t <-- HERE\n**Goal**: g", "300 characters"),
    "a reserved id": ("# Task nul: t <-- HERE\n**Goal**: g", "no safe name"),
    "a step id out of the folder": (f"{HEAD}## Step ..: s <-- HERE\n**Concrete Actions**: do", "no safe name"),
    "a long step id": (f"{HEAD}## Step {'a' * 33}: s <-- HERE\n**Concrete Actions**: do", "33 characters"),
    "a dependency that is no id": (f"{WORK}**Dependencies**: A,\n- a/b <-- HERE", "no safe name"),
    "a dependency twice": (f"{WORK}**Dependencies**: A, <-- HERE\nA", "stands twice"),
    "two dependencies without comma": (f"{WORK}**Dependencies**: A B <-- HERE", "expected a comma"),
    "a paragraph as criterion": (f"{CRITERIA}it works <-- HERE", "no list item"),
    "an empty criterion": (f"{CRITERIA}- a\n- <-- HERE", "no text"),
    "a criterion that is only a box": (f"{CRITERIA}- [ ] <-- HERE", "no text"),
    "a criterion that is only a proof": (f"{CRITERIA}- Verified by `x` <-- HERE", "no text"),
    "a proof that is nothing": (f"{CRITERIA}- a. Verified by: <-- HERE", "followed by nothing"),
    "a proof that is an empty command": (f"{CRITERIA}- a. Verified by ` ` <-- HERE", "expected an entry"),
    "a proof in words": (f"{CRITERIA}- a.\n  Verified by hand <-- HERE", '"hand" is no check'),
    "a proof followed by words": (f"{CRITERIA}- a. Verified by `x` or so <-- HERE", "expected a comma"),
    "a proof that is undefined": (f"{CRITERIA}- a. Verified by V1 <-- HERE", '"V1" is no check'),
    "a nested proof followed by text": (f"{CRITERIA}- a\n  - Verified by: `x` <-- HERE\n  - b", "expected a comma"),
    "a proof that would be lost": (f"{CRITERIA}- a verified by `x` <-- HERE\n  and b, verified by `y`", "twice in one"),
    "a criterion id twice": (f"{CRITERIA}- AC1: a\n- AC1: b <-- HERE", 'id "AC1" stands twice'),
    "a criterion id that a position has": (f"{CRITERIA}- AC2: a\n- b <-- HERE", "numbered by its position"),
    "a check id twice": (f"{VERIFICATION}- V1: `a`\n- V1: `b` <-- HERE", 'id "V1" stands twice'),
    "no command": (f"{VERIFICATION}- make test <-- HERE", "no command"),
    "an empty item": (f"{VERIFICATION}- `a`\n- <-- HERE", "no command"),
    "two commands in an item": (f"{VERIFICATION}- `a` and `b` <-- HERE", "several commands"),
    "a paragraph that is no command": (f"{VERIFICATION}run these: <-- HERE\n\n- `a`", "no command"),
    "a command twice": (f"{VERIFICATION}- `a`\n- `a` <-- HERE", "stands twice"),
    "a detail beside the command": (f"{VERIFICATION}- `a` proves AC1 <-- HERE", "nested list item"),
    "an unknown detail": (f"{VERIFICATION}- `a`\n  - retries: 3 <-- HERE", 'unknown detail "retries"'),
    "two timeouts": (f"{VERIFICATION}- `a`\n  - timeout: 1\n  - timeout: 2 <-- HERE", "second timeout"),
    "a timeout of no length": (f"{VERIFICATION}- `a`\n  - timeout: 0 <-- HERE", "no length of time"),
    "a timeout in an unknown unit": (f"{VERIFICATION}- `a`\n  - timeout: 3 days <-- HERE", "no length of time"),
    "an equivalent without back-ticks": (f"{VERIFICATION}- `a`\n  - equivalent: b <-- HERE", "in back-ticks"),
    "an equivalent that is the command": (f"{VERIFICATION}- `a`\n  - equivalent: `a` <-- HERE", "stands twice"),
    "proves nothing": (f"{VERIFICATION}- `a`\n  - proves: <-- HERE", "names nothing"),
    "proves an unknown criterion": (f"{VERIFICATION}- `a`\n  - proves: AC1 <-- HERE", '"AC1" is no criterion'),
    "a block of another language": (f"{VERIFICATION}```python <-- HERE\nx\n```", "fence that is no command"),
    "a block of comments": (f"{VERIFICATION}```bash <-- HERE\n# x\n```", "no command"),
    "an output in words": (f"{OUTPUTS}- a working parser <-- HERE", "expected a comma"),
    "an absolute output": (f"{OUTPUTS}- a\n- `/etc/passwd` <-- HERE", "is absolute"),
    "an output at home": (f"{OUTPUTS}- ~/x <-- HERE", "is absolute"),
    "an output on a drive": (f"{OUTPUTS}- C:/x <-- HERE", "is absolute"),
    "an output out of the workspace": (f"{OUTPUTS}- a/../../b <-- HERE", "leaves the workspace"),
    "an output pattern": (f"{OUTPUTS}- `*.py` <-- HERE", "is a pattern"),
    "an output folder": (f"{OUTPUTS}- build/ <-- HERE", "names a directory"),
    "an empty output": (f"{OUTPUTS}- ` ` <-- HERE", "expected an entry"),
    "an output twice": (f"{OUTPUTS}- a\n- a <-- HERE", "stands twice"),
    "an output id for two": (f"{OUTPUTS}- O1: a, b <-- HERE", "names 2 outputs"),
    "outputs in a fence": (f"{OUTPUTS}``` <-- HERE\na\n```", "a list is expected"),
    "a nested output": (f"{OUTPUTS}- a <-- HERE\n  - b", "one entry is expected"),
    "an absolute scope": (f"{SCOPE}- /src/** <-- HERE", "is absolute"),
    "a scope out of the workspace": (f"{SCOPE}- src/**\n- ../** <-- HERE", "leaves the workspace"),
    "a scope out of the workspace by exception": (f"{SCOPE}- !../a <-- HERE", "leaves the workspace"),
    "a scope that is a comment": (f"{SCOPE}- `#a` <-- HERE", "reads as a comment"),
    "a scope that is no pattern": (f"{SCOPE}- `a\\` <-- HERE", "no valid pattern"),
    "a scope of three stars": (f"{SCOPE}- a/*** <-- HERE", "'***'"),
    "no scope": (f"{WORK}**Allowed Scope**: none <-- HERE", "says none"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), CARDS.values(), ids=CARDS)
def test_a_card_that_is_not_clear_is_refused_at_its_line(refused, text, said):
    error = refused(text)
    assert said in str(error)
    assert error.exit_code == 2


def test_a_block_that_ends_in_a_backslash_is_refused(read):
    with pytest.raises(TaskFileError, match=r"tasks.md:7: this command ends in a backslash"):
        read(f"{VERIFICATION}```bash\na\nb \\\n```")


def test_the_first_of_two_is_named_as_well(refused):
    assert refused(CARDS["two tasks with one id"][0]).facts == {"first": "line 1"}
    assert refused(CARDS["a field twice by two names"][0]).facts == {"first": 'line 4 ("Expected Outputs")'}


def test_a_file_without_a_task_shows_what_stands_there_instead(refused):
    facts = refused(CARDS["no task"][0]).facts
    assert facts["expected"] == 'a heading "### Task <ID>: <Title>"'
    assert facts["headings"] == '"Plan" (line 1), "Task without a colon" (line 3)'


def test_an_undefined_reference_shows_what_is_defined(refused):
    error = refused(f"{CRITERIA}- a. Verified by `x`\n- b. Verified by O2 <-- HERE\n\n**Expected Outputs**: out")
    assert error.facts["defined"] == "O1, V1"


def test_a_quoted_line_of_any_length_makes_a_message_of_bounded_length(refused):
    assert len(str(refused(f"{WORK}**{'x' * 100_000}** <-- HERE"))) < 2_000
    assert len(str(refused(f"{CRITERIA}- a. Verified by {'x' * 100_000} <-- HERE"))) < 2_000
