"""How a card writes checks of a kind: behind "Verified by", in Verification, and in YAML and JSON."""

from __future__ import annotations

import pytest

HEAD = "# Task X: t\n**Goal**: g\n**Concrete Actions**: do\n"


def of(task):
    """Every check of the only step, in short."""
    (step,) = task.steps
    commands = [("command", (c.run,), {"output": c.output, "exit_code": c.exit_code}) for c in step.verification]
    return commands + [(p.kind, p.subject, p.args) for p in step.probes]


WRITTEN = {
    "test `tests/a.py::test_b`": ("test", ("tests/a.py::test_b",), {}),
    "Test: `a.py::b[x, y]` `a.py::c` run `pytest -q`": ("test", ("a.py::b[x, y]", "a.py::c"), {"run": "pytest -q"}),
    "file `docs/a.md`": ("file", ("docs/a.md",), {}),
    "file `docs/a b.md` matches `^x, y$`.": ("file", ("docs/a b.md",), {"matches": "^x, y$"}),
    "file `a.json` with schema `b.json`": ("file", ("a.json",), {"schema": "b.json"}),
    "`greet ''` with exit code `2` output: `no name`": (
        "command", ("greet ''",), {"output": "no name", "exit_code": 2}
    ),
    "command `a` output `b`": ("command", ("a",), {"output": "b", "exit_code": 0}),
    "manual": ("manual", ("It is so.",), {}),
    "manual `Is it, in truth?`": ("manual", ("Is it, in truth?",), {}),
}  # fmt: skip


@pytest.mark.parametrize("proof", WRITTEN)
def test_behind_verified_by_stands_a_kind_with_what_it_takes(read, proof):
    task = read(f"{HEAD}**Acceptance Criteria**\n- It is so. Verified by {proof}")
    assert of(task) == [WRITTEN[proof]]
    (criterion,) = task.steps[0].criteria
    assert (criterion.text, len(criterion.verified_by)) == ("It is so", 1) or criterion.text == "It is so."


def test_several_stand_with_commas_and_the_same_one_is_one_check(read):
    task = read(
        f"{HEAD}**Acceptance Criteria**\n"
        "- One. Verified by `make test`, file `a.md` matches `x`, V1 and manual\n"
        "- Two. Verified by file `a.md` matches `x`\n"
    )
    first, second = task.steps[0].criteria
    assert first.verified_by == ("V1", "V2", "V3")
    assert second.verified_by == ("V2",)


VERIFICATION = """**Acceptance Criteria**
- AC1: One. Verified by V2
- AC2: Two.
**Verification**
- V1: `make test`
  - output: `^OK$`
  - exit code: 3
- The page names it: `docs/a.md`
  - kind: file
  - matches: `greet NAME`
  - proves: AC2
  - timeout: 5 s
- V3: `a.py::b`, `a.py::c`
  - kind: test
"""


def test_in_verification_a_kind_stands_below_its_subject(read):
    task = read(HEAD + VERIFICATION)
    assert of(task) == [
        ("command", ("make test",), {"output": "^OK$", "exit_code": 3}),
        ("file", ("docs/a.md",), {"matches": "greet NAME"}),
        ("test", ("a.py::b", "a.py::c"), {}),
    ]
    assert [c.verified_by for c in task.steps[0].criteria] == [("V2",), ("V2",)]
    assert task.steps[0].probes[0].timeout_s == 5


YAML = """
id: X
title: t
goal: g
actions: [do]
criteria:
  - text: One
    verified_by:
      - run: make test
        output: ^OK$
        exit_code: 3
      - {file: a.json, schema: b.json}
      - {test: [a.py::b, a.py::c], run: pytest -q}
      - {manual: "Is it?"}
      - {kind: file, subject: [a.md], args: {matches: x}}
probes:
  - {ref: P1, file: c.md, proves: all, timeout_s: 3}
  - {ref: P2, kind: manual, subject: "Two?"}
"""


def test_yaml_has_a_short_form_and_a_long_one(read):
    assert of(read(YAML, ".yaml")) == [
        ("command", ("make test",), {"output": "^OK$", "exit_code": 3}),
        ("file", ("c.md",), {}),
        ("manual", ("Two?",), {}),
        ("file", ("a.json",), {"schema": "b.json"}),
        ("test", ("a.py::b", "a.py::c"), {"run": "pytest -q"}),
        ("manual", ("Is it?",), {}),
        ("file", ("a.md",), {"matches": "x"}),
    ]


REFUSED = {
    "unknown `a.md`": 'unknown kind of check "unknown"',
    "file `a.md` holds `x`": 'unknown detail "holds" of a check of kind "file"',
    "file `a.md` matches `x` matches `y`": '"matches" stands twice in one check',
    "file `a.md` matches": 'expected a comma, found "matches"',
    "file `a.md` `b.md`": "names 2 times",
    "file `../a`": "leaves the workspace",
    "file `/etc/passwd`": "is absolute",
    "file `a.json` schema `../b`": "leaves the workspace",
    "file `a.json` schema `a.json`": "to be valid by itself",
    "`a` output `(`": 'has "output", which is no pattern',
    "`a` output `x*`": "found in an empty text too",
    f"`a` output `{'x' * 1001}`": "more than 1000 characters",
    "`a` exit code `256`": "a number from 0 to 255",
    "`a` exit code `zero`": "a number from 0 to 255",
    "file": "does not say the path",
    "test `a.py::b` run `make test`": "not told where its report goes",
    "`a` `b`": 'expected a comma, found "`b`"',
}


@pytest.mark.parametrize("proof", REFUSED)
def test_a_check_that_does_not_fit_its_kind_is_refused_at_its_line(refused, proof):
    error = refused(f"{HEAD}**Acceptance Criteria**\n- It is so. Verified by {proof}<-- HERE")
    assert REFUSED[proof] in str(error)


def test_an_earlier_check_in_a_sentence_is_not_lost_in_silence(refused):
    error = refused(f"{HEAD}**Acceptance Criteria**\n- So, verified by file `a`, verified by `b`<-- HERE")
    assert "stands twice in one sentence" in str(error)


YAML_REFUSED = {
    "{nonsense: a}": 'unknown kind of check "nonsense"',
    "{file: a, holds: b}": 'unknown detail "holds"',
    "{kind: file}": "does not say the path",
    "{kind: file, subject: a, args: [x]}": '"args" has to be a mapping',
    "{run: a, output: [x]}": "has to be text",
    "{timeout_s: 3}": 'has no field "run"',
    "{file: a, timeout_s: 3}": "only what its kind takes",
}


@pytest.mark.parametrize("check", YAML_REFUSED)
def test_in_yaml_too(refused, check):
    text = f"id: X\ntitle: t\ngoal: g\nactions: [do]\ncriteria:\n- text: c\n  verified_by: [{check}] # <-- HERE"
    assert YAML_REFUSED[check] in str(refused(text, ".yaml"))
