"""The `waypost` command: what can be typed. What it does is loaded only when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .._version import __version__

RUNS_DIR = Path(".artifacts/agent_runs")

app = typer.Typer(
    name="waypost",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Runs a task to done and can prove it.\n\n"
    "Example:  waypost run tasks.md --task DKT-003\n\n"
    "Exit codes: 0 done, 1 failed, 2 bad input or usage, 3 blocked (a person is needed), 4 interrupted and resumable.",
)

ledger = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Look into the ledgers of any LangGraph thread, or move them."
)
app.add_typer(ledger, name="ledger")

RunsOption = Annotated[Path, typer.Option("--runs", help="Folder that holds all runs.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output, one JSON object per line.")]
RunArgument = Annotated[str, typer.Argument(help="Run id, as printed by `waypost run` and `waypost status`.")]
OnLostChoice = Literal["retry", "rework", "block"]
ThreadArgument = Annotated[str, typer.Argument(help="Run id, or the thread id of any other graph.")]
DatabaseArgument = Annotated[str, typer.Argument(help="sqlite:FILE, a database of LangGraph's SqliteSaver.")]
ThreadOption = Annotated[list[str] | None, typer.Option("--thread", help="Which thread; all if not given. Repeatable.")]
AllowOption = Annotated[
    list[str] | None, typer.Option("--allow", help="MODULE:NAME of a type that values may name. Repeatable.")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"waypost {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    return None


@app.command()
def run(
    task_file: Annotated[Path, typer.Argument(help="A task card: Markdown, YAML or JSON.")],
    task: Annotated[str | None, typer.Option(help="Which task of the file; needed if it holds several.")] = None,
    worker: Annotated[str, typer.Option(help="Who does the work: shell, scripted.")] = "shell",
    workspace: Annotated[Path, typer.Option(help="The git repository to work in.")] = Path("."),
    runs: RunsOption = RUNS_DIR,
    max_rework: Annotated[int, typer.Option(min=0, max=100, help="Reworks per step before a person is asked.")] = 3,
    step_timeout_s: Annotated[float, typer.Option(min=0.001, help="Limit for one attempt of a worker.")] = 3600.0,
    check_timeout_s: Annotated[float, typer.Option(min=0.001, help="Limit for one verification command.")] = 600.0,
    budget_s: Annotated[
        float | None, typer.Option(min=0.001, help="Limit for all attempts and checks together.")
    ] = None,
    on_lost: Annotated[
        OnLostChoice,
        typer.Option(help="A worker is gone without a result: start it again, count a rework, or ask."),
    ] = "retry",
    max_lost: Annotated[int, typer.Option(min=0, max=100, help="Lost attempts in a row before a person is asked.")] = 3,
    max_parallel: Annotated[int, typer.Option(min=1, max=256, help="Steps that are worked on at a time.")] = 8,
    output_limit_bytes: Annotated[int, typer.Option(min=1, help="Limit for what one attempt or command prints.")] = 256
    * 1024
    * 1024,
    run_id: Annotated[str | None, typer.Option("--run-id", help="Id of the run; made up if not given.")] = None,
    json: JsonOption = False,
) -> None:
    """Run one task of a task file to done.

    Example:  waypost run tasks.md --task DKT-003 --workspace ../app
    """
    from .commands import LimitOptions, OnLost, run_task

    limits = LimitOptions(
        max_rework=max_rework,
        step_timeout_s=step_timeout_s,
        check_timeout_s=check_timeout_s,
        budget_s=budget_s,
        on_lost=OnLost(on_lost),
        max_lost=max_lost,
        max_parallel=max_parallel,
        output_limit_bytes=output_limit_bytes,
    )
    raise typer.Exit(
        run_task(
            task_file, task=task, worker=worker, workspace=workspace, runs=runs, limits=limits, run=run_id, json=json
        )
    )


@app.command()
def resume(
    run_id: RunArgument,
    runs: RunsOption = RUNS_DIR,
    recover: Annotated[bool, typer.Option("--recover", help="Blocked: dispatch again, with fresh reworks.")] = False,
    recheck: Annotated[bool, typer.Option("--recheck", help="Blocked: only verify again.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="Blocked: end the run as FAILED.")] = False,
    note: Annotated[str, typer.Option(help="Why you decided so; kept in the ledger.")] = "",
    json: JsonOption = False,
) -> None:
    """Go on with a run that was interrupted, or answer one that is blocked.

    Example:  waypost resume DKT-003_20260211T134056Z_ac778e9 --recheck --note "installed pytest"
    """
    from .commands import resume_run

    chosen = [name for name, on in (("recover", recover), ("recheck", recheck), ("give_up", give_up)) if on]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --recover, --recheck and --give-up")
    raise typer.Exit(resume_run(run_id, runs=runs, decision=chosen[0] if chosen else None, note=note, json=json))


@app.command()
def status(
    run_id: Annotated[str | None, typer.Argument(help="Run id; all runs if not given.")] = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Show all runs, or one of them in detail. Read from the ledgers; starts nothing.

    Example:  waypost status --json
    """
    from .status import show_all, show_one

    raise typer.Exit(show_one(run_id, runs=runs, json=json) if run_id else show_all(runs=runs, json=json))


@app.command()
def graph(
    states: Annotated[bool, typer.Option("--states", help="Statuses and transitions instead of nodes.")] = False,
) -> None:
    """Print the pipeline as a Mermaid diagram: its nodes, or with --states its statuses.

    Example:  waypost graph > pipeline.mmd
    """
    if states:
        from ..state.status import state_diagram

        typer.echo(state_diagram(), nl=False)
        raise typer.Exit
    from .commands import print_graph

    raise typer.Exit(print_graph())


@app.command()
def schema(what: Annotated[Literal["task", "state"], typer.Argument(help="Which model.")] = "task") -> None:
    """Print the JSON Schema of a task or of the state of a run.

    Example:  waypost schema task > task.schema.json
    """
    from .commands import print_schema

    raise typer.Exit(print_schema(what))


@app.command()
def fsck(
    what: Annotated[str | None, typer.Argument(help="Run id, ledger file, or folder; all runs if not given.")] = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
    salvage: Annotated[
        Path | None, typer.Option(help="New runs folder for the lines before the damage; RUN can be resumed there.")
    ] = None,
) -> None:
    """Check ledgers: 0 all fine, 1 damage found, 2 nothing to check. Changes nothing.

    Example:  waypost fsck DKT-003_20260211T134056Z_ac778e9 --salvage saved
    """
    from .fsck import check

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
    """Show the checkpoints of a thread, or one of them with its values.

    Example:  waypost ledger show chat-7 --step 3 --writes
    """
    from .ledger import show

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
    """Show the newest lines of a ledger, one line each.

    Example:  waypost ledger tail chat-7 --follow
    """
    from .ledger_tail import tail

    raise typer.Exit(tail(run_id, runs=runs, count=count, follow=follow, json=json))


@ledger.command("diff", context_settings={"ignore_unknown_options": True})  # -1 is a step
def ledger_diff(
    run_id: ThreadArgument,
    a: Annotated[str, typer.Argument(help="A checkpoint: its step, its id, or how that begins.")],
    b: Annotated[str | None, typer.Argument(help="Another one; the newest if not given.")] = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Show what changed in the state between two checkpoints.

    Example:  waypost ledger diff chat-7 3 5
    """
    from .ledger import diff

    raise typer.Exit(diff(run_id, a, b, runs=runs, json=json))


@ledger.command("import")
def ledger_import(
    source: DatabaseArgument,
    thread: ThreadOption = None,
    allow: AllowOption = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Copy threads from SQLite into ledgers, and compare every tuple.

    Example:  waypost ledger import sqlite:checkpoints.db --thread chat-7
    """
    _move("import", source, thread, allow, runs, json)


@ledger.command("export")
def ledger_export(
    target: DatabaseArgument,
    thread: ThreadOption = None,
    allow: AllowOption = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Copy threads from ledgers into SQLite, and compare every tuple.

    Example:  waypost ledger export sqlite:checkpoints.db --thread chat-7
    """
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
        from .ledger_move import export_threads, import_threads
    except ImportError as missing:
        from ..state.errors import InputError
        from .ledger_text import failed

        raise typer.Exit(failed(InputError(str(missing)), json=json)) from None
    move = import_threads if verb == "import" else export_threads
    raise typer.Exit(move(database, threads=threads or (), allow=allow or (), runs=runs, json=json))


def main() -> None:
    """Entry point of the `waypost` command."""
    app(prog_name="waypost")
