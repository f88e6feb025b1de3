"""The ready LangChain agent on one task, with a model of your choice or one that plays a script.

    python examples/langchain_agent.py                     the scripted model: no key, no network
    python examples/langchain_agent.py openai:gpt-4.1      any model of LangChain's init_chat_model

The scripted model first reaches for a file outside its scope, is refused, and then does what was asked. Works in a
new folder of the system's temporary folder; prints the status of the run and what the agent was denied.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from waypost import LedgerSaver, RunContext, build_pipeline, new_run
from waypost.nodes.workers import LangChainWorker

GIT = ["git", "-c", "user.name=Demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"]
CARD = """### Task GREET-1: Greet

**Goal**

`src/greet.py` greets by name.

**Concrete Actions**

- Write `src/greet.py`: it prints `Hello NAME` for its first argument.

**Acceptance Criteria**

- AC1: It greets by name. Verified by `python3 src/greet.py Ada | grep -qx "Hello Ada"`

**Allowed Scope**

- `src/**`
"""
SCRIPT = r"""
- calls: [{name: write_file, args: {path: README.md, text: Greets.}}]
- calls:
    - name: write_file
      args: {path: src/greet.py, text: "import sys\nprint('Hello', sys.argv[1])\n"}
    - name: run_command
      args: {argv: [bash, -c, 'python3 src/greet.py Ada | grep -qx "Hello Ada"']}
- say: src/greet.py greets by name.
"""


def main(model: str | None) -> str:
    folder = Path(tempfile.mkdtemp(prefix="waypost-langchain-"))
    workspace, runs = folder / "project", folder / "runs"
    subprocess.run(["git", "init", "-q", str(workspace)], check=True)
    subprocess.run([*GIT, "commit", "-q", "--allow-empty", "-m", "start"], cwd=workspace, check=True)
    (folder / "tasks.md").write_text(CARD, encoding="utf-8")
    (folder / "model.yaml").write_text(SCRIPT, encoding="utf-8")
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    worker = LangChainWorker(model=model or f"scripted:{folder / 'model.yaml'}", pass_env=keys)
    context = RunContext(runs_dir=runs, workers={"agent": worker})
    state = new_run(folder / "tasks.md", workspace=workspace, runs_dir=runs, worker="agent")
    graph = build_pipeline(LedgerSaver(runs), context=context)
    final = graph.invoke(state, {"configurable": {"thread_id": state.run_id}}, durability="sync")
    for attempt in final["attempts"]:
        for denial in attempt.permissions.denials:
            print(f"denied: {denial.what}: {denial.why}")
    return final["status"]


if __name__ == "__main__":
    status = main(sys.argv[1] if len(sys.argv) > 1 else None)
    print(status)
    sys.exit(status != "DONE")
