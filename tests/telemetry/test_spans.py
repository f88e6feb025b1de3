"""What a run tells OpenTelemetry: asserted over one real run, with the exporters that the SDK has for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from kit.cards import card, write_card
from kit.cli import environment
from kit.repos import make_repo
from kit.unplugged import Unplugged
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from waypost import LedgerSaver, RunContext, build_pipeline, new_run
from waypost.telemetry.listening import listener, nobody_listens
from waypost.telemetry.spans import Telemetry, run_context

SECRET = "hunter2hunter2"
CARD = card(
    bash=f"echo {SECRET}; echo x >> tries",
    verify="test $(wc -l < tries) -ge 2",
)
STAGES = ["extract", "plan", "baseline", "dispatch", "verify", "transition", "dispatch", "verify", "transition"]


class Ears:
    """A tracer and a meter of the SDK, and what they were told."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        traces, meters = TracerProvider(), MeterProvider(metric_readers=[self._reader])
        traces.add_span_processor(SimpleSpanProcessor(self._spans))
        self.telemetry = Telemetry(traces.get_tracer("test"), meters.get_meter("test"))

    def spans(self) -> Sequence[ReadableSpan]:
        return sorted(self._spans.get_finished_spans(), key=lambda span: span.start_time or 0)

    def metrics(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@dataclass
class Told:
    run: str
    spans: Sequence[ReadableSpan]
    metrics: dict[str, list[Any]]

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def of(self, parent: ReadableSpan) -> list[ReadableSpan]:
        return [span for span in self.spans if span.parent and span.parent.span_id == parent.context.span_id]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("told")
    repo, ears = make_repo(folder / "repo"), Ears()
    state = new_run(write_card(folder, CARD), workspace=repo, runs_dir=folder / "runs")
    with LedgerSaver(folder / "runs") as saver:
        context = RunContext(runs_dir=folder / "runs", listen=ears.telemetry)
        config: Any = {"configurable": {"thread_id": state.run_id}}
        final = build_pipeline(saver, context=context).invoke(state, config)
    assert final["status"] == "DONE"
    return Told(state.run_id, ears.spans(), ears.metrics())


def test_the_spans_are_run_stages_attempts_and_checks_one_inside_the_other(told):
    (run,) = told.named("waypost run")
    assert run.parent is None
    stages = told.of(run)
    assert [stage.name for stage in stages] == STAGES
    dispatches, verifies = [s for s in stages if s.name == "dispatch"], [s for s in stages if s.name == "verify"]
    assert [[span.name for span in told.of(stage)] for stage in dispatches] == [["invoke_agent shell"]] * 2
    assert [[span.name for span in told.of(stage)] for stage in verifies] == [["check"], ["check"]]
    (before,) = (stage for stage in stages if stage.name == "baseline")
    assert [span.name for span in told.of(before)] == ["check"]
    assert len(told.spans) == 1 + len(STAGES) + 2 + 3


def test_every_span_has_the_run_id_and_the_run_links_to_what_all_its_traces_link_to(told):
    assert {span.attributes["cicd.pipeline.run.id"] for span in told.spans} == {told.run}
    (run,) = told.named("waypost run")
    assert [link.context for link in run.links] == [run_context(told.run)]


def test_attributes_follow_the_semantic_conventions(told):
    (run,) = told.named("waypost run")
    assert (run.attributes["cicd.pipeline.name"], run.attributes["cicd.pipeline.result"]) == ("waypost", "success")
    attempts = told.named("invoke_agent shell")
    assert [span.attributes["waypost.attempt.number"] for span in attempts] == [1, 2]
    for span in attempts:
        assert (span.attributes["gen_ai.operation.name"], span.attributes["gen_ai.agent.name"]) == (
            "invoke_agent",
            "shell",
        )
        assert (span.attributes["cicd.pipeline.task.run.result"], span.attributes["process.exit.code"]) == (
            "success",
            0,
        )
    checks = [
        (span.attributes["test.case.name"], span.attributes["test.case.result.status"]) for span in told.named("check")
    ]
    assert checks == [("0.S1.V1", "fail"), ("1.S1.V1", "fail"), ("2.S1.V1", "pass")]
    assert [span.status.is_ok for span in told.named("check")] == [False, False, True]


def test_no_secret_no_output_and_no_text_of_the_task_is_in_a_span(told):
    everything = "".join(span.to_json() for span in told.spans)
    for text in (SECRET, "A task", "tries", "Get it done"):
        assert text not in everything


def test_metrics_count_by_result_and_never_by_run(told):
    durations = told.metrics["cicd.pipeline.run.duration"]
    assert [(point.count, point.attributes["cicd.pipeline.result"]) for point in durations] == [(1, "success")]
    assert sum(point.count for point in told.metrics["waypost.stage.duration"]) == len(STAGES)
    assert sum(point.count for point in told.metrics["waypost.attempt.duration"]) == 2
    results = {point.attributes["waypost.outcome"]: point.count for point in told.metrics["waypost.check.duration"]}
    assert results == {"FAILED": 2, "PASSED": 1}
    assert told.run not in str(told.metrics)


def say(ears: Ears, kind: Any, **fields: Any) -> None:
    told: Any = {"event": kind, "run_id": "R", "node": "dispatch", **fields}
    ears.telemetry(told)


def test_steps_of_a_wave_are_attempts_of_one_stage():
    ears = Ears()
    for step in ("S1", "S2"):
        say(ears, "node_started")
        say(ears, "attempt_started", step=step, attempt=1, worker="claude")
    for step in ("S1", "S2"):
        usage = {"input_tokens": 5, "output_tokens": 7, "cost_usd": 0.5, "turns": 2}
        say(
            ears,
            "attempt_finished",
            step=step,
            attempt=1,
            worker="claude",
            outcome="finished",
            exit_code=0,
            usage=usage,
        )
        say(ears, "node_finished", outcome="EXECUTE (dispatched)")
    names = sorted(span.name for span in ears.spans())
    assert names == ["dispatch", "invoke_agent claude", "invoke_agent claude"]
    attempt = next(span for span in ears.spans() if span.name != "dispatch")
    assert attempt.attributes["gen_ai.usage.input_tokens"] == 5
    assert [point.value for point in ears.metrics()["waypost.attempt.cost"]] == [1.0]


FAILURES = [
    ({"outcome": "finished", "exit_code": 1}, "failure"),
    ({"outcome": "finished"}, "failure"),
    ({"outcome": "timed_out"}, "timeout"),
    ({"outcome": "lost"}, "cancellation"),
    ({"outcome": "not_started"}, "error"),
    ({"outcome": "something new", "exit_code": 0}, "error"),
]


@pytest.mark.parametrize(("end", "result"), FAILURES)
def test_no_other_end_of_an_attempt_is_a_success(end, result):
    ears = Ears()
    say(ears, "attempt_started", step="S1", attempt=1, worker="shell")
    say(ears, "attempt_finished", step="S1", attempt=1, worker="shell", **end)
    (attempt,) = ears.spans()
    assert (attempt.attributes["cicd.pipeline.task.run.result"], attempt.status.is_ok) == (result, False)


def test_an_attempt_that_ended_while_nobody_looked_took_as_long_as_its_files_say():
    ears = Ears()
    say(ears, "attempt_finished", step="S1", attempt=1, worker="shell", outcome="finished", exit_code=0, duration_s=90)
    (attempt,) = ears.spans()
    assert round((attempt.end_time - attempt.start_time) / 1e9) == 90
    assert [point.sum for point in ears.metrics()["waypost.attempt.duration"]] == [90]


def test_a_run_whose_process_ends_before_it_stops_is_ended_as_an_error():
    ears = Ears()
    say(ears, "node_started")
    say(ears, "attempt_started", step="S1", attempt=1, worker="shell")
    ears.telemetry.close()
    run = next(span for span in ears.spans() if span.name == "waypost run")
    assert (len(ears.spans()), run.attributes["cicd.pipeline.result"]) == (3, "error")


def test_what_goes_wrong_in_telemetry_does_not_reach_the_run_and_is_logged(caplog):
    ears = Ears()
    ears.telemetry({"event": "node_started"})  # pyright: ignore[reportArgumentType]
    assert "telemetry of node_started is incomplete" in caplog.text


def test_nobody_listens_where_no_provider_was_set_up():
    assert listener() is nobody_listens


SET_UP = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
provider = TracerProvider()
told = ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.name + chr(10))
provider.add_span_processor(SimpleSpanProcessor(told))
trace.set_tracer_provider(provider)
from waypost.cli.main import app
app(["run", sys.argv[1], "--worker", "shell"])
"""


def test_the_command_line_tells_a_provider_that_its_process_has_set_up(repo):
    path = write_card(repo.parent, card(bash="echo x > out.txt"))
    ran = subprocess.run([sys.executable, "-c", SET_UP, str(path)], cwd=repo, capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stderr.split("\n")[-2:] == ["waypost run", ""]


def test_by_default_a_run_connects_to_nothing_and_loads_no_exporter(repo, tmp_path):
    unplugged = Unplugged(tmp_path / "unplugged")
    path = write_card(repo.parent, card(bash="echo x > out.txt"))
    words = ["-X", "importtime", "-m", "waypost", "run", str(path), "--workspace", str(repo)]
    given = unplugged.environment(environment(), alone=True)
    ran = subprocess.run([sys.executable, *words], cwd=repo, env=given, capture_output=True, text=True)
    assert ran.returncode == 0
    assert unplugged.went_out() == []
    assert "waypost.telemetry.spans" not in ran.stderr
    assert "opentelemetry.exporter" not in ran.stderr


def test_the_guard_of_these_tests_hears_who_goes_out(tmp_path):
    unplugged = Unplugged(tmp_path / "unplugged")
    going_out = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    ran = subprocess.run(
        [sys.executable, "-c", going_out], env=unplugged.environment(environment()), capture_output=True
    )
    assert ran.returncode == 1
    assert unplugged.went_out() == ["socket.getaddrinfo 192.0.2.1"]
