"""The command `view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import app
from .options import RUNS_DIR, JsonOption


@app.command()
def view(
    runs: Annotated[Path, typer.Argument(help="Folder that holds all runs.", show_default=True)] = RUNS_DIR,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; a free one if not given.")] = 0,
    browser: Annotated[bool, typer.Option("--browser", help="Open the page in your browser.")] = False,
    json: JsonOption = False,
) -> None:
    """Look at runs in a browser, live. Only this machine can ask; nothing is changed. Ctrl-C ends it."""
    try:
        from ..look import view as look
    except ModuleNotFoundError as error:
        from ...state.errors import InputError
        from ..ledger_text import failed

        package = (error.name or "").partition(".")[0]
        if package not in ("starlette", "uvicorn"):
            raise
        missing = InputError(
            f"the viewer needs the package {package}, which is not installed",
            next_step='pip install "waypost[view]"',
        )
        raise typer.Exit(failed(missing, json=json)) from None
    raise typer.Exit(look(runs, port=port, browser=browser, json=json))
