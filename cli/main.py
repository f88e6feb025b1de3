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

RunsOption = Annotated[Path, typer.Option("--runs", help="Folder that holds all runs.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output, one JSON object per line.")]
RunArgument = Annotated[str, typer.Argument(help="Run id, as printed by `waypost run` and `waypost status`.")]


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
    run_id: Annotated[str | None, typer.Option("--run-id", help="Id of the run; made up if not given.")] = None,
    json: JsonOption = False,
) -> None:
    """Run one task of a task file to done.

    Example:  waypost run tasks.md --task DKT-003 --workspace ../app
    """
    from .commands import LimitOptions, run_task

    limits = LimitOptions(
        max_rework=max_rework, step_timeout_s=step_timeout_s, check_timeout_s=check_timeout_s, budget_s=budget_s
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


def main() -> None:
    """Entry point of the `waypost` command."""
    app(prog_name="waypost")
