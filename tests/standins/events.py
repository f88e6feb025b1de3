"""What each agent CLI prints, event by event, as its documentation or source describes it (see `docs` in agents.toml).

A transcript has an opening (its first events, which name the session), work, and an end that says success or failure.
Standard library only: the stand-in executable imports this file in an isolated interpreter.
"""

from __future__ import annotations

Event = dict[str, object]

WHY = "the model is overloaded"


def claude(session: str, ok: bool) -> tuple[list[Event], list[Event], list[Event]]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "model-1", "stop_reason": None}
    use = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "python3 -m unittest"}}
    got = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "OK", "is_error": False}
    about = {"session_id": session, "parent_tool_use_id": None}
    usage = {
        "input_tokens": 12,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 1200,
        "output_tokens": 87,
    }
    end: Event = {"type": "result", "subtype": "success", "is_error": False, "result": "All tests pass."}
    if not ok:
        end = {"type": "result", "subtype": "error_during_execution", "is_error": True, "errors": [WHY]}
    return (
        [
            {
                "type": "system",
                "subtype": "init",
                "cwd": "/",
                "session_id": session,
                "tools": ["Bash"],
                "model": "model-1",
            }
        ],
        [
            {
                "type": "assistant",
                "message": {**message, "content": [{"type": "text", "text": "I run the tests."}]},
                **about,
            },
            {"type": "assistant", "message": {**message, "content": [use]}, **about},
            {"type": "user", "message": {"role": "user", "content": [got]}, **about},
        ],
        [{**end, "duration_ms": 5, "num_turns": 3, "session_id": session, "total_cost_usd": 0.0421, "usage": usage}],
    )


def codex(session: str, ok: bool) -> tuple[list[Event], list[Event], list[Event]]:
    command = {"id": "item_0", "type": "command_execution", "command": "bash -lc 'python3 -m unittest'"}
    changes = [{"path": "out.txt", "kind": "add"}]
    end: list[Event] = [
        {"type": "turn.completed", "usage": {"input_tokens": 1512, "cached_input_tokens": 1200, "output_tokens": 87}}
    ]
    if not ok:
        end = [{"type": "error", "message": WHY}, {"type": "turn.failed", "error": {"message": WHY}}]
    return (
        [{"type": "thread.started", "thread_id": session}, {"type": "turn.started"}],
        [
            {"type": "error", "message": "Reconnecting... 1/5"},
            {
                "type": "item.started",
                "item": {**command, "aggregated_output": "", "exit_code": None, "status": "in_progress"},
            },
            {
                "type": "item.completed",
                "item": {**command, "aggregated_output": "OK", "exit_code": 0, "status": "completed"},
            },
            {
                "type": "item.completed",
                "item": {"id": "item_1", "type": "file_change", "changes": changes, "status": "completed"},
            },
            {"type": "item.completed", "item": {"id": "item_2", "type": "agent_message", "text": "All tests pass."}},
        ],
        end,
    )


def gemini(session: str, ok: bool) -> tuple[list[Event], list[Event], list[Event]]:
    at = {"timestamp": "2026-01-01T00:00:00.000Z"}
    stats = {
        "total_tokens": 1599,
        "input_tokens": 1512,
        "output_tokens": 87,
        "cached": 1200,
        "duration_ms": 5,
        "tool_calls": 1,
    }
    end: Event = {"type": "result", **at, "status": "success", "stats": stats}
    if not ok:
        end = {"type": "result", **at, "status": "error", "error": {"type": "Error", "message": WHY}, "stats": stats}
    return (
        [{"type": "init", **at, "session_id": session, "model": "model-1"}],
        [
            {"type": "message", **at, "role": "user", "content": "the prompt"},
            {
                "type": "tool_use",
                **at,
                "tool_name": "run_shell_command",
                "tool_id": "t1",
                "parameters": {"command": "python3 -m unittest"},
            },
            {"type": "tool_result", **at, "tool_id": "t1", "status": "success", "output": "OK"},
            {"type": "message", **at, "role": "assistant", "content": "All tests pass.", "delta": True},
        ],
        [end],
    )


def opencode(session: str, ok: bool) -> tuple[list[Event], list[Event], list[Event]]:
    about = {"timestamp": 1767036059338, "sessionID": session}

    def finish(reason: str, given: int, made: int) -> Event:
        tokens = {"input": given, "output": made, "reasoning": 0, "cache": {"read": 600, "write": 0}}
        part = {"type": "step-finish", "reason": reason, "cost": 0.02105, "tokens": tokens}
        return {"type": "step_finish", **about, "part": part}

    state = {
        "status": "completed",
        "input": {"command": "python3 -m unittest"},
        "output": "OK",
        "title": "python3 -m unittest",
    }
    end: list[Event] = [finish("stop", 156, 44), {"type": "done", **about, "reason": "idle", "rejected": []}]
    if not ok:
        end = [{"type": "error", **about, "error": {"name": "APIError", "data": {"message": WHY}}}, end[-1]]
    return (
        [{"type": "step_start", **about, "part": {"type": "step-start"}}],
        [
            {"type": "tool_use", **about, "part": {"type": "tool", "tool": "bash", "callID": "c1", "state": state}},
            finish("tool-calls", 156, 43),
            {"type": "step_start", **about, "part": {"type": "step-start"}},
            {"type": "text", **about, "part": {"type": "text", "text": "All tests pass."}},
        ],
        end,
    )


def cursor(session: str, ok: bool) -> tuple[list[Event], list[Event], list[Event]]:
    def said(role: str, text: str) -> Event:
        message = {"role": role, "content": [{"type": "text", "text": text}]}
        return {"type": role, "message": message, "session_id": session}

    call = {"shellToolCall": {"args": {"command": "python3 -m unittest"}}}
    end: Event = {"type": "result", "subtype": "success", "is_error": False, "result": "All tests pass."}
    if not ok:
        end = {"type": "result", "subtype": "error", "is_error": True, "result": WHY}
    return (
        [
            {
                "type": "system",
                "subtype": "init",
                "apiKeySource": "env",
                "cwd": "/",
                "session_id": session,
                "model": "model-1",
            }
        ],
        [
            said("user", "the prompt"),
            {"type": "tool_call", "subtype": "started", "call_id": "c1", "tool_call": call, "session_id": session},
            {"type": "tool_call", "subtype": "completed", "call_id": "c1", "tool_call": call, "session_id": session},
            said("assistant", "All tests pass."),
        ],
        [{**end, "duration_ms": 5, "duration_api_ms": 5, "session_id": session, "request_id": "r1"}],
    )


def goose(session: str, ok: bool) -> tuple[list[Event], list[Event], list[Event]]:
    def said(role: str, content: Event) -> Event:
        return {"type": "message", "message": {"id": None, "role": role, "created": 1767036059, "content": [content]}}

    call = {"status": "success", "value": {"name": "developer__shell", "arguments": {"command": "python3 -m unittest"}}}
    end: list[Event] = [{"type": "complete", "total_tokens": 1599, "input_tokens": 1512, "output_tokens": 87}]
    if not ok:
        end = [{"type": "error", "error": WHY}, *end]
    return (
        [{"type": "notification", "extension_id": "developer", "log": {"message": "ready"}}],
        [
            said("assistant", {"type": "toolRequest", "id": "t1", "toolCall": call}),
            said("user", {"type": "toolResponse", "id": "t1", "toolResult": {"status": "success", "value": []}}),
            said("assistant", {"type": "text", "text": "All tests pass."}),
        ],
        end,
    )


TRANSCRIPTS = {f.__name__: f for f in (claude, codex, gemini, opencode, cursor, goose)}
