"""`graph.invoke()` as a user of LangGraph calls it."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from kit.cards import card, step_part, steps_card
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from waypost import RunContext, build_pipeline
from waypost.graphs.allow import STATE_TYPES
from waypost.graphs.pipeline import STAGES
from waypost.nodes.move import Move
from waypost.nodes.workers import Launch, PlainWorker
from waypost.state.errors import EvidenceError, IllegalTransition, StateError
from waypost.state.records import Outcome
from waypost.state.status import Node, Route, Status

GOOD = card(bash="echo x > out.txt")
BLOCKED = card(bash="true", verify="test -e mended")


def test_a_task_ends_done_with_verdicts_evidence_and_every_transition(bench):
    final = bench.invoke(bench.new(GOOD))
    assert final["status"] is Status.DONE
    assert [(v.criterion, v.outcome) for v in final["verdicts"]] == [
        ("AC1", Outcome.PASSED),
        (None, Outcome.PASSED),
        (None, Outcome.PASSED),
    ]
    routes = ["extracted", "frozen", "measured", "dispatched", "checked", "accepted_all"]
    assert [t.route for t in final["transitions"]] == routes
    assert len(final["evidence"]) == 3


def test_every_transition_is_a_checkpoint_of_its_own(bench):
    state = bench.new(GOOD)
    bench.invoke(state)
    history = [snapshot.values for snapshot in bench.graph.get_state_history(bench.config(state))]
    statuses = [values["status"] for values in reversed(history) if "run_id" in values]
    assert statuses == ["PLANNING", "ANALYSIS", "FREEZE", "FREEZE", "EXECUTE", "ACCEPT", "DONE"]


def test_the_mirrors_show_the_newest_state_and_one_snapshot_per_transition(bench):
    state = bench.new(GOOD)
    bench.invoke(state)
    folder = bench.runs / state.run_id
    assert json.loads((folder / "pipeline_state.json").read_text())["values"]["status"] == "DONE"
    names = sorted(path.stem.partition("-")[2] for path in (folder / "snapshots").iterdir())
    assert {"extract", "plan", "dispatch", "verify", "transition"} <= set(names)


def test_the_same_graph_runs_asynchronously(bench):
    state = bench.new(GOOD)
    final = asyncio.run(bench.graph.ainvoke(state, bench.config(state)))
    assert final["status"] is Status.DONE


def test_it_runs_with_any_checkpointer_of_langgraph(repo, tmp_path, bench):
    state = bench.new(GOOD)
    graph = build_pipeline(InMemorySaver(), context=RunContext(runs_dir=bench.runs))
    assert graph.invoke(state, bench.config(state))["status"] is Status.DONE


def test_a_blocked_run_waits_in_an_interrupt_that_asks_a_clear_question(bench):
    state = bench.new(BLOCKED, max_rework=0)
    final = bench.invoke(state)
    (asked,) = bench.graph.get_state(bench.config(state)).interrupts
    assert final["status"] is Status.BLOCKED
    assert asked.value["question"] == "S1 still fails after 0 reworks. How shall it go on?"
    assert asked.value["reasons"] == ["S1: test -e mended: exit code 1"]
    assert asked.value["answer_with"]["decision"] == ["recover", "recheck", "give_up"]


@pytest.mark.parametrize(("decision", "status"), [("recheck", "DONE"), ("recover", "DONE"), ("give_up", "FAILED")])
def test_a_command_with_a_decision_resumes_it(bench, decision, status):
    state = bench.new(BLOCKED, max_rework=0)
    bench.invoke(state)
    (bench.repo / "mended").touch()
    answer = Command(resume={"decision": decision, "who": "ada", "note": "seen it"})
    final = bench.graph.invoke(answer, bench.config(state))
    assert final["status"] == status
    assert [(d.route, d.who, d.note) for d in final["decisions"]] == [(decision, "ada", "seen it")]


@pytest.mark.parametrize(
    "answer", ["approve", "accepted_all", {"decision": "done"}, 42, {"decision": "recover", "x": 1}]
)
def test_an_answer_that_does_not_fit_is_asked_again_and_decides_nothing(bench, answer):
    state = bench.new(BLOCKED, max_rework=0)
    bench.invoke(state)
    final = bench.graph.invoke(Command(resume=answer), bench.config(state))
    (asked,) = bench.graph.get_state(bench.config(state)).interrupts
    assert (final["status"], list(final["decisions"])) == (Status.BLOCKED, [])
    assert asked.value["complaint"]
    final = bench.graph.invoke(Command(resume={"decision": "give_up"}), bench.config(state))
    assert final["status"] is Status.FAILED


@pytest.mark.parametrize(
    "damage", [{"max_rework": 3}, {"run_id": "../x"}, {"limits": {"max_rework": "many"}}, {"status": "SUPER"}]
)
def test_an_invalid_input_is_refused_before_anything_is_saved(bench, damage):
    state = bench.new(GOOD)
    with pytest.raises(StateError):
        bench.graph.invoke({**state.model_dump(), **damage}, bench.config(state))
    assert bench.graph.get_state(bench.config(state)).created_at is None
    assert bench.invoke(state)["status"] is Status.DONE


def test_an_input_that_claims_to_be_done_is_refused(bench):
    state = bench.new(GOOD)
    with pytest.raises(StateError, match="DONE without proof"):
        bench.graph.invoke({**state.model_dump(), "status": "DONE"}, bench.config(state))


@pytest.mark.parametrize("values", [{"status": "DONE"}, {"transitions": ()}, {"nope": 1}, {"checks": [1]}, 7])
def test_an_update_from_outside_cannot_move_or_poison_the_run(bench, values):
    state = bench.new(BLOCKED, max_rework=0)
    bench.invoke(state)
    with pytest.raises(StateError):
        bench.graph.update_state(bench.config(state), values, as_node="verify")
    assert bench.graph.get_state(bench.config(state)).values["status"] is Status.BLOCKED


def test_a_command_cannot_jump_to_another_node_or_write_state(bench):
    state = bench.new(BLOCKED, max_rework=0)
    bench.invoke(state)
    for command in (Command(goto="transition"), Command(update={"status": "DONE"})):
        with pytest.raises(StateError):
            bench.graph.invoke(command, bench.config(state))


def test_a_worker_whose_executable_is_missing_is_blocked_and_the_executable_is_named(bench):
    class Missing(PlainWorker):
        def prepare(self, job, folder):
            return Launch(argv=("/nonexistent/agent", "--yes"))

    context = RunContext(runs_dir=bench.runs, workers={"agent": Missing()})
    state = bench.new(GOOD, worker="agent", max_rework=1)
    final = bench.graph.invoke(state, bench.config(state), context=context)
    assert (final["status"], len(final["attempts"])) == (Status.BLOCKED, 1)
    assert "cannot start '/nonexistent/agent': No such file or directory" in final["blocked"].reasons[0]


def test_an_unreadable_task_file_fails_the_run_with_its_reason(bench):
    state = bench.new(GOOD)
    (bench.repo.parent / "tasks.md").unlink()
    final = bench.invoke(state)
    assert (final["status"], final["transitions"][-1].route) == (Status.FAILED, "unreadable")


def test_a_card_that_contradicts_itself_fails_the_run(bench):
    state = bench.new(GOOD)
    loop = steps_card(step_part("S1", "true", "true", "S2"), step_part("S2", "true", "true", "S1"))
    (bench.repo.parent / "tasks.md").write_text(loop)
    final = bench.invoke(state)
    assert (final["status"], final["transitions"][-1].route) == (Status.FAILED, "contradictory")


def test_a_log_that_a_later_check_forged_stops_the_run_and_the_failure_is_in_the_ledger(bench):
    state = bench.new(GOOD)
    forge = f"echo forged >> {bench.runs}/{state.run_id}/checks/0001/S1.V1.log"
    criteria = f"- AC1: One. Verified by `true`\n- AC2: Two. Verified by `{forge}`"
    (bench.repo.parent / "tasks.md").write_text(card(bash="true", criteria=criteria))
    with pytest.raises(EvidenceError, match=re.escape("S1.V1.log")):
        bench.invoke(state)
    assert bench.graph.get_state(bench.config(state)).values["status"] is Status.ACCEPT
    assert "EvidenceError" in (bench.runs / state.run_id / "ledger.jsonl").read_text()


def test_a_node_that_tries_a_forbidden_jump_stops_the_run_and_the_failure_is_in_the_ledger(bench, monkeypatch):
    monkeypatch.setitem(STAGES, Node.PLAN, lambda state, call: Move(Status.DONE, Route.ACCEPTED_ALL, "trust me"))
    state = bench.new(GOOD)
    with pytest.raises(IllegalTransition, match="cannot go ANALYSIS -> DONE"):
        build_pipeline(bench.saver).invoke(state, bench.config(state), durability="sync")
    assert bench.graph.get_state(bench.config(state)).values["status"] is Status.ANALYSIS
    assert "IllegalTransition" in (bench.runs / state.run_id / "ledger.jsonl").read_text()


def test_the_ledger_names_no_type_outside_the_declared_ones(bench):
    state = bench.new(GOOD)
    bench.invoke(state)
    declared = {(item.__module__, item.__name__) for item in STATE_TYPES}
    text = (bench.runs / state.run_id / "ledger.jsonl").read_text()
    named = set(re.findall(r'"(waypost\.[\w.]+)",\s*"(\w+)"', text))
    assert named
    assert named <= declared
