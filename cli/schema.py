"""What `waypost schema` prints."""

from __future__ import annotations

import json
from typing import Any, Literal

from ..state.event_schema import event_schema
from ..state.pipeline import PipelineState
from ..state.task import Task

SchemaName = Literal["task", "state", "events"]


def schema_of(what: SchemaName) -> dict[str, Any]:
    """The JSON Schema of a card, of a state, or of one line of `waypost run --json`."""
    if what == "events":
        return event_schema()
    return (Task if what == "task" else PipelineState).model_json_schema()


def print_schema(what: SchemaName) -> int:
    """The JSON Schema on stdout."""
    print(json.dumps(schema_of(what), indent=2))
    return 0
