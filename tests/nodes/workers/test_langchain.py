"""Runnables and the ready agent as workers: a real tool loop around a model that does what its script says."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kit import runnables
from kit.jobs import Recorded, make_job
from kit.states import make_step
from waypost.nodes.dispatch import dispatch
from waypost.nodes.workers import LangChainWorker, WorkerRefused
from waypost.nodes.workers.langchain.models import NoModel, load_model
from waypost.nodes.workers.langchain.runner import work
from waypost.nodes.workers.langchain.scripted_model import ScriptedChatModel
from waypost.nodes.workers.langchain.worker import READY_AGENT, LangChainSettings
from waypost.nodes.workers.typed import EventWriter, Result, read_report
from waypost.state.job import Job
from waypost.state.records import Attempt, AttemptOutcome, Order, Permissions
from waypost.state.task import Command

KIT = Path(runnables.__file__).parent
PRINTS = [sys.executable, "-c", "print(6 * 7)"]


class Agent:
    """The ready agent, or a factory of the kit, on one step with `src/**` allowed and one command."""

    def __init__(self, repo: Path, tmp_path: Path) -> None:
        self.repo = repo
        self.script = tmp_path / "model.yaml"
        self.recorded = Recorded(tmp_path / "runs")
        self.folder = self.recorded.run_dir / "dispatch" / "S1" / "attempt-1"
        self.shown = io.StringIO()

    def job(self, **fields: Any) -> Job:
        command = Command(ref="V1", run=f"{sys.executable} -c 'print(6 * 7)'", equivalents=("yes", "sleep 600"))
        step = make_step(allowed_paths=("src/**",), verification=(command,), actions=())
        return make_job(self.repo, **{"step": step, "worker": "agent", **fields})

    def play(self, *replies: dict[str, Any], factory: str = READY_AGENT, **settings: Any) -> Result:
        """The runner in this process."""
        self.script.write_text(yaml.safe_dump(list(replies)))
        job = self.job(**settings.pop("job", {}))
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "prompt.md").write_text("do it")
        values = {"factory": factory, "model": f"scripted:{self.script}", **settings}
        return work(job, self.folder, LangChainSettings.model_validate(values), EventWriter(self.shown))

    def dispatch(self, worker: LangChainWorker) -> Attempt:
        """Through the launcher, in a process of its own."""
        self.recorded.use_worker("agent", worker)
        return dispatch(self.job(), self.recorded.call).update["attempts"][0]

    def permissions(self) -> Permissions:
        return read_report(self.folder).permissions

    def events(self, kind: str) -> list[str]:
        rows = [json.loads(line) for line in self.shown.getvalue().splitlines()]
        return [row["text"] for row in rows if row["type"] == kind]


@pytest.fixture
def agent(repo, tmp_path) -> Agent:
    return Agent(repo, tmp_path)


def call(name: str, **args: Any) -> dict[str, Any]:
    return {"calls": [{"name": name, "args": args}]}


def test_the_ready_agent_works_in_a_process_of_its_own_and_its_use_is_counted(agent):
    replies = [
        call("write_file", path="src/a.py", text="a = 1\n"),
        call("write_file", path="b.py", text="x"),
        {"say": "Done."},
    ]
    agent.script.write_text(yaml.safe_dump(replies))
    worker = LangChainWorker(model=f"scripted:{agent.script}")
    attempt = agent.dispatch(worker)
    folder = agent.recorded.run_dir / attempt.folder
    assert attempt.succeeded, attempt
    assert (agent.repo / "src/a.py").read_text() == "a = 1\n"
    assert not (agent.repo / "b.py").exists()
    assert (attempt.usage.turns, attempt.usage.input_tokens, attempt.usage.output_tokens) == (3, 30, 15)
    assert [denial.what for denial in attempt.permissions.denials] == ["write b.py"]
    shown = [text for line in (folder / "stdout.log").read_bytes().splitlines() if (text := worker.progress(line))]
    assert [line.split()[0] for line in shown] == ["tool:", "tool:", "denied:", "Done."]


REFUSED = [
    call("write_file", path="/etc/waypost", text="x"),
    call("write_file", path="../x", text="x"),
    call("write_file", path="out/x", text="x"),
    call("write_file", path="README", text="x"),
    call("write_file", path=".git/hooks/pre-commit", text="x"),
    call("edit_file", path="README", old="start", new="x"),
    call("read_file", path="/etc/passwd"),
    call("list_files", path="out"),
    call("search_files", path="..", text="x"),
    call("run_command", argv=["touch", "src/a"]),
    call("run_command", argv=["bash", "-c", "touch src/a"]),
    call("run_command", argv=[]),
]


@pytest.mark.parametrize("asked", REFUSED, ids=lambda asked: json.dumps(asked["calls"][0]["args"]))
def test_what_leads_out_of_the_scope_is_refused_and_the_model_is_told(agent, asked, tmp_path, monkeypatch):
    (tmp_path / "outside").mkdir()
    (agent.repo / "out").symlink_to(tmp_path / "outside")
    heard = listen(monkeypatch)
    assert agent.play(asked, {"say": "I give up."}).ok
    assert any(word in heard[-1] for word in ("denied", "no command of the step"))
    assert agent.permissions().denied == 1
    assert sorted(path.name for path in agent.repo.iterdir()) == [".git", "README", "out"]
    assert list((tmp_path / "outside").iterdir()) == []


def listen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the model is told, one text for each time that it is asked."""
    heard: list[str] = []
    ask = ScriptedChatModel._generate

    def generate(self: Any, messages: Any, *args: Any, **kwargs: Any) -> Any:
        heard.append(messages[-1].text)
        return ask(self, messages, *args, **kwargs)

    monkeypatch.setattr(ScriptedChatModel, "_generate", generate)
    return heard


def test_the_tools_do_what_they_say(agent, monkeypatch):
    (agent.repo / "src").mkdir()
    (agent.repo / "src/a.py").write_text("one\ntwo\nthree\n")
    heard = listen(monkeypatch)
    result = agent.play(
        call("list_files"),
        call("read_file", path="src/a.py", first_line=2, lines=1),
        call("search_files", text="thr"),
        call("edit_file", path="src/a.py", old="two", new="2"),
        call("run_command", argv=PRINTS),
        {"say": "Done."},
    )
    assert result.ok
    assert heard[1:] == [".git/\nREADME\nsrc/", "two\n", "src/a.py:3: three", "changed src/a.py", "exit code 0\n\n42\n"]
    assert (agent.repo / "src/a.py").read_text() == "one\n2\nthree\n"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (call("read_file", path="no-such-file"), "No such file"),
        (call("read_file", path="src"), "no regular file"),
        (call("read_file"), "path"),
        (call("write_file", path="src/a.py", text=[1]), "text"),
        (call("edit_file", path="src/a.py", old="a", new="b"), "old stands 2 times in src/a.py"),
        (call("edit_file", path="src/a.py", old="", new="b"), "old stands 0 times"),
        (call("edit_file", path="src/b.py", old="a", new="b"), "no UTF-8 text"),
        (call("search_files", text=""), "no text to look for"),
        (call("no_such_tool"), "no_such_tool is not a valid tool"),
        (call("run_command", argv=["yes"]), "stopped: it printed more than"),
        (call("run_command", argv=["sleep", "600"]), "stopped: it was still running after 0.2 s"),
    ],
)
def test_an_error_of_a_tool_is_told_to_the_model_and_ends_nothing(agent, monkeypatch, asked, told):
    monkeypatch.setattr("waypost.nodes.workers.langchain.tools.COMMAND_TIMEOUT_S", 0.2 if "600" in str(asked) else 60.0)
    monkeypatch.setattr("waypost.nodes.workers.langchain.tools.PRINTED_AT_MOST_BYTES", 1 << 20)
    (agent.repo / "src").mkdir()
    (agent.repo / "src/a.py").write_text("aa")
    (agent.repo / "src/b.py").write_bytes(b"a\xff")
    heard = listen(monkeypatch)
    assert agent.play(asked, {"say": "I see."}).ok
    assert told in heard[-1]


def test_a_tool_loop_without_end_reaches_the_limit_and_fails(agent):
    result = agent.play({**call("list_files"), "repeat": True}, max_turns=4)
    assert (result.ok, result.usage.turns) == (False, 4)
    assert result.reason == "TurnLimit: it did not come to an end in 4 turns"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"fail": "the provider is down"}, "ModelDown: the provider is down"),
        ({"say": "and so", "finish": "length"}, "cut short: length"),
        (call("list_files"), "the script has 1 replies and is asked for number 2"),
    ],
)
def test_a_model_that_fails_or_is_cut_short_is_a_failed_attempt_with_the_reason(agent, reply, reason):
    result = agent.play(reply)
    assert not result.ok
    assert reason in result.reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing", "it returned nothing"),
        ("open_call", "a tool call that nobody has answered"),
        ("cut_short", "cut short: length"),
        ("unanswered", "without an answer of the model"),
        ("no_messages", "without an answer of the model"),
        ("asks_a_person", "it stopped to ask a person"),
        ("round_and_round", "GraphRecursionError"),
        ("broken", "LookupError: no such index"),
        ("no_runnable", "gives a int, which is no runnable"),
        ("missing", "has no attribute 'missing'"),
    ],
)
def test_a_runnable_that_does_not_come_to_an_end_has_failed(agent, name, reason):
    result = agent.play(factory=f"{runnables.__name__}:{name}", max_turns=2)
    assert not result.ok
    assert reason in result.reason


def test_a_runnable_that_takes_a_text_is_given_the_prompt_and_its_noise_is_no_event(agent):
    attempt = agent.dispatch(LangChainWorker("runnables:text_runnable", search_path=(KIT,)))
    folder = agent.recorded.run_dir / attempt.folder
    assert attempt.succeeded, attempt
    assert (agent.repo / "seen.txt").read_text() == (folder / "prompt.md").read_text()
    assert "noise" not in (folder / "stdout.log").read_text()
    assert "noise" in (folder / "stderr.log").read_text()


def test_a_runnable_that_leaves_the_process_has_not_reported(agent):
    attempt = agent.dispatch(LangChainWorker("runnables:exits", search_path=(KIT,)))
    assert (attempt.outcome, attempt.exit_code) == (AttemptOutcome.NO_RESULT, 0)


def test_a_graph_over_messages_is_given_a_message_and_the_thread_to_continue(agent):
    factory = f"{runnables.__name__}:told_messages"
    first = agent.play(factory=factory)
    assert (first.ok, first.session) == (True, (agent.repo / "thread.txt").read_text())
    again = agent.play(factory=factory, job={"session": "t-1"})
    assert (again.session, (agent.repo / "thread.txt").read_text()) == ("t-1", "t-1")


def test_a_chat_model_by_itself_is_a_runnable(agent):
    result = agent.play(factory=f"{runnables.__name__}:chat_model")
    assert (result.ok, result.usage.turns, result.session) == (True, 1, None)


def test_a_reply_can_belong_to_one_attempt(agent):
    replies = ({"attempt": 1, "fail": "first"}, {"attempt": 2, "say": "Done."})
    assert not agent.play(*replies).ok
    assert agent.play(*replies, job={"order": Order(step="S1", number=2, kind="rework")}).ok


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "not told which model"),
        ({"factory": "no reference"}, "no reference to a factory"),
        ({"factory": "../evil:make"}, "no reference to a factory"),
        ({"model": "openai:gpt-4.1"}, 'pip install "waypost[llm]"'),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(agent, monkeypatch, options, complaint):
    monkeypatch.delenv("WAYPOST_MODEL", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WorkerRefused, match=re.escape(complaint)):
        LangChainWorker(**options).prepare(agent.job(), agent.script.parent)


def test_a_model_by_name_is_made_by_langchain(agent, tmp_path, monkeypatch):
    (tmp_path / "langchain").mkdir()
    (tmp_path / "langchain" / "__init__.py").write_text("")
    (tmp_path / "langchain" / "chat_models.py").write_text(
        "from langchain_core.language_models import FakeListChatModel\n"
        "def init_chat_model(name):\n"
        "    if name == 'no:model': raise ImportError('pip install langchain-no')\n"
        "    return FakeListChatModel(responses=[name])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_model("openai:gpt-4.1", attempt=1).invoke("hello").text == "openai:gpt-4.1"
    with pytest.raises(NoModel, match="langchain-no"):
        load_model("no:model", attempt=1)


def test_commands_do_not_see_the_keys_of_the_model(agent, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "secret")
    heard = listen(monkeypatch)
    step = make_step(verification=(Command(ref="V1", run="env"),))
    result = agent.play(call("run_command", argv=["env"]), {"say": "."}, pass_env=("MY_API_KEY",), job={"step": step})
    assert result.ok
    assert "PATH=" in heard[-1]
    assert "MY_API_KEY" not in heard[-1]
