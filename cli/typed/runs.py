"""Commands over runs: `run`, `resume`, `approve`, `reject`, `status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .app import app
from .keys import signer
from .options import (
    RUNS_DIR,
    AcceptOption,
    FormatOption,
    JsonOption,
    ModelOption,
    NoteOption,
    OnLostOption,
    RunArgument,
    RunsOption,
    SignOption,
    TagOption,
    TaskFileArgument,
    WhoOption,
    WriteBackOption,
    YesOption,
)


@app.command()
def run(
    context: typer.Context,
    task_file: TaskFileArgument,
    task: Annotated[str | None, typer.Option(help="Which task of the file; all that are open if not given.")] = None,
    worker: Annotated[str, typer.Option(help="Who does the work: shell, claude, ...; see `waypost doctor`.")] = "shell",
    workspace: Annotated[Path, typer.Option(help="The git repository to work in.")] = Path("."),
    runs: RunsOption = RUNS_DIR,
    max_rework: Annotated[int, typer.Option(min=0, max=100, help="Reworks per step before a person is asked.")] = 3,
    step_timeout_s: Annotated[float, typer.Option(min=0.001, help="Limit for one attempt of a worker.")] = 3600.0,
    check_timeout_s: Annotated[float, typer.Option(min=0.001, help="Limit for one verification command.")] = 600.0,
    budget_s: Annotated[float | None, typer.Option(min=0.001, help="Time of all attempts and checks together.")] = None,
    max_turns: Annotated[int | None, typer.Option(min=1, help="Turns of all attempts, as workers report them.")] = None,
    max_cost_usd: Annotated[float | None, typer.Option(min=0.000001, help="Cost of all attempts, as reported.")] = None,
    max_attempts: Annotated[int | None, typer.Option(min=1, help="How often a worker is started in the run.")] = None,
    step_budget_s: Annotated[float | None, typer.Option(min=0.001, help="As --budget-s, for each step.")] = None,
    step_max_turns: Annotated[int | None, typer.Option(min=1, help="As --max-turns, for each step.")] = None,
    step_max_cost_usd: Annotated[float | None, typer.Option(min=0.000001, help="As --max-cost-usd, per step.")] = None,
    step_max_attempts: Annotated[int | None, typer.Option(min=1, help="As --max-attempts, for each step.")] = None,
    on_lost: OnLostOption = "retry",
    max_lost: Annotated[int, typer.Option(min=0, max=100, help="Lost attempts in a row before a person is asked.")] = 3,
    max_parallel: Annotated[
        int | None, typer.Option(min=1, max=256, help="At a time: tasks of a batch (1), else steps of a task (8).")
    ] = None,
    output_limit_bytes: Annotated[int, typer.Option(min=1, help="What an attempt or a check may print.")] = 256 << 20,
    run_id: Annotated[str | None, typer.Option("--run-id", help="Id of the run; made up if not given.")] = None,
    isolate: Annotated[
        Literal["none", "worktree"], typer.Option(help="Work in your checkout, or in git worktrees on a branch.")
    ] = "none",
    merge: Annotated[
        Literal["ff", "none"], typer.Option(help="Isolated and verified: fast-forward your branch, or leave it.")
    ] = "ff",
    only: Annotated[list[str] | None, typer.Option("--only", help="Of a batch: only this task. Repeatable.")] = None,
    begin_at: Annotated[str | None, typer.Option("--from", help="Of a batch: this task and all after it.")] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast/--keep-going", help="Of a batch: start nothing more once one is not done.")
    ] = False,
    prompt_template: Annotated[Path | None, typer.Option(help="A Jinja template for what workers are told.")] = None,
    format: FormatOption = None,
    tag: TagOption = None,
    model: ModelOption = None,
    yes: YesOption = False,
    accept: AcceptOption = None,
    write_back: WriteBackOption = False,
    who: WhoOption = None,
    sign: SignOption = None,
    json: JsonOption = False,
) -> None:
    """Run a task of a task file to done, or all of its tasks as a batch.

    The plan of a file that is no card is shown, and has to be accepted.

    Example:  waypost run tasks.md --task DKT-003 --workspace ../app
    """
    from ..commands import run_task
    from ..requests import run_request

    raise typer.Exit(run_task(run_request(context.params, sign=signer(sign, json))))


@app.command()
def resume(
    run_id: RunArgument,
    runs: RunsOption = RUNS_DIR,
    recover: Annotated[bool, typer.Option("--recover", help="Blocked: dispatch again, with fresh reworks.")] = False,
    recheck: Annotated[bool, typer.Option("--recheck", help="Blocked: only verify again.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="Blocked: end the run as FAILED.")] = False,
    note: NoteOption = "",
    who: WhoOption = None,
    sign: SignOption = None,
    reread_config: Annotated[
        bool, typer.Option("--reread-config", help="Take what the workspace configures now, not what the run has kept.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Go on with a run that was interrupted, or answer one that is blocked.

    Example:  waypost resume DKT-003_20260211T134056Z_ac778e9 --recheck --note "installed pytest"
    """
    from ..commands import resume_run
    from ..requests import ResumeRequest

    chosen = [name for name, on in (("recover", recover), ("recheck", recheck), ("give_up", give_up)) if on]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --recover, --recheck and --give-up")
    decision = chosen[0] if chosen else None
    request = ResumeRequest(
        run_id, runs, decision, note=note, who=who, sign=signer(sign, json), json=json, reread_config=reread_config
    )
    raise typer.Exit(resume_run(request))


@app.command()
def approve(
    run_id: RunArgument,
    runs: RunsOption = RUNS_DIR,
    note: NoteOption = "",
    who: WhoOption = None,
    sign: SignOption = None,
    json: JsonOption = False,
) -> None:
    """Approve what a run asks for: that a step is started, or that its result is accepted. The run goes on.

    Example:  waypost approve DKT-003_20260211T134056Z_ac778e9 --note "read the diff"
    """
    from ..commands import resume_run
    from ..requests import ResumeRequest

    raise typer.Exit(
        resume_run(ResumeRequest(run_id, runs, "approve", note=note, who=who, sign=signer(sign, json), json=json))
    )


@app.command()
def reject(
    run_id: RunArgument,
    runs: RunsOption = RUNS_DIR,
    note: NoteOption = "",
    who: WhoOption = None,
    sign: SignOption = None,
    json: JsonOption = False,
) -> None:
    """Refuse what a run asks for: a step is not started and the run ends, or its result goes back with your note.

    Example:  waypost reject DKT-003_20260211T134056Z_ac778e9 --note "keep the old signature"
    """
    from ..commands import resume_run
    from ..requests import ResumeRequest

    raise typer.Exit(
        resume_run(ResumeRequest(run_id, runs, "reject", note=note, who=who, sign=signer(sign, json), json=json))
    )


@app.command()
def status(
    run_id: Annotated[str | None, typer.Argument(help="Run id; all runs if not given.")] = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
) -> None:
    """Show all runs, or one of them in detail. Read from the ledgers; starts nothing.

    Example:  waypost status --json
    """
    from ..status import show_all, show_one

    raise typer.Exit(show_one(run_id, runs=runs, json=json) if run_id else show_all(runs=runs, json=json))


@app.command()
def clean(
    run_id: Annotated[str | None, typer.Argument(help="Run id; all runs if not given.")] = None,
    runs: RunsOption = RUNS_DIR,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what holds work, and runs that can be resumed; never living ones.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Remove worktrees and branches of isolated runs that are over: 0 nothing left, 3 something with work was kept.

    Example:  waypost clean --dry-run
    """
    from ..clean import clean as clean_runs

    raise typer.Exit(clean_runs(run_id, runs=runs, dry_run=dry_run, force=force, json=json))
