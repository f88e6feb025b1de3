"""Spans and metrics of runs, made from the events that their nodes tell while they work.

A process that drives a run makes one trace of it: the run, in it its stages, in them attempts and checks. Every such
trace of a run, of whatever process, links to one span context that is made from the run's id.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from .._version import __version__
from ..state.events import (
    AttemptAdopted,
    AttemptFinished,
    AttemptStarted,
    CheckFinished,
    Event,
    NodeFinished,
    NodeStarted,
)
from . import words

_LOG = logging.getLogger("waypost.telemetry")

_STOPS = frozenset(words.RESULT_OF_STATUS)
_SECOND = 1_000_000_000
_OfAttempt = AttemptStarted | AttemptAdopted | AttemptFinished


@dataclass
class _Run:
    """What is open of a run. Steps of a wave are one stage: so many of its nodes run."""

    span: Span
    began_ns: int
    stage: Span | None = None
    stage_name: str = ""
    nodes: int = 0
    attempts: dict[tuple[str, int], tuple[Span, int]] = field(default_factory=dict[tuple[str, int], tuple[Span, int]])


class Telemetry:
    """Hears the events of any number of runs, from any thread. What goes wrong here never reaches a run.

    Args:
        tracer, meter: of OpenTelemetry.
    """

    def __init__(self, tracer: trace.Tracer, meter: metrics.Meter) -> None:
        self._tracer = tracer
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._run_duration = meter.create_histogram("cicd.pipeline.run.duration", "s", "Duration of a run")
        self._stage_duration = meter.create_histogram("waypost.stage.duration", "s", "Duration of a stage")
        self._attempt_duration = meter.create_histogram("waypost.attempt.duration", "s", "Duration of an attempt")
        self._check_duration = meter.create_histogram("waypost.check.duration", "s", "Duration of a check")
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}", "Tokens that attempts report")
        self._cost = meter.create_counter("waypost.attempt.cost", "{USD}", "Cost that attempts report")

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        with self._lock:
            try:
                self._heard(event)
            except Exception as error:
                # A run is worth more than its telemetry, but what is missing of that has to be told somewhere.
                _LOG.warning("telemetry of %s is incomplete: %s", event["event"], error, exc_info=True)

    def close(self) -> None:
        """End what is still open: the process ends before its runs have stopped."""
        with self._lock:
            for run in list(self._runs):
                self._end_run(run, "", "error")

    def _heard(self, event: Event) -> None:
        match event["event"]:
            case "node_started":
                self._begin_stage(event)
            case "node_finished":
                self._end_stage(event)
            case "attempt_started":
                self._begin_attempt(event, adopted=False)
            case "attempt_adopted":
                self._begin_attempt(event, adopted=True)
            case "attempt_finished":
                self._end_attempt(event)
            case "check_finished":
                self._check(event)
            case _:
                pass

    def _run(self, run_id: str) -> _Run:
        if run_id not in self._runs:
            about = {words.PIPELINE_NAME: words.WAYPOST, words.PIPELINE_RUN_ID: run_id}
            link = Link(run_context(run_id))
            span = self._tracer.start_span(f"{words.WAYPOST} run", kind=SpanKind.SERVER, attributes=about, links=[link])
            self._runs[run_id] = _Run(span, time.time_ns())
        return self._runs[run_id]

    def _end_run(self, run_id: str, status: str, result: str) -> None:
        run = self._runs.pop(run_id)
        self._leave_stage(run)
        run.span.set_attributes({words.PIPELINE_RESULT: result, words.STATUS: status})
        if result in ("failure", "error"):
            run.span.set_status(Status(StatusCode.ERROR))
        run.span.end()
        about = {words.PIPELINE_NAME: words.WAYPOST, words.PIPELINE_STATE: "executing", words.PIPELINE_RESULT: result}
        self._run_duration.record((time.time_ns() - run.began_ns) / _SECOND, about)

    def _begin_stage(self, event: NodeStarted) -> None:
        # A person's stage only waits, and is often never left by the process that entered it.
        if event["node"] == "person":
            return
        run = self._run(event["run_id"])
        if run.stage is not None and run.stage_name == event["node"]:
            run.nodes += 1
            return
        self._leave_stage(run)
        run.stage, run.stage_name, run.nodes = self._child(run.span, event["node"], event), event["node"], 1
        run.stage.set_attribute(words.TASK_NAME, event["node"])

    def _end_stage(self, event: NodeFinished) -> None:
        run = self._run(event["run_id"])
        if event["node"] == "person":
            self._child(run.span, "person", event, _before(event)).end()
        status, _, route = event["outcome"].partition(" (")
        run.nodes -= 1
        if run.stage is not None and run.nodes <= 0:
            run.stage.set_attributes({words.STATUS: status, words.ROUTE: route.rstrip(")")})
            self._leave_stage(run)
        self._stage_duration.record(event.get("duration_s", 0.0), {words.TASK_NAME: event["node"]})
        if status in _STOPS and run.stage is None:
            self._end_run(event["run_id"], status, words.RESULT_OF_STATUS[status])

    def _leave_stage(self, run: _Run) -> None:
        for key in list(run.attempts):
            span, _ = run.attempts.pop(key)
            span.set_attribute(words.OUTCOME, "running")
            span.end()
        if run.stage is not None:
            run.stage.end()
        run.stage, run.nodes = None, 0

    def _begin_attempt(self, event: _OfAttempt, *, adopted: bool, began_ns: int | None = None) -> None:
        run = self._run(event["run_id"])
        worker = event.get("worker", "")
        span = self._child(run.stage or run.span, f"{words.INVOKE_AGENT} {worker}".rstrip(), event, began_ns)
        about = {words.OPERATION: words.INVOKE_AGENT, words.AGENT: worker, words.ADOPTED: adopted}
        span.set_attributes({**about, words.ATTEMPT: event["attempt"]})
        run.attempts[_attempt(event)] = span, time.time_ns()

    def _end_attempt(self, event: AttemptFinished) -> None:
        run = self._run(event["run_id"])
        if _attempt(event) not in run.attempts:
            # It ended while nobody looked.
            self._begin_attempt(event, adopted=True, began_ns=_before(event))
        span, began_ns = run.attempts.pop(_attempt(event))
        outcome, code = event["outcome"], event.get("exit_code")
        result = words.RESULT_OF_ATTEMPT.get(outcome, "error")
        result = "failure" if result == "success" and code != 0 else result
        span.set_attributes({words.OUTCOME: outcome, words.TASK_RESULT: result})
        if code is not None:
            span.set_attribute(words.EXIT_CODE, code)
        if result != "success":
            span.set_status(Status(StatusCode.ERROR))
        worker = {words.AGENT: event.get("worker", "")}
        self._used(span, event, worker)
        span.end()
        # Of one that was adopted the process knows only the end; how long it took stands in what it left.
        duration_s = event.get("duration_s", (time.time_ns() - began_ns) / _SECOND)
        self._attempt_duration.record(duration_s, {**worker, words.TASK_RESULT: result})

    def _used(self, span: Span, event: AttemptFinished, worker: dict[str, Any]) -> None:
        usage = event.get("usage", {})
        names = {"input_tokens": words.INPUT_TOKENS, "output_tokens": words.OUTPUT_TOKENS}
        names |= {"turns": words.TURNS, "cost_usd": words.COST}
        span.set_attributes({names[name]: value for name, value in usage.items() if name in names})
        for name in ("input", "output"):
            if f"{name}_tokens" in usage:
                about = {**worker, words.OPERATION: words.INVOKE_AGENT, "gen_ai.token.type": name}
                self._tokens.record(usage[f"{name}_tokens"], about)
        if "cost_usd" in usage:
            self._cost.add(usage["cost_usd"], worker)

    def _check(self, event: CheckFinished) -> None:
        run = self._run(event["run_id"])
        outcome = event["outcome"]
        about: dict[str, str] = {words.OUTCOME: outcome}
        if outcome in words.RESULT_OF_CHECK:
            about[words.CHECK_RESULT] = words.RESULT_OF_CHECK[outcome]
        span = self._child(run.stage or run.span, "check", event, _before(event))
        span.set_attributes({**about, words.CHECK_NAME: event.get("check", "")})
        if outcome != "PASSED":
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        self._check_duration.record(event.get("duration_s", 0.0), about)

    def _child(self, parent: Span, name: str, event: Event, began_ns: int | None = None) -> Span:
        about: dict[str, Any] = {words.PIPELINE_RUN_ID: event["run_id"]}
        if "step" in event:
            about[words.STEP] = event["step"]
        inside = trace.set_span_in_context(parent)
        return self._tracer.start_span(name, context=inside, attributes=about, start_time=began_ns)


def run_context(run_id: str) -> SpanContext:
    """The span context that all traces of a run link to: trace and span id are the first bytes of the id's SHA-256."""
    digest = hashlib.sha256(run_id.encode()).digest()
    ids = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
    return SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(0))


@cache
def shared() -> Telemetry:
    """The one of this process, over the providers that it has set up."""
    tracer, meter = trace.get_tracer(words.WAYPOST, __version__), metrics.get_meter(words.WAYPOST, __version__)
    made = Telemetry(tracer, meter)
    atexit.register(made.close)
    return made


def _attempt(event: _OfAttempt) -> tuple[str, int]:
    return event["step"], event["attempt"]


def _before(event: NodeFinished | CheckFinished | AttemptFinished) -> int:
    """When something began that has just ended."""
    return time.time_ns() - int(event.get("duration_s", 0.0) * _SECOND)
