"""The verdict after a fault: is everything there that was promised, nothing else, and can it go on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from waypost.state.errors import LedgerError

from faults.model import Impossible, Truth
from faults.subjects import SUBJECTS, Subject, Talk, state_in


def verdict(name: str, folder: Path, truth: Truth, told: list[dict[str, Any]], *, go_on: bool = False) -> str:
    """What is wrong with what a victim left; empty if nothing. `truth` is what is known from then on."""
    face = SUBJECTS[name]
    try:
        for message in told:
            truth.take(message)
        if truth.broken:
            return f"the victim broke: {truth.broken.strip().splitlines()[-1]}"
        saver = face.open(folder)
        try:
            return _look(face, saver, folder, truth, go_on)
        finally:
            face.close(saver)
    except Impossible as why:
        return str(why)
    except (LedgerError, sqlite3.Error) as error:
        return f"cannot be read or written again: {type(error).__name__}: {str(error).splitlines()[0]}"


def _look(face: Subject, saver: Any, folder: Path, truth: Truth, go_on: bool) -> str:
    for thread in [*truth.possible]:
        truth.see(thread, state_in(saver, thread))
    if go_on:
        for thread in truth.possible:
            _go_on(saver, thread, truth)
    return "; ".join(face.complaints(folder))


def _go_on(saver: Any, thread: str, truth: Truth) -> None:
    op, call = Talk(saver, thread).put("goes on")
    truth.take({"try": op})
    call()
    truth.take({"ok": op[0]})
    truth.see(thread, state_in(saver, thread))
