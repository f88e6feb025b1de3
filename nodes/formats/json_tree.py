"""JSON to a tree. The standard library says whether it is JSON; its tokens say in which line each value stands."""

from __future__ import annotations

import json
import re

from .source import SourceFile
from .tree import MAX_NODES, Mapping, Node, Scalar, Sequence, TreeBuilder

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|[^\s"\[\]{}:,]+')
_CONSTANTS = ("NaN", "Infinity", "-Infinity")
_KINDS = {"null": "null", "true": "boolean", "false": "boolean"}


def json_tree(file: SourceFile, max_nodes: int = MAX_NODES, *, show_controls: bool = False) -> Node | None:
    """The value of a JSON file; for the options see `TreeBuilder`.

    Raises:
        TaskFileError: it is no JSON.
    """
    _check(file)
    builder = TreeBuilder(file, max_nodes, show_controls=show_controls)
    line = 1
    position = 0
    line_start = 0
    for match in _TOKEN.finditer(file.text):
        passed = file.text.count("\n", position, match.start())
        position = match.start()
        if passed:
            line += passed
            line_start = file.text.rfind("\n", 0, position) + 1
        if match[0] in _CONSTANTS:
            raise file.error(line, f"this is no JSON: {match[0]} is no number")
        _take(builder, match[0], line, position - line_start)
    return builder.tree()


def _check(file: SourceFile) -> None:
    try:
        # Numbers stay text: nothing is rounded, and no number is too long.
        json.loads(file.text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise file.error(error.lineno, f"this is no JSON: {error.msg} (column {error.colno})") from None
    except RecursionError:
        # All before the depth that was reached is valid, and the tree refuses a smaller one with its line.
        return


def _take(builder: TreeBuilder, token: str, line: int, column: int) -> None:
    if token == "[":
        builder.begin(Sequence(line))
    elif token == "{":
        builder.begin(Mapping(line))
    elif token in "]}":
        builder.end()
    elif token.startswith('"'):
        builder.scalar(Scalar(line, "text", json.loads(token), column, len(token)))
    else:
        builder.scalar(Scalar(line, _KINDS.get(token, "number"), token, column, len(token)))
