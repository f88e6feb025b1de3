"""What an agent may do here. All that no person has allowed is refused, and the refusal says who can allow it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..nodes.config import Config, load_config
from ..nodes.formats.foreign import TaskSource
from ..state.errors import NotAllowed

DIGEST_MIN = 12


@dataclass(frozen=True)
class Rules:
    """Said by the person who starts the server, and never changed by what an agent sends or writes.

    Attributes:
        root: the project: the workspace of every run, and where every task file has to be. Resolved.
        runs: the folder of all runs.
        workers: who may be handed work.
        accepted: digests of plans that the person has accepted.
        may_accept: the agent may accept a plan, by the digest that it was shown.
        may_decide: the agent may approve, and answer other questions of a blocked run.
        config: what the project configured when the server was started.
    """

    root: Path
    runs: Path
    workers: tuple[str, ...]
    accepted: tuple[str, ...]
    may_accept: bool
    may_decide: bool
    config: Config

    def task_file(self, given: str) -> Path:
        """The resolved path of a task file of the project. Raises NotAllowed."""
        try:
            path = (self.root / given).resolve()
        except (ValueError, RuntimeError, OSError) as error:
            raise NotAllowed(f"{given[:200]!r} is no path of a file: {error}") from None
        if not path.is_relative_to(self.root):
            raise NotAllowed(f"{given[:200]} is not in the project", facts={"project": self.root})
        return path

    def worker(self, name: str) -> str:
        """The same name. Raises NotAllowed."""
        if name not in self.workers:
            raise NotAllowed(
                f'the worker "{name[:60]}" may not be used by you',
                facts={"allowed": ", ".join(self.workers)},
                next_step=f"a person can allow it: waypost mcp --worker {name[:60]}",
            )
        return name

    def accept(self, source: TaskSource, digest: str | None) -> str:
        """The whole digest of a plan that a person, or by their leave the agent, has accepted.

        A card of our own needs it too: nobody has typed its name, an agent may have written it.

        Raises:
            NotAllowed: nobody has accepted this plan, or the digest is another one.
        """
        if any(_names(one, source) for one in self.accepted):
            return source.digest
        if self.may_accept and digest is not None and _names(digest, source):
            return source.digest
        if self.may_accept:
            raise NotAllowed(
                "this plan was not accepted: nothing was started",
                facts={"digest": source.digest, "given": digest or "none"},
                next_step="look at it with plan, and give its digest as accept",
            )
        raise NotAllowed(
            "no person has accepted this plan: nothing was started",
            facts={"digest": source.digest},
            next_step=f"ask a person to read it (waypost plan) and to start this server with --accept {source.digest}, "
            "or to run it themselves",
        )

    def decide(self, run: str, decision: str) -> None:
        """Raises NotAllowed where a person has to decide."""
        if not self.may_decide:
            raise NotAllowed(
                "a person has to decide this, not the agent whose work it is",
                next_step=f"ask one to type: {typed(decision, run)} --note WHY",
            )

    def unchanged(self) -> None:
        """Raises NotAllowed where the project configures other agents, variables or prompts than at the start."""
        if load_config(self.root) != self.config:
            raise NotAllowed(
                "the configuration of the project was changed since this server was started: nothing was started",
                facts={"file": self.config.source or "there was none"},
                next_step="a person has to look at it, and start the server again",
            )


def typed(decision: str, run: str) -> str:
    """What a person types for a decision."""
    if decision in ("approve", "reject"):
        return f"waypost {decision} {run}"
    return f"waypost resume {run} --{decision.replace('_', '-')}"


def _names(digest: str, source: TaskSource) -> bool:
    return len(digest) >= DIGEST_MIN and source.digest.startswith(digest)
