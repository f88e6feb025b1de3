"""The registry: the kinds that are there without anybody's doing, those of installed packages, and a user's own."""

from __future__ import annotations

import re
from importlib.metadata import entry_points

from ....state.errors import InputError
from .command import CommandKind
from .file import FileKind
from .kind import Kind, Kinds
from .manual import ManualKind
from .test import TestKind

GROUP = "waypost.check_kinds"
BUILTIN: Kinds = {kind.name: kind for kind in (CommandKind(), TestKind(), FileKind(), ManualKind())}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
# With these words a card says something else.
_TAKEN = frozenset({"and", "with", "none", "ref", "kind", "subject", "args", "run", "proves", "line"})


def with_kinds(*kinds: Kind) -> Kinds:
    """The built-in kinds, and these.

    Raises:
        InputError: a name is no name for a kind, or is taken; a kind of yours cannot replace one of ours.
    """
    found = dict(BUILTIN)
    for kind in kinds:
        if not _NAME.fullmatch(kind.name) or kind.name in _TAKEN:
            raise InputError(f'"{kind.name}" is no name for a kind of check', facts={"allowed": "a-z, 0-9 and dashes"})
        if kind.name in found:
            raise InputError(f'there are two kinds of check named "{kind.name}"', facts={"known": ", ".join(found)})
        found[kind.name] = kind
    return found


def installed_kinds() -> Kinds:
    """The built-in kinds, and those that installed packages offer as entry points of `waypost.check_kinds`.

    Raises:
        InputError: one of them cannot be loaded, is no `Kind`, or its name is taken.
    """
    found: list[Kind] = []
    for point in entry_points(group=GROUP):
        try:
            made: object = point.load()
            kind = made() if isinstance(made, type) else made
        except Exception as error:  # a stranger's module may raise anything
            raise InputError(
                f'the kind of check "{point.name}" cannot be loaded: {type(error).__name__}: {error}',
                next_step=f"mend or uninstall the package that offers {point.value}",
            ) from None
        if not isinstance(kind, Kind):
            raise InputError(f'the entry point "{point.name}" ({point.value}) is no kind of check')
        found.append(kind)
    return with_kinds(*found)
