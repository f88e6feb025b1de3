"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .complete import run_ids, task_files
from .names import RUNS_DIR as RUNS_DIR

RunsOption = Annotated[Path, typer.Option("--runs", help="Folder that holds all runs.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output, one JSON object per line.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing of what is DONE; of anything else why not, on stderr.")
]
RunArgument = Annotated[
    str, typer.Argument(help="Run id, as printed by `waypost run` and `waypost status`.", autocompletion=run_ids)
]
MaybeRunArgument = Annotated[str | None, typer.Argument(help="Run id; all runs if not given.", autocompletion=run_ids)]
NoteOption = Annotated[str, typer.Option(help="Why you decided so; kept in the ledger.")]
WhoOption = Annotated[str | None, typer.Option("--who", help="In whose name; your login name if not given.")]
ThreadArgument = Annotated[
    str, typer.Argument(help="Run id, or the thread id of any other graph.", autocompletion=run_ids)
]
DatabaseArgument = Annotated[str, typer.Argument(help="sqlite:FILE, a database of LangGraph's SqliteSaver.")]
SignOption = Annotated[Path | None, typer.Option("--sign", help="Private key (PEM) that signs the attestation.")]
RepositoryOption = Annotated[
    Path | None, typer.Option("--repository", help="A checkout of the repository; of a run, where it worked.")
]
ThreadOption = Annotated[list[str] | None, typer.Option("--thread", help="Which thread; all if not given. Repeatable.")]
AllowOption = Annotated[
    list[str] | None, typer.Option("--allow", help="MODULE:NAME of a type that values may name. Repeatable.")
]

_FOREIGN = "Task files of other tools"

TaskFileArgument = Annotated[
    Path, typer.Argument(help="A task card, or a task file of another tool.", autocompletion=task_files)
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", help="Format; recognised by the content if not given.", rich_help_panel=_FOREIGN),
]
TagOption = Annotated[
    str | None, typer.Option("--tag", help="Which tag of a Task Master file.", rich_help_panel=_FOREIGN)
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help="PROVIDER:NAME of a chat model that reads prose (extra: llm).", rich_help_panel=_FOREIGN
    ),
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Accept the plan without asking.", rich_help_panel=_FOREIGN)
]
AcceptOption = Annotated[
    str | None,
    typer.Option(
        "--accept", help="Accept that plan only: its digest, as `waypost plan` prints it.", rich_help_panel=_FOREIGN
    ),
]
WriteBackOption = Annotated[
    bool,
    typer.Option("--write-back", help="Set the task to done in its file once it is DONE.", rich_help_panel=_FOREIGN),
]
BaselineOption = Annotated[
    bool, typer.Option("--baseline/--no-baseline", help="Run the checks once before the work, to see them fail.")
]
