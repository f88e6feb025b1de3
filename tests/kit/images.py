"""What the example reader prints, as the values that were meant."""

from __future__ import annotations

from typing import Any


def values_of(state: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The values of channels that are given as {form: content}."""
    pairs = ((channel, *one.popitem()) for channel, one in state.items())
    return {channel: plain(content) if form == "msgpack" else content for channel, form, content in pairs}


def plain(image: Any) -> Any:
    """An image of MessagePack without its tags; an object of a class becomes its arguments."""
    match image:
        case {"$ext": _, "of": [str(), str(), inner, *_]} | {"$ext": _, "of": inner} | {"$ext": _, "raw": inner}:
            return plain(inner)
        case {"$bytes": text} | {"$float": text}:
            return text
        case list():
            return [plain(item) for item in image]
        case dict():
            pairs = image.get("$map", image.items())
            return {str(plain(key)): plain(item) for key, item in pairs}
        case _:
            return image
