"""What a person asked for, as one record for each command that starts work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..state.pipeline import Limits
from .books import Sign
from .sources import AcceptOptions, SourceOptions


@dataclass(frozen=True)
class RunRequest:
    """A new run: what of which file, by whom, where, within which limits, and what is done with the result.

    Attributes:
        baseline: whether the checks run once before the work.
        only, begin_at, fail_fast, max_parallel: of a batch: which tasks, whether the first that fails stops the others,
            and how many at the same time.
    """

    task_file: Path
    task: str | None
    worker: str
    workspace: Path
    runs: Path
    limits: Limits
    run_id: str | None
    isolate: str
    merge: str
    prompt_template: Path | None
    sourced: SourceOptions
    accepting: AcceptOptions
    sign: Sign | None
    json: bool
    baseline: bool
    quiet: bool = False
    only: tuple[str, ...] = ()
    begin_at: str | None = None
    fail_fast: bool = False
    max_parallel: int | None = None

    @property
    def shows_plan(self) -> bool:
        """Whether the plan of a foreign file is shown: not where it is accepted already and all is to be quiet."""
        return not self.quiet or not (self.accepting.yes or self.accepting.digest)


@dataclass(frozen=True)
class ResumeRequest:
    """A run that is to go on; `decision` answers its question, None where it has none."""

    run_id: str
    runs: Path
    decision: str | None
    note: str = ""
    who: str | None = None
    sign: Sign | None = None
    json: bool = False
    quiet: bool = False
    reread_config: bool = False


@dataclass(frozen=True)
class ReproduceRequest:
    """The verification of a run that is to be run again.

    Attributes:
        what: the id of a run, or the file of a bundle.
        repository: a checkout; None for the workspace of the run, or the folder we are in for a bundle.
        out: a new file for the result.
        yes: the commands of a bundle are a stranger's, and may be run.
    """

    what: str
    runs: Path
    repository: Path | None = None
    out: Path | None = None
    yes: bool = False
    json: bool = False


def run_request(given: Mapping[str, Any], *, sign: Sign | None) -> RunRequest:
    """The request in the parameters of `waypost run`; those of the limits have the names of their fields."""
    own = ("task_file", "task", "worker", "workspace", "runs", "run_id", "isolate", "merge", "prompt_template")
    return RunRequest(
        **{name: given[name] for name in (*own, "baseline", "json", "quiet")},
        only=tuple(given["only"] or ()),
        begin_at=given["begin_at"],
        fail_fast=given["fail_fast"],
        max_parallel=given["max_parallel"],
        limits=Limits(**{name: given[name] for name in Limits.model_fields if given[name] is not None}),
        sourced=SourceOptions(format=given["format"], tag=given["tag"], model=given["model"]),
        accepting=AcceptOptions(
            yes=given["yes"], digest=given["accept"], write_back=given["write_back"], who=given["who"]
        ),
        sign=sign,
    )
