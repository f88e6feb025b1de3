"""Commands that serve programs of others: `studio`, `mcp`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import app
from .complete import run_ids
from .options import RUNS_DIR, JsonOption, RunsOption

SERVER_PORT = 2024


@app.command()
def studio(
    run_id: Annotated[
        str | None,
        typer.Argument(
            help="Make this run known to the server; start the server if not given.", autocompletion=run_ids
        ),
    ] = None,
    runs: RunsOption = RUNS_DIR,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the server listens, on 127.0.0.1.")] = SERVER_PORT,
    json: JsonOption = False,
) -> None:
    """Start a local LangGraph server for Studio over the ledgers of your runs, or make a run known to it."""
    from ...studio.command import serve, tell

    raise typer.Exit(serve(runs=runs, port=port, json=json) if run_id is None else tell(run_id, runs, port, json=json))


@app.command()
def mcp(
    root: Annotated[Path, typer.Option(help="The project: workspace of all runs, and where task files are.")] = Path(
        "."
    ),
    runs: Annotated[Path | None, typer.Option(help="Folder of all runs, if not the usual one of the project.")] = None,
    worker: Annotated[
        list[str] | None, typer.Option("--worker", help="Who may be handed work: shell if not given. Repeatable.")
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", help="A plan that you have read, by its digest. Repeatable.")
    ] = None,
    allow_accept: Annotated[
        bool, typer.Option("--allow-accept", help="The agent may accept any plan, by the digest it was shown.")
    ] = False,
    allow_approve: Annotated[
        bool, typer.Option("--allow-approve", help="The agent may approve, and decide for blocked runs.")
    ] = False,
) -> None:
    """Serve an agent over the Model Context Protocol (stdio): it hands over work, and reads the proof."""
    try:
        from ...mcp_server.command import serve
    except ModuleNotFoundError as missing:
        from ...state.errors import InputError
        from ..ledger_text import failed

        if (missing.name or "").partition(".")[0] != "mcp":
            raise
        error = InputError("this needs the package mcp, which is not installed", next_step='pip install "waypost[mcp]"')
        raise typer.Exit(failed(error, json=False)) from None
    raise typer.Exit(
        serve(
            root=root,
            runs=runs,
            workers=tuple(worker or ()),
            accepted=tuple(accept or ()),
            may_accept=allow_accept,
            may_decide=allow_approve,
        )
    )
