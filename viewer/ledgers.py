"""The ledgers of a runs folder: a few of them kept open and read on, and states read from them without any graph."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..checkpointing.disk import PosixDisk
from ..checkpointing.index import Entry
from ..checkpointing.lease import writer_of
from ..checkpointing.looking import glance, visible
from ..checkpointing.names import is_safe
from ..checkpointing.people import state_at
from ..checkpointing.pool import Pool
from ..checkpointing.store import ThreadStore
from ..checkpointing.view import View
from ..checkpointing.writer import WriterInfo
from ..nodes.recall import BATCH, REQUEST, is_batch, recall_batch, recall_run
from ..state.batch import BatchState
from ..state.errors import LedgerError, RunNotFound, StateError
from ..state.pipeline import PipelineState
from ..state.update import validate_state

_KEPT = 3
_SLUG = re.compile(r"_[a-z0-9._-]{0,40}-[0-9a-f]{32}")
LEDGER = "ledger.jsonl"


@dataclass(frozen=True)
class Found:
    """What stands in one folder, as it is now.

    Attributes:
        view: its ledger; None where nothing has been written to it yet.
        state: of a run or a batch; None where it is a thread of some other graph, whose checkpoints can be looked at.
        problem: why what claims to be a state is none, so that its checkpoints are all that can be shown.
        writer: who writes the ledger, or wrote it last.
    """

    name: str
    folder: Path
    view: View | None
    state: PipelineState | BatchState | None
    writer: WriterInfo | None
    problem: str = ""

    @property
    def driven_by(self) -> int | None:
        """The pid of the process that drives it now."""
        writer = self.writer
        return writer.pid if writer is not None and writer.alive and not writer.released else None


class Ledgers:
    """The ledgers of one folder. Nothing in it is written, and no object of a ledger is built.

    Few are kept: the index of a big one is big, and to read a small one again is quick.

    Args:
        root: the runs folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._disk = PosixDisk()
        self._lock = threading.Lock()
        self._stores: OrderedDict[str, ThreadStore] = OrderedDict()

    def find(self, name: str) -> Found:
        """What stands under that name.

        Raises:
            RunNotFound: there is no such folder, or nothing of ours in it.
            LedgerError: its ledger cannot be read.
            StateError: it has no ledger, and what was asked for cannot be read.
        """
        return look(name, self.folder(name), self._store(name))

    def folder(self, name: str) -> Path:
        """The folder of a run. Raises RunNotFound where there is none, also where it is only linked to."""
        folder = self.root / name
        # A name of the address bar must not lead out of the folder.
        if not is_folder_name(name) or folder.is_symlink() or not folder.is_dir():
            raise RunNotFound(f"there is no run {name[:120]!r} in {self.root}", next_step="go back to the list of runs")
        return folder

    def look_once(self, name: str) -> Found:
        """As `find`, for one of very many: nothing is kept."""
        return look(name, self.root / name, self._open(name))

    def _open(self, name: str) -> ThreadStore:
        """A store of its own, that nobody else in this process keeps in memory."""
        thread = name if is_safe(name) else Pool(self.root, self._disk).thread_in(name)
        if thread is None:
            raise RunNotFound(f"there is no thread in {self.root / name}", next_step="go back to the list of runs")
        return ThreadStore(self._disk, self.root, thread)

    def _store(self, name: str) -> ThreadStore:
        with self._lock:
            store = self._stores.get(name) or self._open(name)
            self._stores[name] = store
            self._stores.move_to_end(name)
            while len(self._stores) > _KEPT:
                self._stores.popitem(last=False)
            return store


def look(name: str, folder: Path, store: ThreadStore) -> Found:
    """Read a folder. Raises as `Ledgers.find`."""
    view = store.view(settle=False)
    writer = writer_of(view.index) if view else None
    try:
        state, problem = _state(view, folder), ""
    except StateError as error:
        state, problem = None, error.render()
    if state is None and view is None:
        if problem:
            raise StateError(problem)
        if (folder / LEDGER).is_file():
            raise LedgerError(f"{folder / LEDGER} holds no intact line", next_step=f"waypost fsck {name} says more")
        raise RunNotFound(f"there is no run {name!r} in {folder.parent}", next_step="go back to the list of runs")
    return Found(name, folder, view, state, writer, problem)


def _state(view: View | None, folder: Path) -> PipelineState | BatchState | None:
    newest = view.index.newest.get("") if view else None
    values = state_of(view, newest) if view and newest and _is_of_ours(view, newest) else {}
    if is_batch(folder):
        return _batch(values, folder)
    return validate_state(values) if "run_id" in values else recall_run(folder)


def is_folder_name(name: str) -> bool:
    """Whether a thread can live in a folder of that name, always a single part of a path."""
    return is_safe(name) or _SLUG.fullmatch(name) is not None


def state_of(view: View, entry: Entry) -> dict[str, Any]:
    """The channels of the user's own state at a checkpoint, as plain JSON."""
    return visible(state_at(view, entry))


def is_ours(folder: Path) -> bool:
    """Whether a folder holds a ledger, or what was asked for before there was one."""
    return any((folder / name).is_file() for name in (LEDGER, REQUEST, BATCH))


def _is_of_ours(view: View, entry: Entry) -> bool:
    """Whether a checkpoint is one of a run or a batch; the state of somebody else's graph may be very big."""
    channels = glance(view, entry).body.get("channel_versions", {})
    return "batch_id" in channels or ("run_id" in channels and "task_file" in channels)


def _batch(values: dict[str, Any], folder: Path) -> BatchState:
    if "batch_id" not in values:
        return recall_batch(folder)
    try:
        return BatchState.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise StateError(f"the state of batch {folder.name} is not valid: {error}") from None
