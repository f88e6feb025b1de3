"""What an agent's typed events say about an attempt. Its prose is never read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ....state.records import Usage
from ..worker import Report
from .fields import at, matches, one_line, texts, total
from .output import MAX_LINE, Output
from .row import Agent, Allowed, Paths, ResultRule, words_of

_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


@dataclass
class _Read:
    """What was seen so far: the newest of each, except for failures, of which the first is kept."""

    results: int = 0
    failure: str = ""
    session: str | None = None
    sums: dict[str, float] = field(default_factory=dict[str, float])


def read_report(agent: Agent, log: Path, exit_code: int, *, session: str | None, chosen: str | None) -> Report:
    """The report of an ended attempt. Never raises: what cannot be read is a missing result.

    Args:
        session: the conversation that the attempt was told to continue.
        chosen: the name that we gave a new conversation, for a tool that is told one.
    """
    read, output, words = _Read(), Output(log), _words(agent)
    try:
        for event in output.events(words) if words else ():
            _take(agent, event, read)
    except OSError as error:
        read.failure = f"its output cannot be read: {error.strerror}"
    by_us = agent.session is not None and agent.session.chosen
    named = (session or chosen if _began(log) else None) if by_us else read.session
    return Report(
        failure=read.failure or (agent.exit_codes.get(exit_code, "") if exit_code else ""),
        missing="" if read.results or agent.exit_code_decides else _missing(agent, output.cut),
        session=named,
        usage=_usage(read.sums),
    )


def is_session(text: object) -> bool:
    """True for a name that is safe as an argument: it came out of the output of a process."""
    return isinstance(text, str) and _SESSION.fullmatch(text) is not None


def _began(log: Path) -> bool:
    """A conversation that we named exists once the tool has printed any event."""
    try:
        return next(Output(log).events(["type"]), None) is not None
    except OSError:
        return False


def _words(agent: Agent) -> list[str]:
    """Every event that matters holds one of these: for each rule, the texts of a field that has only texts."""
    rules = [rule.match for rule in agent.results]
    rules += [agent.session.match] if agent.session and agent.session.match else []
    rules += [agent.usage.match] if agent.usage.match else []
    return [word for match in rules for word in words_of(match)]


def _take(agent: Agent, event: dict[str, object], read: _Read) -> None:
    rule = agent.session
    if rule and rule.match and matches(event, rule.match) and is_session(found := at(event, rule.path)):
        read.session = str(found)
    for result in agent.results:
        if matches(event, result.match) and not (result.unless and matches(event, result.unless)):
            read.results += 1
            read.failure = read.failure or _failure(result, event)
            _count(agent, event, read, agent.usage.match or result.match)
            return
    if agent.usage.match:
        _count(agent, event, read, agent.usage.match)


def _failure(rule: ResultRule, event: dict[str, object]) -> str:
    if not rule.fails and matches(event, rule.success):
        return ""
    said = next(texts(event, rule.failure_text), "") or "it gave no reason"
    unmet = [f"{path} is {_shown(at(event, path))}" for path in rule.success if not matches(event, _one(rule, path))]
    return "; ".join([f"it reported a failure: {said}", *unmet])


def _one(rule: ResultRule, path: str) -> Allowed:
    return {path: rule.success[path]}


def _shown(value: object) -> str:
    return "missing" if value is None else one_line(repr(value))[:60]


def _missing(agent: Agent, cut: int) -> str:
    wanted = " or ".join(dict.fromkeys(_shape(rule) for rule in agent.results))
    long = f"; {cut} line(s) were longer than {MAX_LINE} bytes and not read" if cut else ""
    return f"{agent.title} ended without its typed result ({wanted}){long}"


def _shape(rule: ResultRule) -> str:
    return ", ".join(f"{path} = {'/'.join(str(value) for value in values)}" for path, values in rule.match.items())


def _count(agent: Agent, event: dict[str, object], read: _Read, match: Allowed) -> None:
    if not matches(event, match):
        return
    rule = agent.usage
    if rule.turns == "count":
        read.sums["turns"] = read.sums.get("turns", 0) + 1
    paths: Iterable[tuple[str, Paths]] = (
        ("turns", () if rule.turns == "count" else rule.turns),
        ("cost_usd", rule.cost_usd),
        ("input_tokens", rule.input_tokens),
        ("output_tokens", rule.output_tokens),
    )
    for name, where in paths:
        amount = total(event, where)
        if amount is not None:
            read.sums[name] = amount + (read.sums.get(name, 0) if rule.combine == "sum" else 0)


def _usage(sums: dict[str, float]) -> Usage:
    whole = {name: int(sums[name]) if name in sums else None for name in ("turns", "input_tokens", "output_tokens")}
    return Usage(**whole, cost_usd=sums.get("cost_usd"))
