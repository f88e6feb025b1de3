"""Opening a task file for a command, and having its plan accepted before anything of it runs."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..nodes.checks.kinds import installed_kinds
from ..nodes.formats.foreign import TaskSource, open_tasks
from ..nodes.formats.foreign.prose import read_prose
from ..nodes.prepare import AcceptedTask
from ..state.acceptance import Acceptance
from ..state.errors import InputError
from .model import load_model


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a task file is to be read."""

    format: str | None = None
    tag: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptOptions:
    """How the plan of a foreign file is accepted: asked for on a terminal, by `--yes`, or by naming its digest."""

    yes: bool = False
    digest: str | None = None
    write_back: bool = False
    who: str | None = None


def open_source(path: Path, options: SourceOptions) -> TaskSource:
    """Read a task file. Raises TaskFileError, InputError."""
    if options.model is None:
        return open_tasks(path, options.format, tag=options.tag, kinds=installed_kinds())
    model = load_model(options.model)
    return open_tasks(
        path,
        options.format,
        tag=options.tag,
        free_text=lambda document: read_prose(document, model),
        kinds=installed_kinds(),
    )


def accept(source: TaskSource, id: str, options: AcceptOptions, sourced: SourceOptions) -> AcceptedTask:
    """The task of a foreign file, once its plan is accepted; the plan was shown before.

    Raises:
        InputError: nobody accepted it: there is no terminal to ask on and no option says so, the answer was no, or the
            digest is another one.
    """
    acceptance = accept_plan(source, options, sourced)
    task = source.runnable(id)
    if source.is_card and task.source.sha256 not in acceptance.files.values():
        raise InputError(f"{source.path} was changed while it was read: nothing was started", next_step="try again")
    return AcceptedTask(task, acceptance)


def accept_plan(source: TaskSource, options: AcceptOptions, sourced: SourceOptions) -> Acceptance:
    """That the plan of a file is accepted. A card of our own says itself what is run, and needs nobody's word; where a
    digest is given, it is held to it all the same.

    Raises:
        InputError: as `accept`.
    """
    return Acceptance(
        how="a card" if source.is_card and options.digest is None else _how(source, options),
        format=source.format,
        digest=source.digest,
        files={str(Path(file.path).resolve()): file.sha256 for file in source.files},
        tag=sourced.tag,
        who=options.who or getpass.getuser(),
        at=datetime.now(UTC),
        write_back=options.write_back,
    )


def _how(source: TaskSource, options: AcceptOptions) -> str:
    if options.digest is not None:
        if len(options.digest) < 12 or not source.digest.startswith(options.digest):
            raise InputError(
                "this is not the plan that --accept names: nothing was started",
                facts={"accepted": options.digest, "found": source.digest},
                next_step="look at it with waypost plan, and accept its digest",
            )
        return "--accept"
    if options.yes:
        return "--yes"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "nobody accepted this plan: nothing was started",
            facts={"digest": source.digest},
            next_step="--yes accepts it without a question, --accept DIGEST only while the files stay as they are",
        )
    try:
        answer = input("Accept this plan, and run these checks? [y/N] ")
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer.strip().casefold() not in ("y", "yes"):
        raise InputError("the plan was not accepted: nothing was started")
    return "asked"
