"""The live view of a run: the tree of its steps, drawn from its ledger and the files of its attempts."""

from __future__ import annotations

import time
from pathlib import Path

from rich.text import Text

from ...nodes.config import kept_config
from ...nodes.evidence.manifest import LEDGER
from ...state.errors import WaypostError
from ...state.events import Event
from ..configured import workers_of
from ..seen import see_run
from .drawn import Drawn
from .rows import Sheet
from .run_picture import RunPicture
from .tail import Tails

_LOOK_EVERY_S = 0.2


class LiveView(Drawn):
    """Looks at a run by itself, so it shows the same to who drives it and to who watches."""

    def __init__(self) -> None:
        super().__init__()
        self._run_dir: Path | None = None
        self._tails = Tails({})
        self._picture: RunPicture | None = None
        self._seen_size = -1
        self._next_look = 0.0

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

    def picture(self, sheet: Sheet, *, ended: bool) -> list[Text]:
        if ended:
            self._next_look = 0.0
        self._look()
        return self._picture.rows(sheet, ended=ended) if self._picture is not None else []

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
