"""A budget that is used up is a question with figures, whatever is counted; a person may grant a fresh one."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.approvals import Desk, step
from kit.cards import steps_card

USES = "- usage: {turns: 3, cost_usd: 0.5}\n- say: tried"


@pytest.fixture
def desk(repo):
    return Desk(repo)


def failing(limits: str = "", script: str = USES) -> str:
    return steps_card(step("S1", script, "test -e mended", limits=limits, fence="scripted"))


USED_UP = {
    "turns of the run": ("", ("--max-turns", "3"), "the run: 3 turns used (S1/1), the limit is 3 turns"),
    "cost in the card": ("cost: 0.40 USD", (), "step S1: 0.50 USD used (S1/1), the limit is 0.40 USD"),
    "attempts in the card": ("attempts: 2", (), "step S1: 2 attempts used (S1/1, S1/2), the limit is 2 attempts"),
    "cost of each step": ("", ("--step-max-cost-usd", "0.9"), "step S1: 1.00 USD used (S1/1, S1/2)"),
}


@pytest.mark.parametrize(("limits", "options", "said"), USED_UP.values(), ids=USED_UP)
def test_a_used_up_budget_asks_a_person_with_its_figures(desk, limits, options, said):
    ran = desk.run(failing(limits), "--worker", "scripted", *options)
    assert (ran.code, ran.result["status"]) == (3, "BLOCKED")
    assert said in ran.result["reason"]
    (overrun,) = ran.result["blocked"]["overruns"]
    assert overrun["used"] >= overrun["limit"]


def test_a_fresh_budget_lets_the_worker_try_again(desk):
    desk.run(failing("attempts: 1"), "--worker", "scripted")
    ran = desk("resume", "--recover")
    assert (ran.code, ran.result["attempts"]) == (3, 2)
    (desk.repo / "mended").touch()
    ran = desk("resume", "--recover")
    assert (ran.code, ran.result["attempts"]) == (0, 3)
    assert "no longer count against any limit" in Path(ran.result["evidence"][0]).read_text()


def test_a_worker_that_does_not_report_its_cost_is_not_started_again_under_a_cost_budget(desk):
    ran = desk.run(failing(script="- say: tried"), "--worker", "scripted", "--max-cost-usd", "5")
    assert (ran.code, ran.result["attempts"]) == (3, 1)
    said = 'the run: cost not reported by worker "scripted" (S1/1), the limit of 5.00 USD cannot be enforced'
    assert ran.result["reason"] == said


def test_success_is_not_taken_away_but_the_report_says_that_a_limit_was_crossed_or_not_enforced(desk):
    text = steps_card(step("S1", USES, fence="scripted", limits="cost: 0.40 USD"))
    ran = desk.run(text, "--worker", "scripted", "--max-turns", "9", "--step-max-turns", "2")
    assert ran.code == 0
    report = Path(ran.result["evidence"][0]).read_text()
    assert "Step S1: 0.50 USD used (S1/1), the limit is 0.40 USD." in report
    assert "Step S1: 3 turns used (S1/1), the limit is 2 turns." in report
    assert "Budget of step S1: 2 turns, 0.40 USD." in Path(ran.result["evidence"][1]).read_text()


def test_an_attempt_is_stopped_when_the_time_budget_is_used_up(desk):
    ran = desk.run(steps_card(step("S1", "sleep 600", limits="time: 1 s")))
    assert (ran.code, ran.result["attempts"]) == (3, 1)
    assert "the limit is 1 s" in ran.result["reason"]
