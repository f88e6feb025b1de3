"""Names of files in a record: any bytes can be a name, and only text can be kept."""

from __future__ import annotations

import os
from typing import Annotated, Any, cast
from urllib.parse import quote, unquote

from pydantic import BeforeValidator, PlainSerializer

# No relative path begins so, and nothing that stands for a content.
_BYTES = "//bytes/"


def _kept(name: str) -> str:
    return name if _is_text(name) else f"{_BYTES}{quote(os.fsencode(name))}"


def _found(name: object) -> object:
    if not isinstance(name, str) or not name.startswith(_BYTES):
        return name
    return unquote(name[len(_BYTES) :], errors="surrogateescape")


def _is_text(name: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _written(names: dict[str, str]) -> dict[str, str]:
    return {_kept(name): _kept(content) for name, content in names.items()}


def _read(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return {_found(name): _found(content) for name, content in cast("dict[object, object]", given).items()}


FileNames = Annotated[dict[str, str], BeforeValidator(_read), PlainSerializer(_written)]
"""Path -> what is there. A name that is no UTF-8 is one here, as Python reads it, and `//bytes/NAME%FF` where kept."""
