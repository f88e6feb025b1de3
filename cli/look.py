"""`waypost view`: the viewer, and what the command line says of runs. The one module that needs the extra `view`."""

from __future__ import annotations

import contextlib
import webbrowser
from pathlib import Path

from ..state.errors import InputError
from ..viewer.index import cache_file
from ..viewer.says import Says
from ..viewer.server import Viewer
from .audit import audit_of
from .batch_text import next_commands as next_of_batch
from .ledger_text import answer
from .summary import headline, next_steps
from .view import JsonView


def says_of(runs: Path) -> Says:
    """What is said of the runs of a folder."""
    return Says(
        audit=lambda run: audit_of(run, runs),
        next_of_run=lambda state, run_dir: (command for command, _ in next_steps(state, run_dir)),
        next_of_batch=next_of_batch,
        headline=headline,
    )


def view(runs: Path, *, port: int, browser: bool, json: bool) -> int:
    """Serve the viewer until it is stopped, and say where."""

    def work() -> int:
        root = runs.absolute()
        if not root.is_dir():
            raise InputError(f"there is no folder {runs}", next_step="waypost view RUNS_DIR, or run a task first")
        try:
            viewer = Viewer(root, says_of(root), cache=cache_file(root), port=port)
        except OSError as error:
            raise InputError(
                f"port {port} cannot be listened on: {error.strerror}", next_step="leave out --port"
            ) from None

        def ready() -> None:
            if json:
                JsonView().tell({"event": "viewing", "runs": str(root), "address": viewer.address})
            else:
                print(f"viewing    {root}\nopen       {viewer.address}\n           Ctrl-C ends it", flush=True)
            if browser:
                webbrowser.open(viewer.address)

        # Ctrl-C is how it is meant to end.
        with contextlib.suppress(KeyboardInterrupt):
            viewer.serve(ready)
        return 0

    return answer(work, json=json)
