"""Commands before a run: `plan`, `init`, `doctor`, `graph`, `schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .app import app
from .options import FormatOption, JsonOption, ModelOption, TagOption, TaskFileArgument


@app.command()
def plan(
    task_file: TaskFileArgument,
    task: Annotated[str | None, typer.Option(help="Only this task of the file, also if it is done.")] = None,
    format: FormatOption = None,
    tag: TagOption = None,
    model: ModelOption = None,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Freeze what is shown beside the file: a run that differs is not started.")
    ] = False,
    note: Annotated[str, typer.Option(help="With --freeze: why; kept with it and in the ledger of each run.")] = "",
    json: JsonOption = False,
) -> None:
    """Show what a task file asks for, in which order, and what of it can be proved. Runs nothing."""
    from ..plan import show_plan
    from ..sources import SourceOptions

    if note and not freeze:
        raise typer.BadParameter("--note goes with --freeze")
    options = SourceOptions(format=format, tag=tag, model=model)
    freezing = note if freeze else None
    raise typer.Exit(show_plan(task_file, task=task, options=options, freezing=freezing, json=json))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The project.", exists=True, file_okay=False)] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="Overwrite tasks.md and waypost.toml.")] = False,
    json: JsonOption = False,
) -> None:
    """Write a starter card and settings for a project, with the test command that is found in it."""
    from ..init import init as write_starter

    raise typer.Exit(write_starter(folder, force=force, json=json))


@app.command()
def schema(what: Annotated[Literal["task", "state", "events"], typer.Argument(help="Which one.")] = "task") -> None:
    """Print the JSON Schema of a task, of the state of a run, or of the lines that `--json` of a run prints."""
    from ..schema import print_schema

    raise typer.Exit(print_schema(what))


@app.command()
def graph(
    states: Annotated[bool, typer.Option("--states", help="Statuses and transitions instead of nodes.")] = False,
) -> None:
    """Print the pipeline as a Mermaid diagram: its nodes, or with --states its statuses."""
    if states:
        from ...state.status import state_diagram

        typer.echo(state_diagram(), nl=False)
        raise typer.Exit
    from ..commands import print_graph

    raise typer.Exit(print_graph())


@app.command()
def doctor(
    worker: Annotated[str | None, typer.Argument(help="One worker; all if not given.")] = None,
    workspace: Annotated[Path, typer.Option(help="Where configured agents are looked up.")] = Path("."),
    json: JsonOption = False,
) -> None:
    """Show which workers can be used here, and what is missing of the others: 0 fine, 1 not usable. Runs no work."""
    from ..doctor import examine_workers

    raise typer.Exit(examine_workers(worker, workspace=workspace, json=json))
