"""Finding what was asked for: a thread by its id, a checkpoint by its id, the beginning of it, or its step."""

from __future__ import annotations

import re
from pathlib import Path

from ..checkpointing.index import Entry
from ..checkpointing.looking import glance, thread_store
from ..checkpointing.pool import shared_pool
from ..checkpointing.store import ThreadStore
from ..checkpointing.view import View
from ..state.errors import InputError, RunNotFound
from .ledger_text import escaped

_STEP = re.compile(r"-?\d{1,6}")
_NAMED = 12


def find_thread(run: str, runs: Path) -> tuple[ThreadStore, View]:
    """The thread of that id, of whatever graph.

    Raises:
        RunNotFound: there is none; the message names some that there are.
        LedgerCorrupt: it is damaged.
    """
    store = thread_store(runs, run)
    view = store.view(settle=False)
    if view is None:
        raise no_thread(run, runs)
    return store, view


def no_thread(run: str, runs: Path) -> RunNotFound:
    """The complaint that there is no such thread."""
    known = [escaped(thread) for thread in shared_pool(runs, None).threads()]
    shown = ", ".join(known[:_NAMED]) + (f" and {len(known) - _NAMED} more" if len(known) > _NAMED else "")
    return RunNotFound(
        f"there is no run {escaped(run)} in {runs}",
        facts={"there are": shown or "none"},
        next_step="give one of these, or another folder with --runs",
    )


def by_name(view: View, wanted: str) -> Entry:
    """The checkpoint of that id, of that step, or whose id begins so; a short number is a step.

    Raises:
        InputError: there is none, or more than one.
    """
    if _STEP.fullmatch(wanted):
        return by_step(view, int(wanted))
    return by_id(view, wanted)


def by_id(view: View, wanted: str) -> Entry:
    """The checkpoint of that id, or whose id begins so."""
    entries = view.entries(None)[::-1]
    exact = [entry for entry in entries if entry.id == wanted]
    found = exact or [entry for entry in entries if wanted and entry.id.startswith(wanted)]
    return _only(found, view, f"checkpoint {escaped(wanted)}")


def by_step(view: View, step: int) -> Entry:
    """The checkpoint of that step: of the root namespace, or where that has none, of a subgraph."""
    found = [entry for entry in view.entries(None)[::-1] if glance(view, entry).metadata.get("step") == step]
    return _only([entry for entry in found if not entry.ns] or found, view, f"checkpoint of step {step}")


def newest(view: View) -> Entry:
    """The newest checkpoint of the root namespace, or where that has none, of all."""
    entries = view.entries("") or view.entries(None)
    return _only(entries[:1], view, "checkpoint")


def _only(found: list[Entry], view: View, what: str) -> Entry:
    if len(found) == 1:
        return found[0]
    name = escaped(view.index.thread)
    if not found:
        raise InputError(f"run {name} has no {what}", next_step="waypost ledger show RUN lists what it has")
    ids = [
        f"{escaped(entry.id)} (line {entry.line}{', in ' + escaped(entry.ns) if entry.ns else ''})" for entry in found
    ]
    shown = "; ".join(ids[:_NAMED]) + ("; ..." if len(ids) > _NAMED else "")
    raise InputError(f"run {name} has {len(found)} times a {what}", facts={"they are": shown}, next_step="give an id")
