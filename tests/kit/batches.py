"""Files of many tasks, and batches of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cards import card
from .cli import Ran, waypost, waypost_here


@dataclass(frozen=True)
class Wanted:
    """A task of one step: what the shell worker runs, what proves it, and the tasks it waits for."""

    bash: str = "true"
    verify: str = "true"
    waits_for: tuple[str, ...] = ()
    scope: str = ""


def tasks_file(path: Path, tasks: Mapping[str, Wanted]) -> Path:
    """A card file with these tasks."""
    path.write_text("\n".join(_card(id, task) for id, task in tasks.items()), encoding="utf-8")
    return path


def _card(id: str, task: Wanted) -> str:
    text = card(bash=task.bash, verify=task.verify, task=id, scope=task.scope)
    waits = f"**Dependencies**\n\n{', '.join(task.waits_for)}\n\n" if task.waits_for else ""
    return text.replace("**Concrete Actions**", f"{waits}**Concrete Actions**", 1)


def runs_of(repo: Path) -> Path:
    return repo.parent / "runs"


def run_batch(
    repo: Path, tasks: Mapping[str, Wanted] | Path, *options: str, failpoint: str | None = None, id: str = "B"
) -> Ran:
    """A batch B of these tasks, in this process unless it is to be killed."""
    path = tasks if isinstance(tasks, Path) else tasks_file(repo.parent / "tasks.md", tasks)
    words = ("run", path, "--workspace", repo, "--runs", runs_of(repo), "--run-id", id, "--json", *options)
    return waypost(*words, cwd=repo, failpoint=failpoint) if failpoint else waypost_here(*words, cwd=repo)


def resume_batch(repo: Path, *options: str, id: str = "B", failpoint: str | None = None) -> Ran:
    words = ("resume", id, "--runs", runs_of(repo), "--json", *options)
    return waypost(*words, cwd=repo, failpoint=failpoint) if failpoint else waypost_here(*words, cwd=repo)


def report_of(repo: Path, id: str = "B") -> dict[str, Any]:
    return json.loads((runs_of(repo) / id / "reports" / "batch.json").read_text())


def told(record: Mapping[str, Any]) -> dict[str, str]:
    """Task -> status, of a report or a `batch_result`."""
    return {task["id"]: task["status"] for task in record["tasks"]}


def run_id_of(repo: Path, task: str, id: str = "B") -> str:
    return next(one["run_id"] for one in report_of(repo, id)["tasks"] if one["id"] == task)


def order_of(repo: Path) -> list[str]:
    """What the tasks have written, one line each."""
    path = repo / "order"
    return path.read_text().split() if path.exists() else []
