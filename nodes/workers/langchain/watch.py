"""Looking on while a runnable works: what it does, what it uses, and whether it comes to an end."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from ....state.records import Usage
from ..typed import EventWriter


class TurnLimit(Exception):
    """Models were called as often as they may be."""


class Watch(BaseCallbackHandler):
    """Counts calls of models and the tokens that they tell of, whatever the runnable is made of."""

    # An error of a handler is only logged, unless it says otherwise.
    raise_error = True

    def __init__(self, events: EventWriter, *, max_turns: int) -> None:
        self._events = events
        self._max_turns = max_turns
        self._lock = threading.Lock()
        self._turns = 0
        self._input: int | None = None
        self._output: int | None = None

    @property
    def usage(self) -> Usage:
        """Calls of models so far, and their tokens; None where no model told of any."""
        return Usage(turns=self._turns, input_tokens=self._input, output_tokens=self._output)

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Raises TurnLimit."""
        self._count()

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any) -> None:
        """Raises TurnLimit."""
        self._count()

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Add what the answer cost, and show what it says."""
        for generation in (item for batch in response.generations for item in batch):
            if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
                self._add(generation.message)
                self._events.progress("message", generation.message.text)
            else:
                self._events.progress("message", generation.text)

    def on_tool_start(self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Show which tool is called, and with what."""
        self._events.progress("tool", f"{serialized.get('name', 'a tool')} {input_str}")

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Show that it failed."""
        self._events.progress("tool", f"failed: {error}")

    def _count(self) -> None:
        with self._lock:
            if self._turns >= self._max_turns:
                raise TurnLimit(f"it did not come to an end in {self._max_turns} turns")
            self._turns += 1

    def _add(self, message: AIMessage) -> None:
        used = message.usage_metadata
        if used is not None:
            with self._lock:
                self._input = (self._input or 0) + used["input_tokens"]
                self._output = (self._output or 0) + used["output_tokens"]
