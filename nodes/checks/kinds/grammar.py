"""Whether a check fits its kind, before any work: names, numbers and shapes of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .kind import Argument, Kind, Shape

PATTERN_MAX = 1_000
_TEXT_MAX = 100_000


def misfit(kind: Kind, subject: Sequence[str], args: Mapping[str, str]) -> str:
    """Why a check is none of that kind; empty where it is one. Paths are not looked at here."""
    if len(subject) > kind.most_subjects:
        return f"names {len(subject)} times {kind.subject.what}, {kind.most_subjects} at most can be"
    if kind.subject.required and not subject:
        return f"does not say {kind.subject.what}"
    known = {argument.name: argument for argument in kind.arguments}
    for name in args:
        if name not in known:
            return f'has the unknown argument "{name[:40]}"'
    for argument in kind.arguments:
        if argument.required and argument.name not in args:
            return f'has no argument "{argument.name}": {argument.what}'
    values = [*((kind.subject, value) for value in subject), *((known[name], value) for name, value in args.items())]
    complaints = (complaint for argument, value in values if (complaint := _wrong(argument, value)))
    return next(complaints, "") or kind.complaint(subject, args)


def usage(kind: Kind) -> str:
    """How a check of that kind is written, in one line."""
    words = [kind.name, f"`{kind.subject.name}`" if kind.subject.required else f"[`{kind.subject.name}`]"]
    for argument in kind.arguments:
        one = f"{argument.name.replace('_', ' ')} `...`"
        words.append(one if argument.required else f"[{one}]")
    return " ".join(words)


def paths_of(kind: Kind, subject: Sequence[str], args: Mapping[str, str]) -> list[str]:
    """The values that are paths in the workspace."""
    found = list(subject) if kind.subject.shape is Shape.PATH else []
    return found + [args[a.name] for a in kind.arguments if a.shape is Shape.PATH and a.name in args]


def _wrong(argument: Argument, value: str) -> str:
    if not value.strip() or len(value) > _TEXT_MAX or "\0" in value:
        return f'has an empty or impossible "{argument.name}"'
    if argument.shape is not Shape.TEXT and "\n" in value:
        return f'has a "{argument.name}" of several lines'
    if argument.shape is Shape.EXIT_CODE and not (value.isascii() and value.isdigit() and int(value) <= 255):
        return f'has the exit code "{value[:20]}"; a number from 0 to 255 is expected'
    if argument.shape is Shape.PATTERN:
        return _wrong_pattern(argument.name, value)
    return ""


def _wrong_pattern(name: str, value: str) -> str:
    if len(value) > PATTERN_MAX:
        return f'has a pattern "{name}" of more than {PATTERN_MAX} characters'
    try:
        found = re.compile(value, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        return f'has "{name}", which is no pattern: {error}'
    if found.search(""):
        return f'has the pattern "{name}", which is found in an empty text too: it would prove nothing'
    return ""
