"""The `waypost` command itself; the other rooms here add their commands to it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..._version import __version__
from .manual import Manuals

_ORDER = (
    *("run", "watch", "explain", "status", "view", "resume", "approve", "reject"),
    *("plan", "init", "doctor"),
    *("audit", "reproduce", "bundle", "attest", "keygen"),
    *("clean", "fsck", "ledger", "graph", "schema"),
    *("studio", "mcp"),
)


class InOrder(TyperGroup):
    """Help lists the commands in the order people need them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return sorted(
            super().list_commands(ctx), key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)
        )


app = Manuals(
    name="waypost",
    cls=InOrder,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Runs a task to done and can prove it.\n\n"
    "Example:  waypost run tasks.md --task DKT-003\n\n"
    "Exit codes: 0 done, 1 failed, 2 bad input or usage, 3 blocked (a person is needed), 4 interrupted and resumable.",
)

ledger = Manuals(
    no_args_is_help=True, rich_markup_mode=None, help="Look into the ledgers of any LangGraph thread, or move them."
)
app.add_typer(ledger, name="ledger")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"waypost {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Nothing but `--version` belongs to the command itself."""
    return
