"""What an agent says about its work, as short events for people. Nothing of it is believed."""

from __future__ import annotations

import math
from typing import Any, cast

from ..typed import EventWriter
from .asked import ToolCall

_PIECE = 300
_CHUNKS = {"agent_message_chunk": "message", "agent_thought_chunk": "thought"}


class Updates:
    """Shows `session/update`. Text arrives in small pieces and is shown by the line.

    Attributes:
        cost_usd: what the session has cost so far; None where the agent does not tell it in dollars.
    """

    def __init__(self, events: EventWriter) -> None:
        self.cost_usd: float | None = None
        self._events = events
        self._kind = ""
        self._said = ""

    def show(self, update: dict[str, Any], call: ToolCall | None) -> None:
        """One update; `call` is what is known of the tool call that it is about."""
        kind = update.get("sessionUpdate")
        if isinstance(kind, str) and kind in _CHUNKS:
            self._add(_CHUNKS[kind], _string(_mapping(update.get("content")).get("text")))
            return
        self.flush()
        if call is not None:
            status = _string(update.get("status"))
            self._events.progress("tool", f"{call.title or call.kind or 'a tool'}{f': {status}' if status else ''}")
        elif kind == "plan":
            self._events.progress("plan", "; ".join(_entries(update.get("entries"))))
        elif kind == "usage_update":
            self._cost(_mapping(update.get("cost")))

    def flush(self) -> None:
        """Show what is still waiting for the end of its line."""
        if self._said.strip():
            self._events.progress(self._kind, self._said.strip())
        self._said = ""

    def _add(self, kind: str, text: str) -> None:
        if kind != self._kind:
            self.flush()
            self._kind = kind
        *lines, rest = (self._said + text).split("\n")
        for line in lines:
            self._said = line
            self.flush()
        self._said = rest
        if len(rest) >= _PIECE:
            self.flush()

    def _cost(self, cost: dict[str, Any]) -> None:
        amount = cost.get("amount")
        if not isinstance(amount, int | float) or isinstance(amount, bool) or cost.get("currency") != "USD":
            return
        if math.isfinite(amount) and amount >= 0:
            self.cost_usd = float(amount)


def _entries(entries: object) -> list[str]:
    rows = [_mapping(entry) for entry in cast("list[object]", entries)[:20]] if isinstance(entries, list) else []
    return [f"{_string(row.get('content'))} ({_string(row.get('status'))})" for row in rows]


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
