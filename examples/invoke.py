"""`graph.invoke()` from your own code, and the same thread id resumed by a second process.

    python examples/invoke.py start TASKFILE WORKSPACE    prints the run id, then the final status
    python examples/invoke.py resume RUN_ID WORKSPACE     goes on where the first process stopped, or was killed

Kill the first one at any instant: the second ends as if nothing had happened, and no finished stage runs again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from waypost import LedgerSaver, build_pipeline, new_run


def main(verb: str, what: str, workspace: str) -> str:
    runs = Path(workspace) / ".artifacts" / "agent_runs"
    graph = build_pipeline(LedgerSaver(runs))
    state = new_run(what, workspace=workspace, runs_dir=runs) if verb == "start" else None
    thread = state.run_id if state else what
    print(thread, flush=True)
    final = graph.invoke(state, {"configurable": {"thread_id": thread}}, durability="sync")
    return final["status"]


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("start", "resume"):
        sys.exit(__doc__)
    status = main(*sys.argv[1:])
    print(status)
    sys.exit(status != "DONE")
