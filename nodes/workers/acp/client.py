"""Our side of the protocol: what an agent tells us, and what it asks of us.

Requests are read from the raw messages. The models of the protocol package repair what does not fit, a list of
locations by leaving out those it cannot read; what decides about a permission must not be repaired.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from acp.exceptions import RequestError
from acp.meta import CLIENT_METHODS

from ....state.records import Usage
from ..confine import OutOfScope
from ..gate import Denied, Gate
from ..typed import EventWriter
from .asked import ToolCall, ToolCalls, Unreadable
from .terminals import NoTerminal, Terminals
from .updates import Updates

_DENIED = -32003
_LOOKS = frozenset({"read", "search"})
_CHANGES = frozenset({"edit", "delete", "move"})
_PERMISSION = CLIENT_METHODS["session_request_permission"]
_UPDATE = CLIENT_METHODS["session_update"]

Params = dict[str, Any]


class Client:
    """Answers one agent in one session.

    Commands are not given the variables of `hidden_env`.

    Attributes:
        session: the only session that is answered; None before there is one.
    """

    def __init__(self, gate: Gate, events: EventWriter, workspace: str, *, hidden_env: Sequence[str] = ()) -> None:
        self.session: str | None = None
        self._gate = gate
        self._updates = Updates(events)
        self._calls = ToolCalls()
        env = {name: value for name, value in os.environ.items() if name not in hidden_env}
        self._terminals = Terminals(workspace, env)
        self._answers: dict[str, Callable[[Params], Awaitable[Any]]] = {
            _PERMISSION: self._permission,
            CLIENT_METHODS["fs_read_text_file"]: self._read,
            CLIENT_METHODS["fs_write_text_file"]: self._write,
            CLIENT_METHODS["terminal_create"]: self._create_terminal,
            CLIENT_METHODS["terminal_output"]: self._terminal_output,
            CLIENT_METHODS["terminal_wait_for_exit"]: self._wait_for_terminal,
            CLIENT_METHODS["terminal_kill"]: self._kill_terminal,
            CLIENT_METHODS["terminal_release"]: self._release_terminal,
        }

    @property
    def usage(self) -> Usage:
        """What the session has cost so far, as the agent tells it."""
        return Usage(cost_usd=self._updates.cost_usd)

    async def close(self) -> None:
        """End what the agent has started through us, and show what it was saying."""
        self._updates.flush()
        await self._terminals.close()

    async def handle(self, method: str, params: Any | None, is_notification: bool) -> Any:
        """One message of the agent.

        Raises:
            RequestError: the answer to a request that is not known, not readable, or not allowed.
        """
        given = cast("Params", params) if isinstance(params, dict) else {}
        if is_notification:
            if method == _UPDATE and given.get("sessionId") == self.session:
                self._told(given.get("update"))
            return None
        answer = self._answers.get(method)
        if answer is None:
            raise RequestError.method_not_found(method)
        if self.session is None or given.get("sessionId") != self.session:
            raise RequestError.invalid_params({"details": "this is not the session that was opened"})
        try:
            return await answer(given)
        except Denied as denied:
            raise RequestError(_DENIED, denied.what) from None
        except (Unreadable, NoTerminal) as error:
            raise RequestError.invalid_params({"details": str(error)}) from None
        except (OSError, ValueError) as error:
            raise RequestError.internal_error({"details": str(error)}) from None

    def _told(self, update: object) -> None:
        fields = cast("Params", update) if isinstance(update, dict) else {}
        call = None
        if fields.get("sessionUpdate") in ("tool_call", "tool_call_update"):
            try:
                call = self._calls.learn(fields)
            except Unreadable:
                return
        self._updates.show(fields, call)

    async def _permission(self, given: Params) -> Any:
        try:
            self._judge(self._calls.learn(given.get("toolCall")))
        except Denied:
            return _choose(given, "reject_once", "reject_always")
        except Unreadable as error:
            self._gate.deny("permission", "a tool call that cannot be read", str(error))
            return _choose(given, "reject_once", "reject_always")
        # Never `allow_always`: the agent would not ask again.
        chosen = _choose(given, "allow_once")
        if chosen["outcome"]["outcome"] != "selected":
            self._gate.deny("permission", "a tool call", "the agent offers no way to allow it once")
        return chosen

    def _judge(self, call: ToolCall) -> None:
        """Raises Denied unless the step allows all that the call names."""
        subject = call.title or call.kind or "a tool call"
        if call.kind == "execute":
            self._judge_command(call, subject)
        elif call.kind not in _LOOKS | _CHANGES:
            raise self._gate.deny("permission", subject, f"requests of kind {call.kind or '(none)'} are never allowed")
        elif not call.paths:
            raise self._gate.deny(call.kind, subject, "it does not say which file it is about")
        for path in call.paths:
            if call.kind in _CHANGES:
                self._gate.may_change(call.kind, path)
            else:
                self._gate.may_look(call.kind, path)

    def _judge_command(self, call: ToolCall, subject: str) -> None:
        if call.command is None:
            raise self._gate.deny("run", subject, "it does not say which command it is about")
        self._in_workspace(call.directory)
        if isinstance(call.command, str):
            self._gate.command(call.command)
        else:
            self._gate.command_argv(call.command)

    def _in_workspace(self, directory: str) -> None:
        try:
            inside = not directory or self._gate.files.place(directory) == "."
        except OutOfScope:
            inside = False
        if not inside:
            raise self._gate.deny("run", f"a command in {directory}", "commands run in the workspace itself")

    async def _read(self, given: Params) -> Any:
        content = self._gate.read_text(_text(given, "path"))
        line, limit = _number(given, "line"), _number(given, "limit")
        if line is not None or limit is not None:
            first = max((line or 1) - 1, 0)
            lines = content.splitlines(keepends=True)[first:]
            content = "".join(lines if limit is None else lines[:limit])
        return {"content": content}

    async def _write(self, given: Params) -> Any:
        self._gate.write_text(_text(given, "path"), _text(given, "content"))
        return {}

    async def _create_terminal(self, given: Params) -> Any:
        arguments = _words(given, "args")
        self._in_workspace(_text(given, "cwd") if given.get("cwd") is not None else "")
        argv = self._gate.command(_text(given, "command"), arguments)
        return {"terminalId": await self._terminals.create(argv, _number(given, "outputByteLimit"))}

    async def _terminal_output(self, given: Params) -> Any:
        terminal = self._terminals.find(given.get("terminalId"))
        status = {} if terminal.exit_status is None else {"exitStatus": terminal.exit_status}
        return {"output": terminal.text, "truncated": terminal.dropped, **status}

    async def _wait_for_terminal(self, given: Params) -> Any:
        return await self._terminals.wait(given.get("terminalId"))

    async def _kill_terminal(self, given: Params) -> Any:
        self._terminals.find(given.get("terminalId")).kill()
        return {}

    async def _release_terminal(self, given: Params) -> Any:
        await self._terminals.release(given.get("terminalId"))
        return {}


def _choose(given: Params, *kinds: str) -> dict[str, Any]:
    """The answer that picks the first option of the first of these kinds; `cancelled` where none is offered."""
    offered = given.get("options")
    options = (
        [cast("Params", o) for o in cast("list[object]", offered) if isinstance(o, dict)]
        if isinstance(offered, list)
        else []
    )
    for kind in kinds:
        for option in options:
            if option.get("kind") == kind and isinstance(option.get("optionId"), str):
                return {"outcome": {"outcome": "selected", "optionId": option["optionId"]}}
    return {"outcome": {"outcome": "cancelled"}}


def _text(given: Params, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name} is no text")
    return value


def _words(given: Params, name: str) -> list[str]:
    value = given.get(name)
    words = [] if value is None else cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(word, str) for word in words):
        raise Unreadable(f"{name} is no list of words")
    return [str(word) for word in words]


def _number(given: Params, name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable(f"{name} is no number")
    return value
