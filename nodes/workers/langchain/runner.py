"""Runs one runnable on one prompt, in its own process: `python -m waypost.nodes.workers.langchain.runner FOLDER`."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any, TypeGuard, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig

from ....state.job import Job
from ..asked import read_request
from ..gate import DECISIONS_AT_MOST, Gate
from ..typed import EventWriter, Result, own_stdout
from .assignment import Assignment
from .watch import Watch
from .worker import SETTINGS, LangChainSettings, Takes

# Nodes that a graph may run for each call of a model, before it is taken for one that goes round without any.
_NODES_PER_TURN = 10
_CUT_SHORT = frozenset({"length", "max_tokens", "content_filter", "safety", "refusal", "recitation"})
_REASON_AT_MOST = 2000


class NoFactory(Exception):
    """The reference leads to nothing that can be run."""


def work(job: Job, folder: Path, settings: LangChainSettings, events: EventWriter) -> Result:
    """Make the runnable and run it. Whatever it raises is the reason of a failed result."""
    gate = Gate(job, folder, events)
    watch = Watch(events, max_turns=settings.max_turns)
    session = None
    try:
        runnable = _make(settings.factory, Assignment(job, folder, gate, settings.model, settings.pass_env))
        # Only with a checkpointer of its own there is something to continue.
        thread = job.session or f"{job.run_id}.{job.step.id}.{job.order.number}"
        session = thread if getattr(runnable, "checkpointer", None) else None
        prompt = (folder / "prompt.md").read_text(encoding="utf-8")
        given = {"messages": [HumanMessage(prompt)]} if _takes_messages(runnable, settings.takes) else prompt
        reason = _shortcoming(runnable.invoke(given, _config(thread, watch, settings)))
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"[:_REASON_AT_MOST]
    finally:
        gate.close()
    if gate.overrun:
        reason = f"it asked for more than {DECISIONS_AT_MOST} permissions"
    return Result(ok=not reason, reason=reason, session=session, usage=watch.usage)


def _make(reference: str, assignment: Assignment) -> Runnable[Any, Any]:
    module, _, name = reference.partition(":")
    found: Any = getattr(importlib.import_module(module), name)
    made = found if _is_runnable(found) or not callable(found) else found(assignment)
    if not _is_runnable(made):
        raise NoFactory(f"{reference} gives a {type(made).__name__}, which is no runnable")
    return made


def _is_runnable(value: object) -> TypeGuard[Runnable[Any, Any]]:
    return isinstance(value, Runnable)


def _takes_messages(runnable: Runnable[Any, Any], takes: Takes) -> bool:
    if takes != "auto":
        return takes == "messages"
    channels = getattr(runnable, "channels", None)
    if isinstance(channels, dict):
        return "messages" in channels
    schema = runnable.get_input_jsonschema()
    # A schema of one class may stand behind a reference.
    target = schema.get("$defs", {}).get(str(schema.get("$ref", "")).removeprefix("#/$defs/"), schema)
    return "messages" in target.get("properties", {})


def _config(thread: str, watch: Watch, settings: LangChainSettings) -> RunnableConfig:
    return {
        "callbacks": [watch],
        "recursion_limit": settings.max_turns * _NODES_PER_TURN,
        "configurable": {"thread_id": thread},
    }


def _shortcoming(output: object) -> str:
    """Why an output is no end of the work; empty where nothing speaks against it."""
    if output is None:
        return "it returned nothing"
    if not isinstance(output, dict):
        return _of_message(output) if isinstance(output, BaseMessage) else ""
    fields = cast("dict[str, object]", output)
    if fields.get("__interrupt__"):
        return "it stopped to ask a person, and nobody can answer it here"
    messages = fields.get("messages")
    if not isinstance(messages, list):
        return ""
    last = cast("list[object]", messages)[-1:]
    if not last or not isinstance(last[0], AIMessage):
        return "it ended without an answer of the model"
    return _of_message(last[0])


def _of_message(message: BaseMessage) -> str:
    if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
        return "it ended with a tool call that nobody has answered"
    told = cast("dict[str, Any]", message.response_metadata)
    finish = str(told.get("finish_reason") or told.get("stop_reason") or "").casefold()
    return f"the model's answer was cut short: {finish}" if finish in _CUT_SHORT else ""


def main(folder: Path) -> int:
    """Returns 0 only where the runnable came to an end by itself."""
    events = own_stdout()
    job = read_request(folder)
    settings = LangChainSettings.model_validate_json((folder / SETTINGS).read_bytes())
    sys.path[:0] = settings.search_path
    result = work(job, folder, settings, events)
    events.result(result)
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
