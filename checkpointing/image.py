"""A readable JSON image of MessagePack bytes, and back again, byte for byte.

The image is docs/ledger-format.md, section 3. Nothing here builds an object or imports a module: an extension is data.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable
from typing import Any

import orjson
import ormsgpack

from .lines import Data

_OPTION = ormsgpack.OPT_NON_STR_KEYS
_NOT_FINITE = re.compile(rb"[\xca\xcb][\x7f\xff][\x80-\xff]")
_TAG_KEY = re.compile(rb'"\$(?:[^"\\]|\\.)*":')
_SCALARS = frozenset({str, int, bool, type(None)})
_LEAVES = _SCALARS | {float}

ExtensionCheck = Callable[[int, Any], None]


class Extension:
    """An extension as it was found: its type, its payload, and what the payload unpacks to if that is exact."""

    __slots__ = ("code", "inner", "payload", "readable")

    def __init__(self, code: int, payload: bytes) -> None:
        self.code = code
        self.payload = payload
        self.inner = None
        self.readable = False
        try:  # not contextlib.suppress: this runs for every message of a long chat
            self.inner = unpack(payload)
            self.readable = pack(self.inner) == payload
        except (ValueError, TypeError):
            pass


def unpack(data: bytes) -> Any:
    """Read MessagePack into plain containers, with `Extension` for what is none.

    Raises:
        ValueError: the bytes are no MessagePack.
    """
    return ormsgpack.unpackb(data, ext_hook=Extension, option=_OPTION)


def pack(found: Any) -> bytes:
    """The bytes of what `unpack` gave."""
    return ormsgpack.packb(found, default=_as_it_was, option=_OPTION)


def image_of(data: bytes) -> tuple[str, bytes] | None:
    """The form (`json` or `msgpack`) and JSON text of some MessagePack bytes; None if no image gives them back."""
    try:
        found = unpack(data)
        if pack(found) != data:
            return None
        return _quick_image(found, data) or ("msgpack", orjson.dumps(tag(found)))
    except (ValueError, TypeError, RecursionError):
        return None


def image_after(data: bytes, old: bytes, form: str, text: bytes) -> bytes | None:
    """The JSON text of an array or a map that begins with all items of another, whose bytes, form and text are known.

    What is new is all that has to be read then. None where they do not follow each other like that.
    """
    head, count, heads = _head_of(data)
    old_head, old_count, old_heads = _head_of(old)
    end = head + len(old) - old_head
    if heads != old_heads or not 0 < old_count < count or not data.startswith(old[old_head:], head):
        return None
    new = image_of(_head_for(count - old_count, heads) + data[end:])
    if new is None or (new[0] != form and (form == "json" or b'"$' in new[1])):
        return None
    # A map that begins like that is a tag, or is written as one once something odd joins it.
    if text.startswith(b'{"$') or new[1].startswith(b'{"$'):
        return None
    return text[:-1] + b"," + new[1][1:]


def array_of(first: bytes, then: bytes) -> bytes:
    """The bytes of one array with the items of two."""
    (head, count, heads), (then_head, more, _) = _head_of(first), _head_of(then)
    return _head_for(count + more, heads) + first[head:] + then[then_head:]


# MessagePack: the first byte of a small array or map, and those with 2 and 4 bytes for their size.
_ARRAY, _MAP = (0x90, 0xDC, 0xDD), (0x80, 0xDE, 0xDF)


def _head_of(data: bytes) -> tuple[int, int, tuple[int, int, int]]:
    """How long the head of an array or a map is, and how many items it says; no items if it is neither."""
    first = data[0]
    for heads in (_ARRAY, _MAP):
        small, *larger = heads
        if small == first & 0xF0:
            return 1, first & 0x0F, heads
        if first in larger:
            size = 2 if first == larger[0] else 4
            return 1 + size, int.from_bytes(data[1 : 1 + size]), heads
    return 1, 0, _ARRAY


def _head_for(count: int, heads: tuple[int, int, int]) -> bytes:
    if count < 1 << 4:
        return bytes([heads[0] | count])
    size = 2 if count < 1 << 16 else 4
    return bytes([heads[size // 2]]) + count.to_bytes(size)


def _quick_image(found: Any, data: bytes) -> tuple[str, bytes] | None:
    """The image made in one go, if nothing in the value needs the slow way: odd numbers, odd keys, keys with `$`."""
    if (b"\xcb" in data or b"\xca" in data) and _NOT_FINITE.search(data):
        return None
    tags = 0

    def tagged(item: Any) -> Any:
        nonlocal tags
        tags += 1
        return _tag_bytes(item) if item.__class__ is bytes else _tag_extension(item, item.inner)

    try:
        text = orjson.dumps(found, default=tagged)
    except TypeError:
        return None
    if tags == 0:
        return "json", text
    only_ours = text.count(b'"$') == tags or len(_TAG_KEY.findall(text)) == tags
    return ("msgpack", text) if only_ours else None


def bytes_of(tree: Any, check: ExtensionCheck | None = None) -> bytes:
    """The MessagePack bytes of an image; `check` sees each extension (type, image of its payload) first.

    Raises:
        ValueError: a tag is not one of ours.
    """
    return ormsgpack.packb(_untag(tree, check), option=_OPTION)


def tag(found: Any) -> Any:
    """Make what `unpack` gave into JSON by tagging what JSON cannot say."""
    kind = found.__class__
    if kind in _SCALARS:
        return found
    if kind is list:
        return [tag(item) for item in found]
    if kind is dict:
        return _tag_map(found)
    if kind is float:
        return found if math.isfinite(found) else {"$float": _name_of(found)}
    if kind is bytes:
        return _tag_bytes(found)
    if kind is Extension:
        return _tag_extension(found, tag(found.inner) if found.readable else None)
    raise ValueError(f"no image for {kind.__name__}")


def plain(tree: Any) -> Any:
    """An image as a person wants to read it: without tags, an object of a class as its arguments. Not reversible."""
    kind = tree.__class__
    if kind is list:
        return [plain(item) for item in tree]
    if kind is not dict:
        return tree
    if "$ext" in tree:
        return _plain_extension(tree)
    if "$map" in tree:
        return {str(plain(key)): plain(value) for key, value in tree["$map"]}
    if len(tree) == 1 and (key := next(iter(tree))) in ("$bytes", "$float"):
        return tree[key]
    return {key: plain(value) for key, value in tree.items()}


def _plain_extension(tree: Data) -> Any:
    inner = tree.get("of", tree.get("raw"))
    match inner:
        case [str(), str(), arguments, *_]:
            return plain(arguments)
        case _:
            return plain(inner)


def _as_it_was(found: Any) -> Any:
    if found.__class__ is Extension:
        return ormsgpack.Ext(found.code, found.payload)
    raise TypeError


def _tag_bytes(data: bytes) -> Data:
    return {"$bytes": _text64(data)}


def _tag_extension(found: Extension, inner: Any) -> Data:
    return {"$ext": found.code, "of": inner} if found.readable else {"$ext": found.code, "raw": _text64(found.payload)}


def _tag_map(found: dict[Any, Any]) -> Any:
    if all(type(key) is str and not key.startswith("$") for key in found):
        return {key: tag(value) for key, value in found.items()}
    return {"$map": [[tag(key), tag(value)] for key, value in found.items()]}


def _untag(tree: Any, check: ExtensionCheck | None) -> Any:
    kind = tree.__class__
    if kind is list:
        return [item if item.__class__ in _LEAVES else _untag(item, check) for item in tree]
    if kind is not dict:
        return tree
    first = next(iter(tree), "")
    if first.startswith("$"):
        return _untag_one(first, tree, check)
    return {key: item if item.__class__ in _LEAVES else _untag(item, check) for key, item in tree.items()}


def _untag_one(name: str, tree: Data, check: ExtensionCheck | None) -> Any:
    value = tree[name]
    if name == "$ext":
        if check is not None:
            check(value, tree.get("of"))
        payload = bytes_of(tree["of"], check) if "of" in tree else base64.b64decode(tree["raw"])
        return ormsgpack.Ext(value, payload)
    if name == "$map":
        return {_untag(key, check): _untag(item, check) for key, item in value}
    if name == "$bytes":
        return base64.b64decode(value)
    if name == "$float":
        return float(value)
    raise ValueError(f"unknown tag {name}")


def _name_of(number: float) -> str:
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"


def _text64(data: bytes) -> str:
    return base64.b64encode(data).decode()
