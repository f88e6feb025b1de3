"""Which check proves which criterion. Covered is only what names a check, or is named by one."""

from __future__ import annotations

import pytest

HEAD = "# Task X: t\n**Goal**: g\n**Concrete Actions**: do\n\n"


@pytest.fixture
def step_of(read):
    def step(criteria, verification="", outputs=""):
        text = f"{HEAD}**Acceptance Criteria**\n\n{criteria}\n"
        text += f"\n**Verification**\n\n{verification}\n" if verification else ""
        text += f"\n**Expected Outputs**\n\n{outputs}\n" if outputs else ""
        return read(text).steps[0]

    return step


@pytest.mark.parametrize(
    "criterion",
    [
        "- it works. Verified by `make t`",
        "- it works. verified by: `make t`.",
        "- it works. **Verified by** `make t`",
        "- it works. **Verified by:** `make t`",
        "- [ ] it works. Verified by `make t`",
        "- [x] AC1: it works. VERIFIED BY `make t`",
        "- **AC1:** it works.\n  Verified by `make t`",
        "- `AC1` is text: it works. Verified by\n  `make t`",
        "- it works.\n  - Verified by: `make t`",
        "- it works.\n  * **Verified by** `make t`.",
        "- it works.\n\n  Verified by `make t`",
        "1. it works. (verified by `make t`)",
    ],
)
def test_a_criterion_names_its_command_in_many_ways(step_of, criterion):
    step = step_of(criterion)
    assert [(c.ref, c.run) for c in step.verification] == [("V1", "make t")]
    assert [(c.id, c.verified_by) for c in step.criteria] == [("AC1", ("V1",))]
    assert step.criteria[0].text.endswith(("it works.", "it works"))


@pytest.mark.parametrize("lead", [" \u2014 ", " - ", ", ", "; ", " (", ". "])
def test_what_leads_over_to_the_proof_is_no_part_of_the_text(step_of, lead):
    assert step_of(f"- it works{lead}verified by `t`").criteria[0].text.removesuffix(".") == "it works"


def test_wrapped_lines_are_one_and_nested_text_is_kept(step_of):
    step = step_of("- one\n  two\n- list:\n  - `a`\n  - b\n\n  Verified by `t`")
    assert [c.text for c in step.criteria] == ["one two", "list:\n- `a`\n- b"]


def test_a_criterion_without_a_proof_is_covered_by_nothing(step_of):
    step = step_of("- it works", "- `make t`", "- a.txt")
    assert step.criteria[0].verified_by == ()


def test_several_checks_are_named_with_commas_and_counted_once(step_of):
    step = step_of("- a. Verified by V1, `x`, O1 and `make t`, V1", "- `make t`", "- out")
    assert step.criteria[0].verified_by == ("V1", "V2", "O1")
    assert [c.run for c in step.verification] == ["make t", "x"]


def test_each_nested_item_counts(step_of):
    step = step_of("- a\n  - Verified by: `x`\n  - Verified by: `y`, O1", outputs="- out")
    assert [c.run for c in step.verification] == ["x", "y"]
    assert step.criteria[0].verified_by == ("V1", "V2", "O1")


def test_in_a_sentence_the_last_one_counts(step_of):
    step = step_of("- The signature is verified by the server. Verified by `x`")
    assert step.criteria[0].text == "The signature is verified by the server."
    assert step.verification[0].run == "x"


def test_verified_by_inside_back_ticks_is_text(step_of):
    assert step_of("- prints `verified by x`").criteria[0].text == "prints `verified by x`"


def test_a_command_of_two_criteria_is_one_check(step_of):
    step = step_of("- a. Verified by `x`\n- b. Verified by `x`")
    assert [c.run for c in step.verification] == ["x"]
    assert [c.verified_by for c in step.criteria] == [("V1",), ("V1",)]


def test_a_new_command_takes_a_free_number(step_of):
    step = step_of("- a. Verified by `x`\n- b. Verified by `y`", "- `v`\n- V3: `w`")
    assert [(c.ref, c.run) for c in step.verification] == [("V1", "v"), ("V3", "w"), ("V2", "x"), ("V4", "y")]


def test_a_command_says_which_criteria_it_proves(step_of):
    step = step_of("- a\n- b. Verified by `x`\n- c", "- `v`\n  - proves: AC1, AC2\n- `w`\n  - proves: all")
    assert [c.verified_by for c in step.criteria] == [("V1", "V2"), ("V3", "V1", "V2"), ("V2",)]


def test_criteria_are_numbered_by_position_or_by_their_own_id(step_of):
    assert [c.id for c in step_of("- a\n- AC7: b\n- AC-1.2: c\n- HTTP2: d").criteria] == ["AC1", "AC7", "AC-1.2", "AC4"]


def test_the_lines_of_criteria_and_their_commands_are_known(step_of):
    step = step_of("- a\n\n- b\n  c.\n  Verified by `x`")
    assert [c.line for c in step.criteria] == [7, 9]
    assert [c.line for c in step.verification] == [11]
