"""Views that draw: the picture of a run, and lines above it for what a person has to be told."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Self

from rich.console import Group
from rich.live import Live

from ...nodes.config import kept_config
from ...nodes.evidence.manifest import LEDGER
from ...state.errors import WaypostError
from ...state.events import Event
from ..configured import workers_of
from ..seen import see_run
from ..view import TextView
from .rows import Sheet
from .run_picture import RunPicture
from .tail import Tails

PER_S = 10
_LOOK_EVERY_S = 0.2


class LiveView(TextView):
    """The tree of a run's steps, drawn from its ledger and the files of its attempts while it is driven."""

    def __init__(self) -> None:
        super().__init__()
        self._run_dir: Path | None = None
        self._tails = Tails({})
        self._picture: RunPicture | None = None
        self._seen_size = -1
        self._next_look = 0.0
        self._ended = False
        self._drawing = threading.Lock()
        self._live = Live(
            console=self.console,
            get_renderable=self._frame,
            refresh_per_second=PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._drawing:
            self._ended = True
            self._next_look = 0.0
        self._live.stop()

    def begin(self, run: str, what: str, run_dir: Path) -> None:
        self._run_dir = run_dir
        try:
            config = kept_config(run_dir)
        except WaypostError:
            config = None
        self._tails = Tails(workers_of(config) if config else {})

    def event(self, event: Event) -> None:
        if event["event"] == "attempt_adopted":
            super().event(event)

    def _frame(self) -> Group:
        with self._drawing:
            self._look()
            if self._picture is None:
                return Group()
            return Group(*self._picture.rows(Sheet.of(self.console), ended=self._ended))

    def _look(self) -> None:
        now = time.monotonic()
        if self._run_dir is None or now < self._next_look:
            return
        self._next_look = now + _LOOK_EVERY_S
        size = _size(self._run_dir / LEDGER)
        if self._picture is not None and size == self._seen_size:
            self._picture.look_again()
            return
        try:
            seen = see_run(self._run_dir)
        except WaypostError:
            # Whoever drives it tells of that; the picture stays as it was.
            return
        if seen is not None:
            self._picture, self._seen_size = RunPicture(seen, self._tails), size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
