"""Stored values as plain JSON for people: no object is built, and no module is imported."""

from __future__ import annotations

import base64
from typing import Any, cast

import orjson

from .image import plain, tag, unpack
from .index import Entry, Version
from .lines import Data
from .packed import Packed, for_people
from .view import View


def state_at(view: View, entry: Entry) -> dict[str, Any]:
    """The values of a checkpoint's channels; those of a DeltaChannel stand in writes, and are not among them."""
    line = view.line(entry.line)
    versions: dict[str, Version] = object_in(view, line["body"]).get("channel_versions", {})
    places = {channel: view.value_at(entry, line, channel, version or 0) for channel, version in versions.items()}
    return {channel: people(view.texts.at(at)) for channel, at in places.items() if at is not None}


def object_in(view: View, value: Data) -> Data:
    """The object that stands right in a line; an empty one if it is none."""
    found = people(view.texts.inline(value))
    return cast(Data, found) if isinstance(found, dict) else {}


def people(packed: Packed) -> Any:
    """A stored value as plain JSON; what cannot be read without its key or its class is told by type and size."""
    tree = orjson.loads(packed.text)
    if packed.form != "base64":
        return for_people(packed.form, tree)
    data = base64.b64decode(tree)
    if packed.type == "msgpack":
        try:
            return plain(tag(unpack(data)))
        except (ValueError, TypeError):
            pass
    return tree if packed.type in ("bytes", "bytearray") else f"<{packed.type}: {len(data)} bytes>"
