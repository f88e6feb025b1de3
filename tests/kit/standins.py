"""Folders of stand-in agent CLIs, to be put in front of PATH."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from waypost.nodes.workers.agents import shipped_agents

SOURCES = Path(__file__).resolve().parents[1] / "standins"


class StandIns:
    """Executables named as the shipped agents are, which do what they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in ("calls.py", "events.py"):
            shutil.copy(SOURCES / name, folder / name)
        source = f"#!{sys.executable} -IS\n" + (SOURCES / "agent.py").read_text(encoding="utf-8")
        for agent in shipped_agents().values():
            self.add(agent.executable, source)
        self.tell("succeed")

    def add(self, name: str, source: str) -> Path:
        path = self.folder / name
        path.write_text(source, encoding="utf-8")
        path.chmod(0o755)
        return path

    def reset(self) -> None:
        """As new: nothing was called, no session is known, the next call succeeds."""
        for name in ("calls.jsonl", "sessions"):
            (self.folder / name).unlink(missing_ok=True)
        self.tell("succeed")

    def tell(self, do: str, **more: Any) -> None:
        """What the next call does."""
        (self.folder / "scenario.json").write_text(json.dumps({"do": do, **more}), encoding="utf-8")

    def calls(self) -> list[dict[str, Any]]:
        """Every call so far."""
        log = self.folder / "calls.jsonl"
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
