"""The deterministic chat model of examples and tests: it answers, calls tools and fails as its script says.

A script is a YAML list of replies, one for each time that the model is asked in a conversation:

    - calls: [{name: write_file, args: {path: a.txt, text: hello}}]
    - say: It is written.                        # an answer without calls ends the loop
    - fail: the provider is down                 # the call of the model raises
    - {calls: [...], repeat: true}               # this reply again and again

A reply with `attempt: 2` belongs to that attempt only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, TypeAdapter, ValidationError

from ....state.errors import WaypostError
from ....state.model import Record


class ScriptError(WaypostError):
    """A script cannot be read, or is at its end."""


class ModelDown(RuntimeError):
    """What a `fail` reply raises."""


class ToolUse(Record):
    """One call of a tool."""

    name: str
    args: dict[str, Any] = Field(default_factory=dict[str, Any])


class Reply(Record):
    """One answer of the model."""

    attempt: int | None = None
    say: str = ""
    calls: tuple[ToolUse, ...] = ()
    fail: str | None = None
    repeat: bool = False
    finish: str = "stop"
    input_tokens: int = 10
    output_tokens: int = 5


_SCRIPT = TypeAdapter(tuple[Reply, ...])


class ScriptedChatModel(BaseChatModel):
    """Answers from a script. How far a conversation is, it sees from the answers in it: it keeps no state."""

    replies: tuple[Reply, ...]

    @classmethod
    def read(cls, path: Path, *, attempt: int) -> ScriptedChatModel:
        """The model of a script file, with the replies of that attempt. Raises ScriptError."""
        try:
            replies = _SCRIPT.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")) or ())
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
            raise ScriptError(f"{path} is not a list of replies", facts={"found": error}) from None
        return cls(replies=tuple(reply for reply in replies if reply.attempt in (None, attempt)))

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Itself: which tools it calls stands in the script."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        reply = self._reply(turn)
        if reply.fail is not None:
            raise ModelDown(reply.fail)
        tokens = reply.input_tokens + reply.output_tokens
        message = AIMessage(
            content=reply.say,
            tool_calls=[
                {"name": use.name, "args": use.args, "id": f"call-{turn}-{number}", "type": "tool_call"}
                for number, use in enumerate(reply.calls)
            ],
            usage_metadata=UsageMetadata(
                input_tokens=reply.input_tokens, output_tokens=reply.output_tokens, total_tokens=tokens
            ),
            response_metadata={"finish_reason": reply.finish},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _reply(self, turn: int) -> Reply:
        for number, reply in enumerate(self.replies):
            if number == turn or (reply.repeat and number < turn):
                return reply
        raise ScriptError(f"the script has {len(self.replies)} replies and is asked for number {turn + 1}")
