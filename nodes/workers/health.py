"""Whether a worker can be used here: what `waypost doctor` shows, and what is asked before a worker is started."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pydantic import Field

from ...state.model import Record


class Health(Record):
    """What was found of one worker.

    Attributes:
        usable: True only where everything it needs was seen.
        path, version: the executable that would be started, and what it says of itself.
        missing: flags that its help does not know.
        environment: the variables it reads, and whether they are set; never their values.
        problem: why it cannot be used; next_step: what to do.
    """

    name: str
    title: str = ""
    usable: bool
    path: str | None = None
    version: str | None = None
    missing: tuple[str, ...] = ()
    environment: dict[str, bool] = Field(default_factory=dict[str, bool])
    problem: str = ""
    next_step: str = ""


@runtime_checkable
class Examined(Protocol):
    """A worker that can say whether it can be used here."""

    def examine(self, name: str) -> Health:
        """Look, within a few seconds, without doing any work. Never raises."""
        ...
