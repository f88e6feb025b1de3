"""Which paths and globs a card may name: inside the workspace, and meaning what they show."""

from __future__ import annotations

from pathspec import PathSpec

_PATH_MAX = 1024


def output_complaint(path: str) -> str | None:
    """Why `path` cannot be an expected output, in words; None if it can."""
    if any(character in path for character in "*?[]"):
        return "is a pattern, one file is expected"
    if path.endswith("/") or path.rsplit("/", 1)[-1] == ".":
        return "names a directory, a file is expected"
    if "\\" in path:
        return "holds a backslash, write '/' between folders"
    return _outside(path)


def glob_complaint(glob: str) -> str | None:
    """Why `glob` cannot be an allowed scope, in words; None if it can."""
    if "***" in glob:
        return "holds '***', write '**' for any depth"
    if glob.startswith("#"):
        return "starts with '#', which git reads as a comment"
    outside = _outside(glob.removeprefix("!"))
    if outside:
        return outside
    try:
        PathSpec.from_lines("gitignore", [glob])
    except ValueError:
        return "is no valid pattern"
    return None


def _outside(path: str) -> str | None:
    if not path.strip():
        return "is empty"
    if len(path) > _PATH_MAX:
        return f"has {len(path)} characters, at most {_PATH_MAX} are allowed"
    if "\n" in path or "\0" in path:
        return "holds a line break or NUL"
    if path.startswith(("/", "~", "\\")) or (path[1:2] == ":" and path[0].isascii() and path[0].isalpha()):
        return "is absolute, a path relative to the workspace is expected"
    if ".." in path.replace("\\", "/").split("/"):
        return "leaves the workspace with '..'"
    return None
