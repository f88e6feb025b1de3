"""Options of `waypost run` that say what a run may use, which tasks of a file it takes, and how it works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

_LIMITS, _STEP, _BATCH = "Limits of the run", "Limits of each step", "Batches"

MaxReworkOption = Annotated[
    int, typer.Option(min=0, max=100, help="Reworks before a person is asked.", rich_help_panel=_STEP)
]
StepTimeoutOption = Annotated[
    float, typer.Option(min=0.001, help="Limit for one attempt of a worker.", rich_help_panel=_STEP)
]
CheckTimeoutOption = Annotated[
    float, typer.Option(min=0.001, help="Limit for one verification command.", rich_help_panel=_STEP)
]
BudgetOption = Annotated[
    float | None,
    typer.Option(min=0.001, help="Time of all attempts and checks together.", rich_help_panel=_LIMITS),
]
MaxTurnsOption = Annotated[
    int | None,
    typer.Option(min=1, help="Turns of all attempts, as workers report them.", rich_help_panel=_LIMITS),
]
MaxCostOption = Annotated[
    float | None,
    typer.Option(min=0.000001, help="Cost of all attempts, as workers report it.", rich_help_panel=_LIMITS),
]
MaxAttemptsOption = Annotated[
    int | None, typer.Option(min=1, help="How often a worker is started.", rich_help_panel=_LIMITS)
]
StepBudgetOption = Annotated[float | None, typer.Option(min=0.001, help="As --budget-s.", rich_help_panel=_STEP)]
StepMaxTurnsOption = Annotated[int | None, typer.Option(min=1, help="As --max-turns.", rich_help_panel=_STEP)]
StepMaxCostOption = Annotated[
    float | None, typer.Option(min=0.000001, help="As --max-cost-usd.", rich_help_panel=_STEP)
]
StepMaxAttemptsOption = Annotated[int | None, typer.Option(min=1, help="As --max-attempts.", rich_help_panel=_STEP)]
OnLostOption = Annotated[
    Literal["retry", "rework", "block"],
    typer.Option(
        "--on-lost",
        help="A worker is gone without a result: start it again, count a rework, or ask.",
        rich_help_panel=_STEP,
    ),
]
MaxLostOption = Annotated[
    int,
    typer.Option(min=0, max=100, help="Lost attempts in a row before a person is asked.", rich_help_panel=_STEP),
]
OutputLimitOption = Annotated[
    int, typer.Option(min=1, help="What one attempt or one check may print.", rich_help_panel=_STEP)
]
MaxParallelOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        help="At a time: tasks of a batch (1), else steps of a task (8).",
        rich_help_panel=_LIMITS,
    ),
]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", help="Only this task. Repeatable.", rich_help_panel=_BATCH)
]
BeginAtOption = Annotated[
    str | None, typer.Option("--from", help="This task and all after it.", rich_help_panel=_BATCH)
]
FailFastOption = Annotated[
    bool,
    typer.Option("--fail-fast/--keep-going", help="Start nothing more once one is not done.", rich_help_panel=_BATCH),
]
IsolateOption = Annotated[
    Literal["none", "worktree"], typer.Option(help="Work in your checkout, or in git worktrees on a branch.")
]
MergeOption = Annotated[
    Literal["ff", "none"], typer.Option(help="Isolated and verified: fast-forward your branch, or leave it.")
]
PromptOption = Annotated[Path | None, typer.Option(help="A Jinja template for what workers are told.")]
