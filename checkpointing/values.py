"""Values on their way into a line and back: readable where that is lossless, opaque bytes where it is not.

Lossless is measured by the serializer: what comes back is what `loads_typed(dumps_typed(value))` gives.
"""

from __future__ import annotations

import base64
from functools import cached_property
from typing import Any

import orjson
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from ..state.errors import LedgerError
from .image import array_of, bytes_of, image_after, image_of, tag, unpack
from .lasting import begins_with, lasting
from .packed import HASHED_FROM, Packed
from .policy import Guard, TypeName, blocked

_SCALARS = frozenset({str, int, bool, type(None)})
_FEW = 200
_OPAQUE_TYPES = frozenset({"null", "bytes", "bytearray", "msgpack"})


class Codec:
    """A serializer and the policy under which its values are read.

    Args:
        serde: LangGraph's serializer, also an encrypting one, or one of the user's own.
        allow: type names allowed beside LangGraph's safe list.
    """

    def __init__(self, serde: SerializerProtocol, allow: frozenset[TypeName]) -> None:
        self.serde = serde
        inner = serde.serde if isinstance(serde, EncryptedSerializer) else serde
        listed: Any = getattr(inner, "_allowed_msgpack_modules", True)
        self._guard = Guard(allow | frozenset(() if listed in (True, None) else listed), strict=listed is not True)
        self._native = isinstance(inner, JsonPlusSerializer)
        self._usual = type(serde) is JsonPlusSerializer
        self._inner = inner
        self._reader: tuple[frozenset[TypeName], SerializerProtocol] | None = None

    @cached_property
    def sealed(self) -> str | None:
        """The name of the cipher if values are encrypted."""
        return self.serde.dumps_typed(None)[0].partition("+")[2] or None

    def pack(self, value: Any, before: Packed | None = None) -> Packed:
        """Serialise a value.

        Args:
            before: what its channel held before, which a growing list begins with.

        Raises:
            LedgerBlockedType: the serializer fell back to pickle.
        """
        if self._usual and is_plain(value):
            try:
                return Packed("json", orjson.dumps(value))
            except TypeError:  # more than 64 bits, or a lone surrogate: the serializer decides
                pass
        parts = lasting(value, before.parts if before is not None else ()) if self._usual else ()
        kind, data = self._longer(parts, before) or self.serde.dumps_typed(value)
        if self._native and kind == "msgpack":
            if before is not None and before.data is not None:
                text = image_after(data, before.data, before.form, before.text)
                if text is not None:
                    return Packed(before.form, text, data=data, parts=parts)
            if image := image_of(data):
                kept = data if len(data) >= HASHED_FROM else None
                return Packed(*image, data=kept, parts=parts if kept else ())
        elif kind.partition("+")[0] == "pickle":
            raise blocked(f"{type(value).__module__}.{type(value).__qualname__} by pickle", "put")
        elif self._native and kind == "null":
            return Packed("json", b"null")
        return Packed("base64", b'"' + base64.b64encode(data) + b'"', kind)

    def _longer(self, parts: tuple[Any, ...], before: Packed | None) -> tuple[str, bytes] | None:
        """What the serializer says of a list that goes on after that of before: it is asked for what is new."""
        if before is None or before.data is None or not before.parts:
            return None
        old = len(before.parts)
        if not old < len(parts) or not begins_with(parts, before.parts):
            return None
        kind, new = self.serde.dumps_typed(list(parts[old:]))
        return (kind, array_of(before.data, new)) if kind == "msgpack" else None

    @property
    def by_item(self) -> bool:
        """Whether a list is surely the list of its items, each read by itself."""
        return self._usual and not getattr(self._inner, "_custom_unpack_ext_hook", False)

    def unpack(self, form: str, tree: Any, kind: str | None, where: str) -> Any:
        """Give a stored value back. A `json` tree becomes the caller's own: hand over a fresh one.

        Raises:
            LedgerBlockedType: it names a type that is not allowed, or is pickle, or in clear where it must be sealed.
        """
        if form == "base64":
            return self._open(str(kind), base64.b64decode(tree), where)
        if self.sealed:
            raise LedgerError(f"{where}: holds a value in clear, but this saver encrypts; nothing was read")
        if form == "json":
            return tree
        try:
            data = bytes_of(tree, lambda code, inner: self._guard.check(code, inner, where))
        except (ValueError, TypeError, KeyError) as error:
            raise LedgerError(f"{where}: holds a value that cannot be read: {error}") from None
        return self._load("msgpack", data)

    def _open(self, kind: str, data: bytes, where: str) -> Any:
        kind, _, cipher = kind.partition("+")
        if bool(cipher) != bool(self.sealed):
            state = "in clear, but this saver encrypts" if self.sealed else "encrypted, and this saver has no key"
            raise LedgerError(f"{where}: holds a value {state}; nothing was read")
        if not self._native:
            return self.serde.loads_typed((f"{kind}+{cipher}" if cipher else kind, data))
        if isinstance(self.serde, EncryptedSerializer):
            data = self.serde.cipher.decrypt(cipher, data)
        if kind not in _OPAQUE_TYPES:
            raise blocked(f"a value of type {kind!r}", where)
        if kind == "msgpack":
            self._inspect(data, where)
        return self._load(kind, data)

    def _inspect(self, data: bytes, where: str) -> None:
        """Check every type that opaque MessagePack names, before it is decoded."""
        try:
            bytes_of(tag(unpack(data)), lambda code, inner: self._guard.check(code, inner, where))
        except (ValueError, TypeError) as error:
            raise blocked(f"a value that cannot be inspected ({error})", where) from None

    def _load(self, kind: str, data: bytes) -> Any:
        """Decode what was checked, by a serializer that allows exactly that and so has nothing to warn of."""
        if type(self._inner) is not JsonPlusSerializer or getattr(self._inner, "_custom_unpack_ext_hook", False):
            return self._inner.loads_typed((kind, data))
        allowed = self._guard.allowed
        if self._reader is None or self._reader[0] != allowed:
            self._reader = (allowed, JsonPlusSerializer(allowed_msgpack_modules=allowed))
        return self._reader[1].loads_typed((kind, data))


def is_plain(tree: Any) -> bool:
    """Whether a value is surely JSON that the serializer gives back as it is; false too for what has many parts."""
    if tree.__class__ in _SCALARS:
        return True
    seen, found = [tree], 0
    for item in seen:
        if item.__class__ is dict:
            for key in item:
                if key.__class__ is not str:
                    return False
            inner = item.values()
        elif item.__class__ is list:
            inner = item
        else:
            return False
        found += len(item)
        if found > _FEW:
            return False
        seen += [each for each in inner if each.__class__ not in _SCALARS]
    return True
