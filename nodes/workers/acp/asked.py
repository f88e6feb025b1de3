"""What a `session/request_permission` is about: read strictly, from the request and the tool call that it names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

_CALLS_AT_MOST = 500
_PATHS_AT_MOST = 1000
# How agents name files in the input of their tools; the protocol leaves that to them.
_PATH_KEYS = frozenset(
    {
        *("path", "paths", "file", "files", "filename", "filepath", "abspath", "absolutepath", "directory", "dir"),
        *("targetfile", "target", "destination", "dest", "source", "src", "oldpath", "newpath", "notebookpath"),
    }
)
_DIRECTORY_KEYS = frozenset({"cwd", "workdir", "workingdirectory"})


class Unreadable(ValueError):
    """A request that does not say what it is about."""


@dataclass
class ToolCall:
    """What is known of one tool call; later news about it replaces what came before, field by field.

    Attributes:
        locations, diffs, named: files by where they were named: by the protocol twice, and in the tool's own input.
        command: what it wants to run: a command line, or a list of words; None where it does not say.
        directory: where it wants to run that.
        unreadable: why it cannot be judged any more, since a part of it had an unknown form.
    """

    kind: str = ""
    title: str = ""
    locations: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    command: str | tuple[str, ...] | None = None
    directory: str = ""
    unreadable: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file it names, each once."""
        return tuple(dict.fromkeys((*self.locations, *self.diffs, *self.named)))


@dataclass
class ToolCalls:
    """The newest tool calls of a session."""

    _known: OrderedDict[str, ToolCall] = field(default_factory=OrderedDict[str, ToolCall])

    def learn(self, update: object) -> ToolCall:
        """The tool call that an update or a request is about, with its news.

        Raises:
            Unreadable: a field that says what is touched has another form than the protocol gives it.
        """
        fields = _mapping(update, "tool call")
        name = fields.get("toolCallId")
        if not isinstance(name, str):
            raise Unreadable("the tool call has no id")
        call = self._known.pop(name, None) or ToolCall()
        self._known[name] = call
        while len(self._known) > _CALLS_AT_MOST:
            self._known.popitem(last=False)
        try:
            _update(call, fields)
        except Unreadable as error:
            call.unreadable = str(error)
        if call.unreadable:
            raise Unreadable(call.unreadable)
        return call


def _update(call: ToolCall, fields: dict[str, Any]) -> None:
    for name in ("kind", "title"):
        if (value := fields.get(name)) is not None:
            if not isinstance(value, str):
                raise Unreadable(f"its {name} is no text")
            setattr(call, name, value)
    if (locations := fields.get("locations")) is not None:
        call.locations = tuple(_path(item) for item in _list(locations, "locations"))
    if (content := fields.get("content")) is not None:
        blocks = [_mapping(item, "content block") for item in _list(content, "content")]
        call.diffs = tuple(_path(block) for block in blocks if block.get("type") == "diff")
    if (given := fields.get("rawInput")) is not None:
        tool_input = cast("dict[str, object]", given) if isinstance(given, dict) else {}
        call.named, call.command = tuple(_paths_in(tool_input)), _command_in(tool_input)
        call.directory = _directory_in(tool_input)


def _paths_in(tool_input: dict[str, object]) -> Iterator[str]:
    for key, value in tool_input.items():
        if _plain(key) in _PATH_KEYS:
            for item in cast("list[object]", value) if isinstance(value, list) else [value]:
                if isinstance(item, str):
                    yield item
                elif item is not None:
                    raise Unreadable(f"its input has something else than a path as {key!r}")


def _command_in(tool_input: dict[str, object]) -> str | tuple[str, ...] | None:
    command, arguments = tool_input.get("command"), tool_input.get("args")
    if command is None and arguments is None:
        return None
    if isinstance(command, str) and arguments is None:
        return command
    words = _list([command] if isinstance(command, str) else command, "words")
    words += [] if arguments is None else _list(arguments, "arguments")
    if not all(isinstance(word, str) for word in words):
        raise Unreadable("its command is no list of words")
    return tuple(str(word) for word in words)


def _directory_in(tool_input: dict[str, object]) -> str:
    for key, value in tool_input.items():
        if _plain(key) in _DIRECTORY_KEYS and value is not None:
            if not isinstance(value, str):
                raise Unreadable(f"its {key} is no path")
            return value
    return ""


def _plain(key: str) -> str:
    return key.replace("_", "").replace("-", "").casefold()


def _path(item: object) -> str:
    path = _mapping(item, "location").get("path")
    if not isinstance(path, str):
        raise Unreadable("a location has no path")
    return path


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise Unreadable(f"its {what} are no list")
    items = cast("list[object]", value)
    if len(items) > _PATHS_AT_MOST:
        raise Unreadable(f"it has more than {_PATHS_AT_MOST} {what}")
    return list(items)


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"a {what} is no object")
    return cast("dict[str, Any]", value)
