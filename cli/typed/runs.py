"""Commands over runs: `run`, `watch`, `explain`, `status`, `resume`, `approve`, `reject`, `clean`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import limits
from .app import app
from .complete import run_ids
from .keys import signer
from .options import (
    RUNS_DIR,
    AcceptOption,
    BaselineOption,
    FormatOption,
    JsonOption,
    MaybeRunArgument,
    ModelOption,
    NoteOption,
    QuietOption,
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
    run_id: Annotated[str | None, typer.Option("--run-id", help="Id of the run; made up if not given.")] = None,
    baseline: BaselineOption = True,
    isolate: limits.IsolateOption = "none",
    merge: limits.MergeOption = "ff",
    prompt_template: limits.PromptOption = None,
    max_rework: limits.MaxReworkOption = 3,
    step_timeout_s: limits.StepTimeoutOption = 3600.0,
    check_timeout_s: limits.CheckTimeoutOption = 600.0,
    step_budget_s: limits.StepBudgetOption = None,
    step_max_turns: limits.StepMaxTurnsOption = None,
    step_max_cost_usd: limits.StepMaxCostOption = None,
    step_max_attempts: limits.StepMaxAttemptsOption = None,
    on_lost: limits.OnLostOption = "retry",
    max_lost: limits.MaxLostOption = 3,
    output_limit_bytes: limits.OutputLimitOption = 256 << 20,
    budget_s: limits.BudgetOption = None,
    max_turns: limits.MaxTurnsOption = None,
    max_cost_usd: limits.MaxCostOption = None,
    max_attempts: limits.MaxAttemptsOption = None,
    max_parallel: limits.MaxParallelOption = None,
    only: limits.OnlyOption = None,
    begin_at: limits.BeginAtOption = None,
    fail_fast: limits.FailFastOption = False,
    format: FormatOption = None,
    tag: TagOption = None,
    model: ModelOption = None,
    yes: YesOption = False,
    accept: AcceptOption = None,
    write_back: WriteBackOption = False,
    who: WhoOption = None,
    sign: SignOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run a task of a task file to done, or all of its tasks as a batch.

    The plan of a file that is no card is shown, and has to be accepted. Ctrl-C stops at the next checkpoint and leaves
    workers alive; a second one stops them too.
    """
    from ..commands import run_task
    from ..requests import run_request

    _refuse_both(json, quiet)
    raise typer.Exit(run_task(run_request(context.params, sign=signer(sign, json))))


@app.command()
def watch(
    run_id: Annotated[
        str | None, typer.Argument(help="Run or batch; the one started last if not given.", autocompletion=run_ids)
    ] = None,
    runs: RunsOption = RUNS_DIR,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Follow a run or a batch that another process drives, until it stops; of one that has, tell all that was.

    Only reads. Ctrl-C ends the watching and leaves the run alone. The exit code is the one of the run.
    """
    from ..watch import watch as follow

    _refuse_both(json, quiet)
    raise typer.Exit(follow(run_id, runs=runs, json=json, quiet=quiet))


@app.command()
def explain(run_id: RunArgument, runs: RunsOption = RUNS_DIR, json: JsonOption = False) -> None:
    """Say why a run or a batch is in the state it is in: which move, which check, what it waits for, what to do.

    Every sentence is from the ledger and the files of the run. Starts and changes nothing.
    """
    from ..explain import explain as say_why

    raise typer.Exit(say_why(run_id, runs=runs, json=json))


@app.command()
def status(run_id: MaybeRunArgument = None, runs: RunsOption = RUNS_DIR, json: JsonOption = False) -> None:
    """Show all runs, or one of them in detail. Read from the ledgers; starts nothing."""
    if run_id is None:
        from ..status_list import show_all

        raise typer.Exit(show_all(runs=runs, json=json))
    from ..status import show_one

    raise typer.Exit(show_one(run_id, runs=runs, json=json))


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
    quiet: QuietOption = False,
) -> None:
    """Go on with a run that was interrupted, or answer one that is blocked."""
    chosen = [name for name, on in (("recover", recover), ("recheck", recheck), ("give_up", give_up)) if on]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --recover, --recheck and --give-up")
    decision = chosen[0] if chosen else None
    _go_on(run_id, runs, decision, note, who, sign, json=json, quiet=quiet, reread_config=reread_config)


@app.command()
def approve(
    run_id: RunArgument,
    runs: RunsOption = RUNS_DIR,
    note: NoteOption = "",
    who: WhoOption = None,
    sign: SignOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Approve what a run asks for: that a step is started, or that its result is accepted. The run goes on."""
    _go_on(run_id, runs, "approve", note, who, sign, json=json, quiet=quiet)


@app.command()
def reject(
    run_id: RunArgument,
    runs: RunsOption = RUNS_DIR,
    note: NoteOption = "",
    who: WhoOption = None,
    sign: SignOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Refuse what a run asks for: a step is not started and the run ends, or its result goes back with your note."""
    _go_on(run_id, runs, "reject", note, who, sign, json=json, quiet=quiet)


def _go_on(
    run_id: str,
    runs: Path,
    decision: str | None,
    note: str,
    who: str | None,
    sign: Path | None,
    *,
    json: bool,
    quiet: bool,
    reread_config: bool = False,
) -> None:
    from ..commands import resume_run
    from ..requests import ResumeRequest

    _refuse_both(json, quiet)
    asked = ResumeRequest(
        run_id,
        runs,
        decision,
        note=note,
        who=who,
        sign=signer(sign, json),
        json=json,
        quiet=quiet,
        reread_config=reread_config,
    )
    raise typer.Exit(resume_run(asked))


def _refuse_both(json: bool, quiet: bool) -> None:
    if json and quiet:
        raise typer.BadParameter("choose one of --json and --quiet")


@app.command()
def clean(
    run_id: MaybeRunArgument = None,
    runs: RunsOption = RUNS_DIR,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what holds work, and runs that can be resumed; never living ones.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Remove worktrees and branches of isolated runs that are over: 0 nothing left, 3 something with work was kept."""
    from ..clean import clean as clean_runs

    raise typer.Exit(clean_runs(run_id, runs=runs, dry_run=dry_run, force=force, json=json))
