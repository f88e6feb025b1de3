"""The events as one JSON Schema, and a check that a record is one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, TypeAdapter

from .events import Told

# Unknown fields are refused: what is not documented is not told.
_EVENTS: TypeAdapter[Any] = TypeAdapter(Annotated[Told, Discriminator("event")], config=ConfigDict(extra="forbid"))


def event_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line of `waypost run --json`."""
    schema = _EVENTS.json_schema()
    about = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of `waypost run --json`, `resume --json` or `watch --json`",
    }
    return {**about, **schema}


def check_event(record: Mapping[str, Any]) -> None:
    """Raises ValueError (a `pydantic.ValidationError`) where a record is no event that the schema knows."""
    _EVENTS.validate_python(dict(record))
