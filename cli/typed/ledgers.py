"""Commands over ledgers: `fsck` and `ledger ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .app import app, ledger
from .options import RUNS_DIR, AllowOption, DatabaseArgument, JsonOption, RunsOption, ThreadArgument, ThreadOption


@app.command()
def fsck(
    what: Annotated[str | None, typer.Argument(help="Run id, ledger file, or folder; all runs if not given.")] = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
    salvage: Annotated[
        Path | None, typer.Option(help="New runs folder for the lines before the damage; RUN can be resumed there.")
    ] = None,
) -> None:
    """Check ledgers: 0 all fine, 1 damage found, 2 nothing to check. Changes nothing."""
    from ..fsck import check

    raise typer.Exit(check(what, runs=runs, out=salvage, json=json))


@ledger.command("show")
def ledger_show(
    run_id: ThreadArgument,
    checkpoint: Annotated[str | None, typer.Option(help="Its id, or how that begins: show the values there.")] = None,
    step: Annotated[int | None, typer.Option(help="Show the values at this step.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Show the newest values.")] = False,
    writes: Annotated[bool, typer.Option("--writes", help="Also what tasks wrote at a checkpoint.")] = False,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Show the checkpoints of a thread, or one of them with its values."""
    from ..ledger import show

    if sum((checkpoint is not None, step is not None, latest)) > 1:
        raise typer.BadParameter("choose one of --checkpoint, --step and --latest")
    shown = show(run_id, runs=runs, checkpoint=checkpoint, step=step, latest=latest, writes=writes, json=json)
    raise typer.Exit(shown)


@ledger.command("tail")
def ledger_tail(
    run_id: ThreadArgument,
    count: Annotated[int, typer.Option("-n", min=0, help="So many of the newest lines.")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is appended, until Ctrl-C.")] = False,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Show the newest lines of a ledger, one line each."""
    from ..ledger_tail import tail

    raise typer.Exit(tail(run_id, runs=runs, count=count, follow=follow, json=json))


@ledger.command("diff", context_settings={"ignore_unknown_options": True})  # -1 is a step
def ledger_diff(
    run_id: ThreadArgument,
    a: Annotated[str, typer.Argument(help="A checkpoint: its step, its id, or how that begins.")],
    b: Annotated[str | None, typer.Argument(help="Another one; the newest if not given.")] = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Show what changed in the state between two checkpoints."""
    from ..ledger import diff

    raise typer.Exit(diff(run_id, a, b, runs=runs, json=json))


@ledger.command("compact")
def ledger_compact(
    run_id: ThreadArgument,
    latest_only: Annotated[
        bool, typer.Option("--latest-only", help="Drop the history too: keep the newest checkpoints, which can go on.")
    ] = False,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Write a thread's ledger anew without what no longer counts; the thread can go on. Nobody may be writing it."""
    from ..ledger_compact import compact

    raise typer.Exit(compact(run_id, runs=runs, latest_only=latest_only, json=json))


@ledger.command("import")
def ledger_import(
    source: DatabaseArgument,
    thread: ThreadOption = None,
    allow: AllowOption = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Copy threads from SQLite into ledgers, and compare every tuple."""
    _move("import", source, thread, allow, runs, json)


@ledger.command("export")
def ledger_export(
    target: DatabaseArgument,
    thread: ThreadOption = None,
    allow: AllowOption = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Copy threads from ledgers into SQLite, and compare every tuple."""
    _move("export", target, thread, allow, runs, json)


def _move(
    verb: Literal["import", "export"],
    database: str,
    threads: list[str] | None,
    allow: list[str] | None,
    runs: Path,
    json: bool,
) -> None:
    try:
        from ..ledger_move import export_threads, import_threads
    except ImportError as missing:
        from ...state.errors import InputError
        from ..ledger_text import failed

        raise typer.Exit(failed(InputError(str(missing)), json=json)) from None
    move = import_threads if verb == "import" else export_threads
    raise typer.Exit(move(database, threads=threads or (), allow=allow or (), runs=runs, json=json))
