"""Commands that talk to programs of others: `studio`."""

from __future__ import annotations

from typing import Annotated

import typer

from .app import app
from .options import RUNS_DIR, JsonOption, RunsOption

SERVER_PORT = 2024


@app.command()
def studio(
    run_id: Annotated[
        str | None, typer.Argument(help="Make this run known to the server; start the server if not given.")
    ] = None,
    runs: RunsOption = RUNS_DIR,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the server listens, on 127.0.0.1.")] = SERVER_PORT,
    json: JsonOption = False,
) -> None:
    """Start a local LangGraph server for Studio over the ledgers of your runs, or make a run known to it.

    Example:  waypost studio DKT-003_20260211T134056Z_ac778e9
    """
    from ...studio.command import serve, tell

    raise typer.Exit(serve(runs=runs, port=port, json=json) if run_id is None else tell(run_id, runs, port, json=json))
