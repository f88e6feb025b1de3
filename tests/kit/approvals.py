"""Cards with steps that a person has to approve, and the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cards import write_card
from .cli import Ran, waypost_here


def step(
    name: str,
    bash: str,
    verify: str = "true",
    *,
    approval: str = "",
    limits: str = "",
    depends_on: str = "none",
    fence: str = "bash",
) -> str:
    parts = [
        f"#### Step {name}: Step {name}",
        f"**Concrete Actions**\n\n```{fence}\n{bash}\n```",
        f"**Dependencies**\n\n{depends_on}",
        f"**Acceptance Criteria**\n\n- It works. Verified by `{verify}`",
    ]
    parts += [f"**Approval**: {approval}"] if approval else []
    parts += [f"**Limits**: {limits}"] if limits else []
    return "\n\n".join(parts)


class Desk:
    """One run, and the person in front of it."""

    def __init__(self, repo: Path) -> None:
        self.repo = repo
        self.runs = repo.parent / "runs"

    def run(self, text: str, *options: str) -> Ran:
        path = write_card(self.repo.parent, text)
        options = ("--workspace", str(self.repo), "--run-id", "R", *options)
        return self("run", str(path), *options)

    def __call__(self, verb: str, *arguments: str) -> Ran:
        given = arguments if verb == "run" else ("R", *arguments)
        return waypost_here(verb, *given, "--runs", self.runs, "--json", cwd=self.repo)

    def state(self) -> dict[str, Any]:
        return json.loads(self("status").out)["state"]

    def ledger(self) -> bytes:
        return (self.runs / "R" / "ledger.jsonl").read_bytes()
