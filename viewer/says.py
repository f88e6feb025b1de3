"""What the viewer shows that others work out: handed in, so that the viewer and the command line say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..nodes.audit import Audit
from ..state.batch import BatchState
from ..state.pipeline import PipelineState


@dataclass(frozen=True)
class Says:
    """The words of the command line.

    Attributes:
        audit: everything about a run, worked out again; by its id.
        next_of_run, next_of_batch: what a person can type now, from the state and the folder.
        headline: why a run is where it is.
    """

    audit: Callable[[str], Audit]
    next_of_run: Callable[[PipelineState, Path], Iterable[str]]
    next_of_batch: Callable[[BatchState, Path], Iterable[str]]
    headline: Callable[[PipelineState], str]
