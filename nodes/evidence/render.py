"""Printing a view with the templates beside this file. What a template prints is escaped unless it was made safe."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ...state.batch import BatchState
from . import markdown
from .moments import between, moment, seconds
from .view import Artifact, View

_loading = threading.Lock()


def render(template: str, view: View, reports: tuple[Artifact, ...]) -> bytes:
    """The report `template` makes of `view`; `reports` are the evidence files that were written before it."""
    return _template(template).render(view=view, reports=reports).encode()


def render_batch(state: BatchState, counts: dict[str, int]) -> bytes:
    """The report of a batch for people."""
    return _template("batch.md.j2").render(state=state, counts=counts).encode()


def _template(name: str) -> Template:
    # Runs that come here side by side would compile one template each.
    with _loading:
        return _environment().get_template(name)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        # Markdown is not HTML: `_shown` escapes instead, and also what HTML escaping would let through.
        autoescape=False,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    cast("dict[str, Any]", made.filters).update(
        code=markdown.code,
        cell=markdown.code_cell,
        codes=markdown.codes,
        cells=markdown.code_cells,
        command=markdown.shell_join,
        fenced=markdown.fenced,
        moment=moment,
        seconds=seconds,
        between=between,
    )
    return made


def _shown(value: object) -> markdown.Md:
    return value if isinstance(value, markdown.Md) else markdown.text(str(value))
