"""Which types a ledger may name: an explicit list, and plain data of modules that are loaded already.

What is not allowed raises by name before anything is built; no module is ever imported because a ledger names it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import sys
from collections.abc import Collection, Iterable
from enum import Enum
from typing import Any

from langgraph.checkpoint.serde import _msgpack as _langgraph
from pydantic import BaseModel

from ..state.errors import LedgerBlockedType

TypeName = tuple[str, ...]

_SINGLE_ARG, _POS_ARGS, _KW_ARGS, _METHOD, _PYDANTIC_V1, _PYDANTIC_V2, _NUMPY, _DELTA = range(8)
_SECRETS = frozenset({("pydantic.types", "SecretStr"), ("pydantic.types", "SecretBytes")})
_SAFE: frozenset[TypeName] = _langgraph.SAFE_MSGPACK_TYPES | _SECRETS
_SAFE_METHODS = _langgraph.SAFE_MSGPACK_METHODS


def type_names(types: Iterable[type | Collection[str]]) -> frozenset[TypeName]:
    """Classes and (module, name) pairs as (module, name) pairs."""
    return frozenset((item.__module__, item.__name__) if isinstance(item, type) else tuple(item) for item in types)


class Guard:
    """Decides on each type a ledger names; it is told where the name stands so that a refusal can say so.

    Args:
        allow: names allowed beside LangGraph's own safe list.
        strict: refuse everything else; otherwise plain data of loaded modules passes too.
    """

    def __init__(self, allow: frozenset[TypeName], *, strict: bool) -> None:
        self.allowed: frozenset[TypeName] = _SAFE | allow
        self._strict = strict

    def check(self, code: int, inner: Any, where: str) -> None:
        """Pass an extension or refuse it.

        Raises:
            LedgerBlockedType: its type is unknown, or names what is not allowed.
        """
        if code == _NUMPY:
            _check_numpy(where)
        elif code != _DELTA or inner is None:
            self._check_named(code, inner, where)

    def _check_named(self, code: int, inner: Any, where: str) -> None:
        module, name = _named(code, inner, where)
        if code == _METHOD:
            if (module, name, inner[3]) not in _SAFE_METHODS:
                raise blocked(f"{module}.{name}.{inner[3]}", where)
        elif (module, name) not in self.allowed:
            self._admit(code, module, name, where)

    def _admit(self, code: int, module: str, name: str, where: str) -> None:
        """Allow plain data of a loaded module from now on, refuse the rest.

        A loaded module without that name is left to the serializer: it finds no class to build and hands back the data.
        """
        if self._strict or module not in sys.modules:
            raise blocked(f"{module}.{name}", where)
        found = getattr(sys.modules[module], name, None)
        if found is not None and not _is_plain_data(code, found):
            raise blocked(f"{module}.{name}", where)
        self.allowed |= {(module, name)}


def _named(code: int, inner: Any, where: str) -> tuple[str, str]:
    """Module and name in an extension that LangGraph's serializer builds an object from."""
    match inner:
        case [str() as module, str() as name, _, *rest] if code != _METHOD or rest:
            if _SINGLE_ARG <= code <= _PYDANTIC_V2:
                return module, name
        case _:
            pass
    raise blocked(f"extension type {code}", where)


def _check_numpy(where: str) -> None:
    if "numpy" not in sys.modules and importlib.util.find_spec("numpy") is None:
        raise blocked("numpy.ndarray", where, next_step="install numpy to read it")


def blocked(name: str, where: str, *, next_step: str = "") -> LedgerBlockedType:
    """The refusal of a type."""
    return LedgerBlockedType(
        f"{where}: names {name}, which is not allowed; nothing was executed",
        next_step=next_step or "if it is yours and harmless, import it first or pass it in LedgerSaver(allow=[...])",
    )


def _is_plain_data(code: int, found: Any) -> bool:
    if not inspect.isclass(found):
        return False
    bases = inspect.getmro(found)
    if code in (_PYDANTIC_V1, _PYDANTIC_V2):
        old = getattr(sys.modules.get("pydantic.v1"), "BaseModel", BaseModel)
        return BaseModel in bases or old in bases
    if code == _SINGLE_ARG:
        return Enum in bases
    named_tuple = tuple in bases and hasattr(found, "_fields")
    return code == _KW_ARGS and (named_tuple or dataclasses.is_dataclass(found))
