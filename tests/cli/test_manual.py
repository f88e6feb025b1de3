"""What only a person can decide is asked once everything else passed, and is never decided by default."""

from __future__ import annotations

import json
from functools import partial

import pytest
from kit.approvals import Desk
from kit.cards import card, steps_card
from waypost.cli.answers import answer
from waypost.nodes.audit.decided import audit_decisions
from waypost.nodes.evidence.signing import keygen, sign, signed_payload
from waypost.nodes.person import Answer, misfit
from waypost.state.pipeline import PipelineState
from waypost.state.status import Route

ASK = card(
    bash="echo x > out.txt",
    criteria="- AC1: It is there. Verified by `test -s out.txt`\n- AC2: It is beautiful. Verified by manual",
)


def step(name, bash, proof, depends_on="none"):
    return (
        f"#### Step {name}: {name}\n\n**Concrete Actions**\n\n```bash\n{bash}\n```\n\n"
        f"**Dependencies**\n\n{depends_on}\n\n"
        f"**Acceptance Criteria**\n\n- It works. Verified by {proof}"
    )


@pytest.fixture
def desk(repo):
    return Desk(repo)


def manual_checks(desk):
    return [check for check in desk.state()["checks"] if check["probe"] == "manual"]


def test_the_run_waits_for_a_person_and_shows_the_criterion_the_files_and_where_to_look(desk):
    ran = desk.run(ASK)
    assert (ran.code, ran.result["status"], ran.result["waits_for"]) == (3, "BLOCKED", "approval: check 1.S1.V2")
    said = "\n".join(ran.result["blocked"]["reasons"])
    assert "It is beautiful." in ran.result["blocked"]["question"]
    assert "out.txt (untracked)" in said
    assert "PASSED AC1" in said
    assert manual_checks(desk) == []


def test_an_approval_proves_the_criterion_and_who_when_and_why_are_kept_and_audited(desk):
    desk.run(ASK)
    assert desk("approve", "--note", "looked at it").code == 0
    (check,) = manual_checks(desk)
    (decision,) = desk.state()["decisions"]
    assert (check["outcome"], decision["approval"]["check"]) == ("PASSED", check["id"])
    facts = json.loads((desk.runs / "R" / check["log"]).read_text())
    assert (facts["decision"], facts["note"], facts["who"]) == ("approved", "looked at it", decision["who"])
    audited = desk("audit")
    assert (audited.code, audited.events[-1]["verified"]) == (0, True)


def signatures(desk, *options):
    """How audit finds each decision, and whether the run is verified."""
    found = desk("audit", *options).events[-1]
    rows = [row for row in found["findings"] if row["subject"].startswith("decision ")]
    return [(row["found"], row["what"]) for row in rows], found["verified"]


def test_a_decision_that_nobody_signed_is_told_as_such(desk):
    desk.run(ASK)
    desk("approve", "--note", "looked at it")
    (row,), verified = signatures(desk)
    assert (row[0], verified) == ("not checked", True)
    assert "is not signed" in row[1]
    report = (desk.runs / "R" / "reports" / "T-1" / "report.md").read_text()
    assert ", not signed: looked at it" in report


def test_a_signed_decision_is_verified_by_key_and_no_other_one_can_be_made_of_it(desk, tmp_path):
    for name in ("ada", "eve"):
        (tmp_path / name).mkdir()
        keygen(tmp_path / name)
    desk.run(ASK)
    ada, eve = tmp_path / "ada", tmp_path / "eve"
    assert desk("approve", "--note", "looked at it", "--sign", str(ada / "waypost.key")).code == 0
    key = json.loads(desk.state()["decisions"][0]["envelope"])["signatures"][0]["keyid"]
    assert signatures(desk) == ([("not checked", f"give the key of that person with --key; it says: {key}")], True)
    (row,), verified = signatures(desk, "--key", str(ada / "waypost.pub"))
    assert (row, verified) == (("ok", f"signed with the key that was given: {key}"), True)
    (row,), _ = signatures(desk, "--key", str(eve / "waypost.pub"))
    assert row == ("not checked", f"is signed by another key than the one that was given: {key}")

    state = PipelineState.model_validate(desk.state())
    (decision,) = state.decisions
    opener = partial(signed_payload, key_file=ada / "waypost.pub")
    changes = ({"who": "eve"}, {"note": "fine"}, {"route": Route.REJECT_RESULT}, {"approval": None}, {"envelope": "{}"})
    for change in changes:
        forged = state.model_copy(update={"decisions": (decision.model_copy(update=change),)})
        assert [one.found for one in audit_decisions(forged, opener)] == ["wrong"], change
    of_another = state.model_copy(update={"run_id": "S"})
    assert [one.found for one in audit_decisions(of_another, opener)] == ["wrong"]


def test_what_was_signed_about_another_question_decides_nothing(desk, tmp_path):
    keygen(tmp_path)
    desk.run(ASK)
    state = PipelineState.model_validate(desk.state())
    sign_it = partial(sign, key_file=tmp_path / "waypost.key")
    given = answer(state, "approve", "fine", "ada", sign_it)
    for change in ({}, {"note": "other"}, {"who": "eve"}, {"decision": "reject"}, {"envelope": "nonsense"}):
        assert bool(misfit(state, Answer.model_validate({**given, **change}))) is bool(change), change


def test_a_refusal_goes_back_to_the_worker_with_the_words_of_the_person(desk):
    desk.run(ASK)
    ran = desk("reject", "--note", "too plain")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: check 2.S1.V2")
    assert "too plain" in (desk.runs / "R" / "dispatch" / "S1" / "attempt-2" / "prompt.md").read_text()
    assert [check["outcome"] for check in manual_checks(desk)] == ["FAILED"]
    assert desk("approve").code == 0


def test_nobody_is_asked_while_something_else_fails(desk):
    ran = desk.run(ASK.replace("test -s out.txt", "false"), "--max-rework", "0")
    assert (ran.code, ran.result["waits_for"]) == (3, "a decision")


def test_an_approval_does_not_hold_for_files_that_were_changed_after_they_were_shown(desk):
    desk.run(ASK)
    (desk.repo / "out.txt").write_text("something else\n")
    ran = desk("approve")
    assert (ran.code, ran.result["waits_for"]) == (3, "approval: check 2.S1.V2")
    assert desk.state()["decisions"] == []


def test_an_approval_holds_in_a_later_round_over_the_very_same_files(desk):
    desk.run(steps_card(step("S1", "echo 1 > one", "manual `Is one fine?`"), step("S2", "true", "`true`", "S1")))
    assert desk("approve", "--note", "fine").code == 0
    first, again = manual_checks(desk)
    assert ((first["id"], again["id"]), first["reason"]) == (("1.S1.V1", "2.S1.V1"), again["reason"])
    assert desk("audit").code == 0


def test_where_a_later_step_has_changed_files_it_is_asked_again(desk):
    desk.run(
        steps_card(step("S1", "echo 1 > one", "manual `Is one fine?`"), step("S2", "echo 2 > two", "`true`", "S1"))
    )
    assert desk("approve").result["waits_for"] == "approval: check 2.S1.V1"
    assert desk("approve").code == 0


def test_a_question_of_the_task_itself_is_asked_last(desk):
    text = steps_card(step("S1", "echo 1 > one", "`test -s one`")).replace(
        "#### Step S1", "**Acceptance Criteria**\n\n- All is well. Verified by manual\n\n#### Step S1"
    )
    assert desk.run(text).result["waits_for"] == "approval: check 1.task.V1"
    assert desk("approve", "--note", "yes").code == 0
    assert desk("audit").code == 0


def test_an_isolated_run_asks_before_anything_is_merged_and_the_approval_holds_for_the_merged_commit(desk):
    assert desk.run(ASK, "--isolate", "worktree").result["waits_for"] == "approval: check 1.S1.V2"
    assert not (desk.repo / "out.txt").exists()
    assert desk("approve").code == 0
    assert [check["id"] for check in manual_checks(desk)] == ["1.S1.V2", "2.S1.V2"]
    assert (desk.repo / "out.txt").exists()
    assert desk("audit").code == 0


@pytest.mark.parametrize("decision", ["--recover", "--recheck"])
def test_no_other_decision_stands_for_it(desk, decision):
    desk.run(ASK)
    ran = desk("resume", decision)
    assert ran.code in (2, 3)
    assert manual_checks(desk) == []
