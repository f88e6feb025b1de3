"""The files that configuration is read from: found, read as TOML, and complained about with their line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..state.errors import ConfigError

OWN_FILE = "waypost.toml"
SHARED_FILE = "pyproject.toml"
_SHARED_TABLE = ("tool", "waypost")
_BYTES_MAX = 1_000_000
_TABLE = re.compile(r"^\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_LINE_OF_SYNTAX_ERROR = re.compile(r"at line (\d+)")


@dataclass(frozen=True)
class ConfigFile:
    """A file with configuration of ours.

    Attributes:
        table: our part of it.
        prefix: where that part stands in the file.
    """

    path: Path
    text: str
    table: Mapping[str, Any]
    prefix: tuple[str, ...]

    def error(self, where: tuple[str, ...], what: str, *, next_step: str = "", **facts: object) -> ConfigError:
        """A complaint about the value at `where`, with the line it stands in, as far as that can be told."""
        return ConfigError(
            str(self.path), line_of(self.text, (*self.prefix, *where)), what, facts=facts, next_step=next_step
        )


def find_config(workspace: Path) -> ConfigFile | None:
    """The configuration of a workspace, from `waypost.toml` or `[tool.waypost]` of `pyproject.toml`.

    Raises:
        ConfigError: a file cannot be read or is no TOML, or both files hold configuration.
    """
    own = _read(workspace / OWN_FILE, ())
    shared = _read(workspace / SHARED_FILE, _SHARED_TABLE)
    if own and shared:
        raise shared.error(
            (), f"configuration stands here and in {OWN_FILE}", next_step="keep one of them, and remove the other"
        )
    return own or shared


def line_of(text: str, where: tuple[str, ...]) -> int | None:
    """The line in which the longest part of `where` is defined; None where no part of it is found."""
    best: tuple[int, int] | None = None
    table: tuple[str, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if (found := _TABLE.match(line)) is not None:
            table = here = _parts(found.group(1))
            if line.lstrip().startswith("[["):
                # The rows of a list are named by their place in it, as Pydantic names them.
                table = here = (*here, str(seen.setdefault(here, 0)))
                seen[here[:-1]] += 1
        elif (found := _KEY.match(line)) is not None:
            here = (*table, *_parts(found.group(1)))
        else:
            continue
        depth = min(len(here), len(where))
        if here[:depth] == where[:depth] and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _read(path: Path, prefix: tuple[str, ...]) -> ConfigFile | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(str(path), None, f"cannot be read: {error.strerror}") from None
    if len(data) > _BYTES_MAX:
        # Somebody's large pyproject.toml is not ours to complain about; a waypost.toml is.
        if prefix:
            return None
        raise ConfigError(str(path), None, f"is larger than {_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8")
        values: Any = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        if prefix and b"waypost" not in data:
            return None
        line = _LINE_OF_SYNTAX_ERROR.search(str(error))
        raise ConfigError(
            str(path), int(line.group(1)) if line else None, f"is no TOML: {error}", next_step="mend the file"
        ) from None
    for name in prefix:
        values = cast("dict[str, Any]", values).get(name) if isinstance(values, dict) else None
    if values is None:
        return None
    if not isinstance(values, dict):
        raise ConfigError(str(path), line_of(text, prefix), f"{'.'.join(prefix)} has to be a table")
    return ConfigFile(path, text, cast("dict[str, Any]", values), prefix)
