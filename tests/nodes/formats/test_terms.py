"""Limits and Approval of a step, in each form of a card."""

from __future__ import annotations

import pytest
from waypost.state.budget import Allowance
from waypost.state.task import ApprovalPoint

BEFORE, AFTER = ApprovalPoint.BEFORE_DISPATCH, ApprovalPoint.BEFORE_ACCEPTANCE
ALL = Allowance(time_s=1800, turns=40, cost_usd=2.5, attempts=3)
HEAD = "### Task T-1: Title\n\n**Goal**\n\nGo.\n\n**Concrete Actions**\n\n- Do.\n\n"
YAML = "id: T-1\ntitle: Title\ngoal: Go.\nactions: [Do.]\n"


@pytest.mark.parametrize(
    "field",
    [
        "**Limits**\n\n- time: 30 min\n- turns: 40\n- cost: 2.50 USD\n- attempts: 3",
        "**Limits**: Time: 1800, turns: 40, cost: $2.50, attempts: 3.",
        "**Limits**\n\n- time: 0.5 h, cost: 2.5\n- attempts: 3, turns: 40",
    ],
)
def test_limits_of_a_step_in_markdown(read, field):
    task = read(HEAD + field)
    assert (task.steps[0].limits, task.limits) == (ALL, None)


def test_limits_in_yaml_and_what_is_left_out_is_not_limited(read):
    text = YAML + "limits: {time_s: 1800, turns: 40, cost_usd: 2.5, attempts: 3}\n"
    assert read(text, ".yaml").steps[0].limits == ALL
    assert read(YAML + "limits: {turns: 40}\n", ".yaml").steps[0].limits == Allowance(turns=40)
    assert read(YAML, ".yaml").steps[0].limits is None


def test_limits_of_a_task_with_steps_are_those_of_the_run(read):
    step = "#### Step S1: S\n\n**Concrete Actions**\n\n- Do."
    task = read(f"### Task T-1: T\n\n**Goal**: Go.\n\n**Limits**: cost: 5 USD\n\n{step}")
    assert (task.limits, task.steps[0].limits) == (Allowance(cost_usd=5), None)


@pytest.mark.parametrize(
    ("field", "points"),
    [
        ("before dispatch", (BEFORE,)),
        ("Before acceptance.", (AFTER,)),
        ("before acceptance and before dispatch", (BEFORE, AFTER)),
        ("before_dispatch, before acceptance", (BEFORE, AFTER)),
    ],
)
def test_approval_of_a_step_in_markdown(read, field, points):
    assert read(f"{HEAD}**Approval**: {field}").steps[0].approval == points


def test_approval_in_yaml(read):
    assert read(YAML + "approval: before_dispatch\n", ".yaml").steps[0].approval == (BEFORE,)
    assert read(YAML + "approval: [before_acceptance, before_dispatch]\n", ".yaml").steps[0].approval == (BEFORE, AFTER)


@pytest.mark.parametrize(
    "line",
    [
        "- money: 3",
        "- turns",
        "- turns: many",
        "- turns: 0",
        "- turns: 2.5",
        "- time: soon",
        "- time: 0 s",
        "- cost: 3 EUR",
        "- cost: -1",
        "- cost: 1, cost: 2",
        "- attempts: 1e9",
    ],
)
def test_what_is_no_limit_is_refused_at_its_line(refused, line):
    refused(f"{HEAD}**Limits**\n\n{line}<-- HERE\n")


@pytest.mark.parametrize("line", ["- later", "- before", "- before dispatch, before dispatch", "- no"])
def test_what_is_no_point_for_an_approval_is_refused_at_its_line(refused, line):
    assert "before dispatch" in str(refused(f"{HEAD}**Approval**\n\n{line}<-- HERE\n"))


@pytest.mark.parametrize(
    "line",
    [
        "limits: {turns: 0}",
        "limits: {turns: 1.5}",
        "limits: {cost_usd: free}",
        "limits: {money: 1}",
        "limits: 3",
        "limits: [turns]",
        "approval: never",
        "approval: [before_dispatch, before_dispatch]",
        "approval: true",
    ],
)
def test_the_same_in_yaml(refused, line):
    refused(f"{YAML}{line} #<-- HERE\n", ".yaml")


def test_a_field_that_says_none_is_refused_because_it_could_mean_anything(refused):
    refused(f"{HEAD}**Approval**: none<-- HERE")


def test_an_approval_of_a_task_with_steps_belongs_to_no_step(refused):
    head = "### Task T-1: T\n\n**Goal**: Go.\n\n"
    refused(f"{head}**Approval**: before dispatch<-- HERE\n\n#### Step S1: S\n\n**Concrete Actions**\n\n- Do.")
