"""Every error Waypost raises on purpose: one small tree, a leaf per decision a caller can take.

Each message says what happened, the facts that matter (one labelled row each) and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping


class WaypostError(Exception):
    """Base of everything Waypost raises on purpose.

    Args:
        what: one sentence: what happened, with both values where two disagree.
        facts: labelled rows shown below the sentence, in order.
        next_step: what the reader can do now.
    """

    exit_code = 1

    def __init__(self, what: str, *, facts: Mapping[str, object] | None = None, next_step: str = "") -> None:
        self.what = what
        self.facts: dict[str, object] = dict(facts or {})
        self.next_step = next_step
        super().__init__(self.render())

    def render(self) -> str:
        """The full message: the sentence, one indented row per fact, the next step last."""
        rows = [(label, str(value)) for label, value in self.facts.items()]
        if self.next_step:
            rows.append(("next", self.next_step))
        width = max((len(label) for label, _ in rows), default=0)
        return "\n".join([self.what, *(f"  {label:<{width}}  {value}" for label, value in rows)])

    def in_one_line(self) -> str:
        """The same where it is one reason of several, as in records and reports."""
        facts = [f"{label}: {value}" for label, value in self.facts.items()]
        last = [f"next: {self.next_step}"] if self.next_step else []
        return "; ".join([self.what, *facts, *last])


class InputError(WaypostError):
    """What the user gave cannot be used: nothing was started and nothing was written."""

    exit_code = 2


class InvalidId(InputError, ValueError):
    """A run, task or step id is not a safe name. A ValueError too, so that Pydantic reports it with its field."""


class UserFileError(InputError):
    """A file of the user cannot be used, and where.

    Attributes:
        path: the file, as given.
        line: 1-based line of the complaint, or None where the whole file is meant.
    """

    def __init__(
        self,
        path: str,
        line: int | None,
        what: str,
        *,
        facts: Mapping[str, object] | None = None,
        next_step: str = "",
    ) -> None:
        self.path = path
        self.line = line
        where = f"{path}:{line}" if line is not None else path
        super().__init__(f"{where}: {what}", facts=facts, next_step=next_step)


class TaskFileError(UserFileError):
    """A task file cannot be read, or says something impossible."""


class ConfigError(UserFileError):
    """The configuration of a workspace cannot be read, or makes no sense."""


class WorkspaceError(InputError):
    """The workspace is no git repository, or cannot be used."""


class RunNotFound(InputError):
    """No run of that id stands in the runs folder."""


class RunExists(InputError):
    """A run of that id stands in the runs folder already."""


class WorkerUnknown(InputError):
    """No worker of that name is registered."""


class NotAllowed(InputError):
    """An agent asks for what only a person may do, or allow."""


class IllegalTransition(WaypostError):
    """A node tried to move the run along an edge that the transition table does not have.

    Attributes:
        run_id, node, source, target, route: the jump that was tried.
        allowed: the edges that leave `source`, as (target, route, node).
    """

    def __init__(
        self,
        *,
        run_id: str,
        node: str,
        source: str,
        target: str,
        route: str,
        allowed: tuple[tuple[str, str, str], ...],
        next_step: str,
    ) -> None:
        self.run_id = run_id
        self.node = node
        self.source = source
        self.target = target
        self.route = route
        self.allowed = allowed
        edges = ", ".join(f"{source} -> {to} ({name}, by {by})" for to, name, by in allowed)
        super().__init__(
            f'run {run_id} cannot go {source} -> {target} in node "{node}"',
            facts={"route tried": route, "allowed": edges or f"nothing: {source} is an end"},
            next_step=next_step,
        )


class Interrupted(WaypostError):
    """Stopped by hand before the run was driven; it can be resumed."""

    exit_code = 4


class StateError(WaypostError):
    """A state, or an update to it, does not fit the schema or breaks an invariant."""


class Refused(WaypostError, ValueError):
    """Any of these errors as a LangGraph server is told it: of others than ValueError it shows no message.

    Args:
        error: what was raised.
    """

    def __init__(self, error: WaypostError) -> None:
        super().__init__(f"{type(error).__name__}: {error.what}", facts=error.facts, next_step=error.next_step)
        self.exit_code = error.exit_code


class EvidenceError(WaypostError):
    """A record that evidence is derived from is missing or does not match its hash."""


class CannotReproduce(WaypostError):
    """What a run has verified cannot be put together, or not be run, here and now: the world has changed."""

    exit_code = 3


class LedgerError(WaypostError):
    """Base of what can go wrong with a ledger on disk."""


class LedgerCorrupt(LedgerError):
    """A ledger holds bytes that were not written by Waypost, or has lost acknowledged ones.

    Attributes:
        path: the ledger file.
        line: 1-based number of the first damaged line.
        readable: how many lines before it are intact.
    """

    def __init__(self, path: str, line: int, what: str, *, readable: int, next_step: str = "") -> None:
        self.path = path
        self.line = line
        self.readable = readable
        super().__init__(
            f"{path}:{line}: {what}",
            facts={"intact": f"lines 1-{readable}" if readable else "none"},
            next_step=next_step or "restore the file from a copy; nothing was changed",
        )


class LedgerConflict(LedgerError):
    """Another living writer drives this thread."""

    exit_code = 4


class LedgerLost(LedgerError):
    """This writer's lease is gone for good: somebody else has appended to the ledger."""

    exit_code = 4


class LedgerNoSpace(LedgerError):
    """No room for the line; it was rolled back and the ledger stays usable."""

    exit_code = 4


class LedgerIOError(LedgerError):
    """The disk refused a write or a sync; the handle is dead, reopening recovers."""

    exit_code = 4


class LedgerBlockedType(LedgerError):
    """A stored value names a type outside the allow-list; nothing was executed."""
