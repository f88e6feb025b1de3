"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

RUNS_DIR = Path(".artifacts/agent_runs")

RunsOption = Annotated[Path, typer.Option("--runs", help="Folder that holds all runs.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output, one JSON object per line.")]
RunArgument = Annotated[str, typer.Argument(help="Run id, as printed by `waypost run` and `waypost status`.")]
NoteOption = Annotated[str, typer.Option(help="Why you decided so; kept in the ledger.")]
WhoOption = Annotated[str | None, typer.Option("--who", help="In whose name; your login name if not given.")]
ThreadArgument = Annotated[str, typer.Argument(help="Run id, or the thread id of any other graph.")]
DatabaseArgument = Annotated[str, typer.Argument(help="sqlite:FILE, a database of LangGraph's SqliteSaver.")]
SignOption = Annotated[Path | None, typer.Option("--sign", help="Private key (PEM) that signs the attestation.")]
ThreadOption = Annotated[list[str] | None, typer.Option("--thread", help="Which thread; all if not given. Repeatable.")]
AllowOption = Annotated[
    list[str] | None, typer.Option("--allow", help="MODULE:NAME of a type that values may name. Repeatable.")
]

TaskFileArgument = Annotated[Path, typer.Argument(help="A task card, or a task file of another tool.")]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="Format of the file; recognised by its content if not given.")
]
TagOption = Annotated[str | None, typer.Option("--tag", help="Which tag of a Task Master file.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="PROVIDER:NAME of a chat model that reads prose (extra: llm).")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Accept the plan of a foreign file without asking.")]
AcceptOption = Annotated[
    str | None, typer.Option("--accept", help="Accept that plan only: its digest, as `waypost plan` prints it.")
]
WriteBackOption = Annotated[
    bool, typer.Option("--write-back", help="Set the task to done in its file once it is DONE.")
]
OnLostOption = Annotated[
    Literal["retry", "rework", "block"],
    typer.Option("--on-lost", help="A worker is gone without a result: start it again, count a rework, or ask."),
]
