"""YAML to a tree, from the parser's events: no tag is followed, no alias expanded, nothing constructed."""

from __future__ import annotations

from typing import Protocol, cast

import yaml

from .source import SourceFile
from .tree import Mapping, Node, Scalar, Sequence, TreeBuilder

_KINDS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "number",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:bool": "boolean",
    "tag:yaml.org,2002:timestamp": "date",
    "tag:yaml.org,2002:null": "null",
}


class _Parser(Protocol):
    """The part of PyYAML's loader that is used here; its stubs say nothing of it."""

    def check_event(self) -> bool: ...
    def get_event(self) -> yaml.Event: ...
    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str: ...


def yaml_tree(file: SourceFile) -> Node | None:
    """The document of a YAML file; None where it holds only comments.

    Raises:
        TaskFileError: it is no YAML, or uses tags, anchors, aliases or several documents.
    """
    builder = TreeBuilder(file)
    line = 1
    try:
        loader = cast(_Parser, yaml.SafeLoader(file.text))
        documents = 0
        while loader.check_event():
            event = loader.get_event()
            line = _line(event)
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise file.error(line, "a second document begins", next_step="list the tasks below `tasks:`")
            _take(file, builder, loader, event)
    except yaml.reader.ReaderError as error:
        before = file.text.count("\n", 0, error.position)
        raise file.error(before + 1, f"this is no YAML: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise file.error(
            mark.line + 1 if mark else line, f"this is no YAML: {error.problem or error.context}"
        ) from None
    except (ValueError, OverflowError) as error:
        # PyYAML lets these escape for numbers out of range in escapes and directives.
        raise file.error(line, f"this is no YAML: {error}") from None
    return builder.tree()


def _take(file: SourceFile, builder: TreeBuilder, loader: _Parser, event: yaml.Event) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise file.error(_line(event), "anchors and aliases are not read", next_step="write the value out")
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise file.error(_line(event), f"the tag {tag} is not read", next_step="remove the tag")
    if isinstance(event, yaml.ScalarEvent):
        kind = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        builder.scalar(Scalar(_line(event), _KINDS.get(kind, kind), event.value, *_place(event)))
    elif isinstance(event, yaml.SequenceStartEvent):
        builder.begin(Sequence(_line(event)))
    elif isinstance(event, yaml.MappingStartEvent):
        builder.begin(Mapping(_line(event)))
    elif isinstance(event, yaml.CollectionEndEvent):
        builder.end()


def _place(event: yaml.Event) -> tuple[int, int]:
    """Column and width of a scalar that stands in one line; a width of 0 for any other."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None or start.line != end.line:
        return 0, 0
    return start.column, end.column - start.column


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
