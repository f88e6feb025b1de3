"""Every shipped agent CLI through the real launcher and dispatch, against a stand-in with its documented format."""

from __future__ import annotations

import json
import os
import signal
import uuid
from pathlib import Path

import psutil
import pytest
from kit.jobs import Recorded, make_job
from kit.standins import StandIns
from kit.states import make_check
from waypost.nodes.dispatch import attempt_path, dispatch
from waypost.nodes.workers import Environment, WorkerRefused
from waypost.nodes.workers.agents import AgentWorker, shipped_agents
from waypost.nodes.workers.attempt import AttemptFolder
from waypost.state.records import Attempt, AttemptKind, AttemptOutcome, Order, Outcome, Usage

AGENTS = sorted(shipped_agents())
TYPED = [name for name in AGENTS if name != "aider"]
WHY = "the model is overloaded"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> StandIns:
    return StandIns(tmp_path_factory.mktemp("standins") / "bin")


@pytest.fixture
def standins(installed, monkeypatch) -> StandIns:
    installed.reset()
    monkeypatch.setenv("PATH", f"{installed.folder}{os.pathsep}{os.environ['PATH']}")
    return installed


@pytest.fixture
def repo(tmp_path) -> Path:
    """Dispatch itself asks nothing of git: a plain folder is enough."""
    folder = tmp_path / "repo"
    folder.mkdir()
    return folder


@pytest.fixture
def recorded(tmp_path) -> Recorded:
    return Recorded(tmp_path / "runs")


def run(repo: Path, recorded: Recorded, worker: str, **fields) -> Attempt:
    return dispatch(make_job(repo, bash="true", worker=worker, **fields), recorded.call).update["attempts"][0]


def again(kind: str, number: int = 2) -> Order:
    return Order(step="S1", number=number, kind=AttemptKind(kind))


# What a tool does -> how the attempt ends, and what its reason names. aider has no events: its exit code says it all.
OUTCOMES = {
    "succeed": (AttemptOutcome.FINISHED, 0, ""),
    "fail": (AttemptOutcome.REPORTED_FAILURE, 1, WHY),
    "fail_quietly": (AttemptOutcome.REPORTED_FAILURE, 0, WHY),
    "contradiction": (AttemptOutcome.REPORTED_FAILURE, 0, WHY),
    "exit_3": (AttemptOutcome.FINISHED, 3, ""),
    "garbage": (AttemptOutcome.NO_RESULT, 0, "without its typed result"),
    "prose": (AttemptOutcome.NO_RESULT, 0, "without its typed result"),
    "silent": (AttemptOutcome.NO_RESULT, 0, "without its typed result"),
    "no_result": (AttemptOutcome.NO_RESULT, 0, "without its typed result"),
    "truncated": (AttemptOutcome.NO_RESULT, 0, "without its typed result"),
    "not_utf8": (AttemptOutcome.FINISHED, 0, ""),
}
OTHERWISE = {
    ("cursor", "fail"): (AttemptOutcome.FINISHED, 1, ""),  # documented: exit code and standard error, no event
    ("aider", "fail"): (AttemptOutcome.FINISHED, 1, ""),
    **{("aider", do): (AttemptOutcome.FINISHED, 0, "") for do in OUTCOMES if do not in ("fail", "exit_3")},
}


@pytest.mark.parametrize("do", OUTCOMES)
@pytest.mark.parametrize("agent", AGENTS)
def test_the_outcome_follows_from_exit_code_and_typed_result(repo, recorded, standins, agent, do):
    standins.tell(do)
    attempt = run(repo, recorded, agent)
    outcome, code, reason = OTHERWISE.get((agent, do), OUTCOMES[do])
    assert (attempt.outcome, attempt.exit_code) == (outcome, code), attempt.reason
    assert reason in attempt.reason
    assert attempt.succeeded == (outcome is AttemptOutcome.FINISHED and code == 0)


@pytest.mark.parametrize("agent", AGENTS)
def test_create_begins_a_conversation_with_the_whole_prompt(repo, recorded, standins, agent):
    attempt = run(repo, recorded, agent)
    (call,) = standins.calls()
    folder = recorded.run_dir / attempt.folder
    assert call["prompt"] == (folder / "prompt.md").read_text()
    assert "Step S1" in call["prompt"]
    assert (call["cwd"], call["resumed"]) == (str(repo), False)
    assert (attempt.session is None) == (agent == "aider")


@pytest.mark.parametrize("agent", TYPED)
def test_rework_goes_on_with_the_conversation_and_gets_the_failing_output(repo, recorded, standins, agent):
    first = run(repo, recorded, agent)
    log = recorded.run_dir / "checks" / "0001" / "S1.V1.log"
    log.parent.mkdir(parents=True)
    log.write_text("AssertionError: 2 != 4\n")
    failing = make_check(outcome=Outcome.FAILED, log="checks/0001/S1.V1.log")
    second = run(repo, recorded, agent, order=again("rework"), session=first.session, failing=(failing,))
    call = standins.calls()[-1]
    assert (call["resumed"], call["session"], second.session) == (True, first.session, first.session)
    assert "AssertionError: 2 != 4" in call["prompt"]
    assert second.succeeded


@pytest.mark.parametrize("agent", TYPED)
def test_an_attempt_that_hangs_is_stopped_and_resume_goes_on_with_its_conversation(repo, recorded, standins, agent):
    standins.tell("hang")
    first = run(repo, recorded, agent, timeout_s=1.0)
    assert first.outcome is AttemptOutcome.TIMED_OUT
    assert first.session
    standins.tell("succeed")
    second = run(repo, recorded, agent, order=again("resume"), session=first.session)
    call = standins.calls()[-1]
    assert (call["resumed"], call["session"], second.succeeded) == (True, first.session, True)
    assert "was lost before it ended" in call["prompt"]


def lose(repo: Path, recorded: Recorded, agent: str) -> None:
    """An attempt whose launcher was killed while it worked; nothing recorded what became of it."""
    job = make_job(repo, bash="true", worker=agent)
    folder = AttemptFolder(attempt_path(recorded.run_dir, job))
    folder.request(job, "prompt", Environment())
    child = folder.start(job, recorded.call.context.workers[agent].prepare(job, folder.path), Environment())
    while not (folder.path / "stdout.log").exists() or not (folder.path / "stdout.log").stat().st_size:
        assert child.poll() is None
        os.sched_yield()
    worker = json.loads((folder.path / "started.json").read_text())
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    psutil.wait_procs([psutil.Process(worker["worker_pid"])] if psutil.pid_exists(worker["worker_pid"]) else [])


@pytest.mark.parametrize("agent", TYPED)
def test_resume_after_a_loss_that_nobody_recorded_finds_the_conversation_in_the_output(repo, recorded, standins, agent):
    standins.tell("hang")
    lose(repo, recorded, agent)
    standins.tell("succeed")
    attempt = run(repo, recorded, agent, order=again("resume"))
    call = standins.calls()[-1]
    assert (call["resumed"], attempt.succeeded) == (True, True)
    assert call["session"] == attempt.session


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("kind", ["resume", "rework"])
def test_without_a_known_conversation_a_new_one_begins_and_the_prompt_says_so(repo, recorded, standins, agent, kind):
    attempt = run(repo, recorded, agent, order=again(kind))
    (call,) = standins.calls()
    assert (call["resumed"], attempt.succeeded) == (False, True)
    assert "No conversation of an earlier attempt can be continued" in call["prompt"]
    assert "Concrete actions" in call["prompt"]


USED = {
    "claude": Usage(turns=3, cost_usd=0.0421, input_tokens=1512, output_tokens=87),
    "codex": Usage(input_tokens=1512, output_tokens=87),
    "gemini": Usage(input_tokens=1512, output_tokens=87),
    "opencode": Usage(turns=2, cost_usd=0.0421, input_tokens=1512, output_tokens=87),
    "goose": Usage(input_tokens=1512, output_tokens=87),
    "cursor": Usage(),
    "aider": Usage(),
}


@pytest.mark.parametrize("agent", AGENTS)
def test_what_the_agent_says_it_used_is_recorded(repo, recorded, standins, agent):
    assert run(repo, recorded, agent).usage == USED[agent]


@pytest.mark.parametrize("agent", TYPED)
def test_its_events_show_what_it_does(agent, standins, recorded, repo):
    folder = recorded.run_dir / run(repo, recorded, agent).folder
    worker = recorded.call.context.workers[agent]
    shown = [text for line in (folder / "stdout.log").read_bytes().splitlines() if (text := worker.progress(line))]
    assert any("python3 -m unittest" in text or "developer__shell" in text for text in shown)
    assert agent == "gemini" or any("All tests pass." in text or "I run the tests." in text for text in shown)


@pytest.mark.parametrize("line", [b"", b"{", b"null", b"[1]", b'{"type": 1}', b"\xff\xfe{", b'{"type": {"a": []}}'])
@pytest.mark.parametrize("agent", AGENTS)
def test_a_line_that_is_no_event_shows_nothing(recorded, agent, line):
    assert recorded.call.context.workers[agent].progress(line) is None


@pytest.mark.parametrize(
    "session", ["--dangerously-skip-permissions", "a b", "x\n--force", "$(id)", "", "../" * 9, "s" * 300]
)
def test_a_session_that_is_no_plain_name_is_never_passed_on(repo, recorded, standins, session):
    attempt = run(repo, recorded, "claude", order=again("rework"), session=session)
    assert attempt.succeeded
    assert not standins.calls()[-1]["resumed"]


def test_a_conversation_that_the_tool_does_not_know_is_a_failed_attempt(repo, recorded, standins):
    attempt = run(repo, recorded, "claude", order=again("rework"), session=str(uuid.uuid4()))
    assert (attempt.exit_code, attempt.succeeded) == (1, False)


def option(call: dict, flag: str) -> str | None:
    return call["argv"][call["argv"].index(flag) + 1] if flag in call["argv"] else None


def test_of_two_limits_the_smaller_one_is_passed_on(repo, recorded, standins):
    row = shipped_agents()["claude"].model_copy(update={"max_turns": 20, "max_cost_usd": 0.5, "model": "m-1"})
    recorded.use_worker("claude", AgentWorker(row))
    run(repo, recorded, "claude", max_turns=7, max_cost_usd=2.0)
    (call,) = standins.calls()
    assert [option(call, flag) for flag in ("--max-turns", "--max-budget-usd", "--model")] == ["7", "0.5000", "m-1"]


def test_a_limit_of_the_run_is_not_passed_to_a_tool_without_a_flag_for_it(repo, recorded, standins):
    assert run(repo, recorded, "codex", max_turns=7).succeeded
    assert "--max-turns" not in standins.calls()[-1]["argv"]


def test_a_secret_is_passed_by_name_and_never_written_down(tmp_path, standins, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.setenv("ANTHROPIC_MODEL", "m-1")
    (tmp_path / "prompt.md").write_text("prompt")
    launch = AgentWorker(shipped_agents()["claude"]).prepare(make_job(tmp_path, bash="true", worker="claude"), tmp_path)
    assert "ANTHROPIC_API_KEY" in launch.pass_env
    assert launch.env == {"ANTHROPIC_MODEL": "m-1"}
    assert "sk-secret" not in repr(launch)


def test_goose_is_told_not_to_ask_whatever_our_environment_says(repo, recorded, standins, monkeypatch):
    monkeypatch.setenv("GOOSE_MODE", "approve")
    run(repo, recorded, "goose")
    assert standins.calls()[-1]["goose_mode"] == "auto"


@pytest.mark.parametrize("prompt", ["--force do it", "x" * 200_000, "a\0b"], ids=["a flag", "too long", "a NUL"])
def test_a_prompt_that_cannot_be_an_argument_starts_nothing(tmp_path, standins, prompt):
    (tmp_path / "prompt.md").write_text(prompt)
    with pytest.raises(WorkerRefused):
        AgentWorker(shipped_agents()["cursor"]).prepare(make_job(tmp_path, bash="true", worker="cursor"), tmp_path)
    assert not standins.calls()
