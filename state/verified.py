"""What was verified, so that it can be put together again: the tree, the change that leads to it, the tools."""

from __future__ import annotations

from pydantic import Field

from .model import Record

_ID = r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$"
_SHA256 = r"^[0-9a-f]{64}$"


class Tool(Record):
    """A program that a check started, as it was then.

    Attributes:
        name: as it is called in the command.
        path: the file it stood for, links resolved.
        version: the first line it prints for `--version`; empty for a program that is not known to answer that.
        sha256: of that file; None where it is too large to be hashed for every run.
    """

    name: str
    path: str
    version: str = ""
    size: int = Field(ge=0)
    sha256: str | None = Field(default=None, pattern=_SHA256)


class VerifiedTree(Record):
    """The files that a round of checks which all passed has looked at.

    Attributes:
        base: the commit that the change counts from.
        tree: the id that git gives to a folder of these files, byte for byte as they stood on disk; untracked files are
            part of it, ignored ones are not.
        folder: the workspace, relative to the top of the repository.
        patch: the change from `base` to `tree`, relative to the run's folder; None where it was not kept.
        why_no_patch: why it was not kept.
        omitted: paths that differ and that no tree of this repository can hold, such as files of a submodule.
        tools: the programs that the checks of this round started.
    """

    round: int = Field(ge=1)
    base: str = Field(pattern=_ID)
    tree: str = Field(pattern=_ID)
    folder: str = "."
    patch: str | None = None
    patch_sha256: str | None = Field(default=None, pattern=_SHA256)
    why_no_patch: str = ""
    omitted: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
