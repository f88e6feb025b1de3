"""Help that can be read like a manual: options in groups, then examples, exit codes and variables, in 80 columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

_BOUNDS = r"(?:[-\d.e]+<=?)?x(?:[<>]=?[-\d.e]+)?"
_RANGE = re.compile(rf"; {_BOUNDS}(?=\])|\s*\[{_BOUNDS}\]")
_UNITS = (("-s", "SECONDS"), ("-usd", "USD"), ("-bytes", "BYTES"))
_KINDS = {
    "<path>": "PATH",
    "<str>": "TEXT",
    "<list[str]>": "TEXT",
    "<int range>": "N",
    "<float range>": "N",
    "<int>": "N",
    "<float>": "N",
}
_FIRST = "Options"


class Manual(TyperCommand):
    """A command whose `--help` tells all that is in its page."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments first, then the options by group, each group in the order of its first."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                argument = param.param_type_name == "argument"
                group = "Arguments" if argument else getattr(param, "rich_help_panel", None) or _FIRST
                groups.setdefault(group, []).append(_plain(record))
        for name in sorted(groups, key=lambda name: (name != "Arguments", name != _FIRST)):
            with formatter.section(name):
                formatter.write_dl(groups[name])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The page of the command."""
        from .pages import PAGES, Page

        page = PAGES.get(ctx.command_path.partition(" ")[2], Page())
        if page.examples:
            with formatter.section("Examples"):
                for what, line in page.examples:
                    formatter.write_text(f"# {what}")
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        for heading, rows in (("Exit codes", page.exits), ("Environment", page.environment), ("Files", page.files)):
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(list(rows))
        if page.see:
            with formatter.section("See also"):
                formatter.write_text(", ".join(page.see))


class Manuals(typer.Typer):
    """A Typer app whose commands are manuals."""

    def command(self, name: str | None = None, *, cls: Any = Manual, **given: Any) -> Callable[[Any], Any]:
        """As Typer's."""
        return super().command(name, cls=cls, **given)


def _plain(record: tuple[str, str]) -> tuple[str, str]:
    """A row of the help without the words of the parser: units instead of kinds, and no bounds that nobody meets."""
    names, text = record
    for kind, word in _KINDS.items():
        unit = next((unit for end, unit in _UNITS if names.split(" ")[0].endswith(end)), word)
        names = names.replace(kind, unit)
    return names, _RANGE.sub("", text).rstrip()
