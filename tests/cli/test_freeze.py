"""A plan that a person froze is what is run, or nothing is."""

from __future__ import annotations

import json

import pytest
from kit.cards import card, write_card
from kit.cli import waypost_here

CARD = card(bash="echo x > out.txt", criteria="- AC1: It is there. Verified by file `out.txt` matches `^x$`")


class Owner:
    def __init__(self, repo):
        self.repo, self.runs = repo, repo.parent / "runs"
        self.path = write_card(repo.parent, CARD)
        self.frozen = self.path.with_name("tasks.md.frozen.json")

    def plan(self, *options):
        return waypost_here("plan", self.path, *options, cwd=self.repo.parent)

    def run(self, *options):
        where = ("--workspace", self.repo, "--runs", self.runs, "--run-id", "R", "--json")
        return waypost_here("run", self.path, *where, *options, cwd=self.repo.parent)

    def edit(self, old, new):
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))


@pytest.fixture
def owner(repo):
    return Owner(repo)


@pytest.fixture
def frozen(owner):
    assert owner.plan("--freeze", "--note", "read it").code == 0
    return owner


def test_a_frozen_plan_says_by_whom_why_and_which_check_proves_what(frozen):
    plan = json.loads(frozen.frozen.read_text())["tasks"]["T-1"]
    assert (plan["note"], bool(plan["who"])) == ("read it", True)
    assert plan["criteria"][0]["checks"] == ["file out.txt, matches ^x$"]
    assert "unchanged" in frozen.plan().out


def test_the_run_is_held_to_it_and_its_ledger_says_so(frozen):
    assert frozen.run().code == 0
    shown = waypost_here("status", "R", "--runs", frozen.runs, "--json", cwd=frozen.repo)
    state = json.loads(shown.out)["state"]
    plan = json.loads(frozen.frozen.read_text())["tasks"]["T-1"]
    assert (state["frozen"]["digest"], state["frozen"]["note"]) == (plan["digest"], "read it")
    audited = waypost_here("audit", "R", "--runs", frozen.runs, cwd=frozen.repo)
    assert audited.code == 0
    assert "frozen plan: is what was run" in audited.out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    {
        "a check": ("^x$", "x", "S1 AC1"),
        "a criterion": ("It is there", "It is here", "S1 AC1"),
        "an action": ("echo x", "echo y", "no criterion and no check; the goal, actions, scope, limits or approvals"),
        "the scope": (
            "**Acceptance",
            "**Allowed Scope**: `*`\n\n**Acceptance",
            "no criterion and no check; the goal, actions, scope, limits or approvals",
        ),
    }.values(),
)
def test_whatever_of_the_task_changes_nothing_is_started(frozen, old, new, said):
    frozen.edit(old, new)
    ran = frozen.run()
    assert (ran.code, ran.result["facts"]["changed"]) == (2, said)
    assert not frozen.runs.exists()
    assert "CHANGED" in frozen.plan().out


def test_a_check_that_is_amended_beside_the_card_changes_it_too(frozen):
    (frozen.path.parent / "waypost.checks.toml").write_text('[task."T-1".AC1]\nrun = "true"\nreplace = true\n')
    assert frozen.run().code == 2
    assert frozen.plan("--freeze").code == 0
    assert frozen.run().code == 0


def test_where_only_lines_move_it_is_the_same_plan(frozen):
    frozen.path.write_text("Some words before.\n\n" + CARD)
    assert frozen.run().code == 0


def test_a_task_that_was_not_frozen_with_the_others_is_not_started(frozen):
    frozen.path.write_text(CARD.replace("T-1", "T-2"))
    ran = frozen.run()
    assert (ran.code, ran.result["text"].startswith("task T-2 is not in the frozen plan")) == (2, True)


def test_in_a_batch_nothing_is_started_where_one_task_is_another_one(owner):
    owner.path.write_text(CARD + CARD.replace("T-1", "T-2"))
    owner.plan("--freeze")
    owner.path.write_text(CARD + CARD.replace("T-1", "T-2").replace("^x$", "x"))
    assert (owner.run().code, owner.runs.exists()) == (2, False)


@pytest.mark.parametrize("content", ["", "{}", '{"format": "waypost-frozen-plan/2", "tasks": {}}'])
def test_what_is_no_frozen_plan_holds_everything_up(owner, content):
    owner.frozen.write_text(content)
    ran = owner.run()
    assert ran.code == 2
    assert str(owner.frozen) in ran.result["text"]


def test_a_link_in_its_place_is_refused(frozen):
    elsewhere = frozen.frozen.rename(frozen.frozen.with_name("elsewhere.json"))
    frozen.frozen.symlink_to(elsewhere)
    assert frozen.run().code == 2


def test_a_note_without_freezing_is_refused_and_planning_alone_writes_nothing(owner):
    assert owner.plan("--note", "x").code == 2
    assert owner.plan().code == 0
    assert not owner.frozen.exists()


MIXED = card(
    bash="true",
    criteria="- AC1: It is there. Verified by file `out.txt` matches `^x$`, V1\n- AC2: It is fine.",
    verification="- V1: `make test`\n  - output: `OK`",
)


def test_the_plan_of_a_card_says_of_each_criterion_what_kinds_of_check_prove_it_or_that_none_does(owner):
    owner.path.write_text(MIXED)
    shown = owner.plan().out
    assert "check       file out.txt, matches ^x$  (file V2)" in shown
    assert "check       make test, output OK  (command V1)" in shown
    assert 'or to waypost.checks.toml: [task."T-1"."S1.AC2"] run = "COMMAND"' in shown
    task, result = owner.plan("--json").events
    assert [(c["key"], [k["kind"] for k in c["checks"]], c["proved"]) for c in task["criteria"]] == [
        ("S1.AC1", ["file", "command"], True),
        ("S1.AC2", [], False),
    ]
    assert (result["event"], result["unverifiable_tasks"]) == ("result", 1)


def test_freezing_ends_with_one_result_for_a_script(owner):
    *_, result = owner.plan("--freeze", "--json").events
    assert (result["event"], result["frozen"]) == ("result", str(owner.frozen))
    assert set(result["digests"]) == {"T-1"}
