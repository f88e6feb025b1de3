"""Waypost runs a task to done and can prove it.

Importing this loads nothing heavy; each name below is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .checkpointing import LedgerSaver
    from .graphs.pipeline import build_pipeline
    from .nodes.context import RunContext
    from .nodes.prepare import new_run
    from .state.errors import WaypostError
    from .state.pipeline import Limits, PipelineState
    from .state.status import Status
    from .state.task import Step, Task

__all__ = [
    "LedgerSaver",
    "Limits",
    "PipelineState",
    "RunContext",
    "Status",
    "Step",
    "Task",
    "WaypostError",
    "__version__",
    "build_pipeline",
    "new_run",
]

_HOME = {
    "LedgerSaver": ".checkpointing",
    "Limits": ".state.pipeline",
    "PipelineState": ".state.pipeline",
    "RunContext": ".nodes.context",
    "Status": ".state.status",
    "Step": ".state.task",
    "Task": ".state.task",
    "WaypostError": ".state.errors",
    "build_pipeline": ".graphs.pipeline",
    "new_run": ".nodes.prepare",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home. Raises AttributeError for any other."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
