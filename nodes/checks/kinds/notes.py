"""What a look has seen, as one JSON object in the log of its check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from .kind import NotKept


def note_of(facts: Mapping[str, object]) -> bytes:
    """The log that says so."""
    return json.dumps(dict(facts), ensure_ascii=True, sort_keys=True).encode() + b"\n"


def facts_of(log: bytes) -> dict[str, Any]:
    """What such a log says. Raises NotKept where it is none."""
    try:
        found: object = json.loads(log)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotKept("the record of what was seen cannot be read")
    return cast("dict[str, Any]", found)
