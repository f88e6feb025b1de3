"""The real `langgraph dev` over a runs folder, on loopback, without internet or keys."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from langgraph_sdk import get_sync_client

from .cards import write_card
from .cli import Ran, command, environment, waypost, waypost_here
from .repos import make_repo
from .unplugged import Unplugged
from .waiting import wait_for

GRAPH = "waypost"


class Served:
    """A server, its repository and its runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = make_repo(folder / "repo")
        self.runs = folder / "runs"
        self.log = folder / "server.log"
        self.unplugged = Unplugged(folder)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.client = get_sync_client(url=f"http://127.0.0.1:{self.port}", api_key=None)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command("studio", "--runs", self.runs, "--port", str(self.port)),
                cwd=self.repo,
                env=self.unplugged.environment(environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, timeout_s=150)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/ok").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def new_thread(self) -> str:
        return self.client.threads.create()["thread_id"]

    def form(self, text: str, **more: Any) -> dict[str, Any]:
        """What is filled in for a run of this card."""
        return {"task_file": str(write_card(self.folder, text)), "workspace": str(self.repo), **more}

    def wait(self, thread: str, given: Any = None, **more: Any) -> Any:
        return self.client.runs.wait(thread, GRAPH, input=given, raise_error=False, **more)

    def terminal(self, verb: str, *arguments: str | Path, failpoint: str | None = None) -> Ran:
        return waypost(verb, *arguments, "--runs", self.runs, "--json", cwd=self.repo, failpoint=failpoint)

    def here(self, verb: str, *arguments: str | Path) -> Ran:
        """The same in this process, for what only looks."""
        return waypost_here(verb, *arguments, "--runs", self.runs, "--json", cwd=self.repo)

    def ledger(self, run: str) -> Path:
        return self.runs / run / "ledger.jsonl"


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    served = Served(folder)
    try:
        yield served
    finally:
        served.stop()
