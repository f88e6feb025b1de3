"""Keys of the command line: the extra `sign` is loaded only where somebody signs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Literal

import typer


def keys(json: bool) -> ModuleType:
    try:
        from .. import keys as found
    except ImportError:
        from ...state.errors import InputError
        from ..ledger_text import failed

        missing = InputError(
            "signatures need the package cryptography, which is not installed", next_step='pip install "waypost[sign]"'
        )
        raise typer.Exit(failed(missing, json=json)) from None
    return found


def signer(key: Path | None, json: bool) -> Callable[[bytes], bytes] | None:
    return None if key is None else _with_key("signer", key, json)


def opener(key: Path | None, json: bool) -> Callable[[bytes], bytes] | None:
    return None if key is None else _with_key("opener", key, json)


def _with_key(use: Literal["signer", "opener"], key: Path, json: bool) -> Callable[[bytes], bytes]:
    from ...state.errors import InputError
    from ..ledger_text import failed

    try:
        return getattr(keys(json), use)(key)
    except InputError as error:
        raise typer.Exit(failed(error, json=json)) from None
