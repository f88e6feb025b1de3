"""Options and arguments that several commands share, for task files of any format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
