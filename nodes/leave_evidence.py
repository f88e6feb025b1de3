"""Evidence is left at every stop: when a run is done, waits for a person, or has failed."""

from __future__ import annotations

from typing import Any

from ..state.events import EvidenceWritten
from ..state.pipeline import PipelineState
from ..state.status import Status
from .context import Call
from .evidence import write_evidence

_STOPS = frozenset({Status.DONE, Status.BLOCKED, Status.FAILED})


def leave_evidence(state: PipelineState, call: Call) -> dict[str, Any]:
    """Write the reports of a run that stops here, and return the update that names them."""
    if state.status not in _STOPS or state.task is None:
        return {}
    files = write_evidence(state, call.context.run_dir(state.run_id))
    for file in files:
        node = state.transitions[-1].node
        call.say(EvidenceWritten(event="evidence_written", run_id=state.run_id, node=node, text=file.path))
    return {"evidence": files}
