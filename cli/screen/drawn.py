"""What views that draw have in common: a picture that is drawn again and again, and lines that fit beside it."""

from __future__ import annotations

import threading
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from ..view import TextView, styled
from .rows import Sheet

_PER_S = 10
_LABEL = 12
_NARROWEST = 20
_COPIED = frozenset({"batch", "evidence", "log", "next", "report", "run", "written"})


class Drawn(TextView):
    """Draws `picture` while it is entered, and leaves the last one standing."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = False
        self.drawing = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        # Not before: rich asks for the first picture at once.
        self._live = Live(
            console=self.console,
            get_renderable=self._frame,
            refresh_per_second=_PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self.drawing:
            self._ended = True
        if self._live is not None:
            self._live.stop()

    def picture(self, sheet: Sheet, *, ended: bool) -> list[Text]:
        """The rows to draw. Called in another thread, with `drawing` held.

        Args:
            ended: it is the last one: nothing moves any more.
        """
        raise NotImplementedError

    def line(self, label: str, text: str, duration_s: float | None = None) -> None:
        """Print one line; prose is wrapped beside its label, what is to be copied is left to the terminal."""
        inset = " " * (len(text) - len(text.lstrip()))
        room = self.console.width - _LABEL - len(inset)
        if label in _COPIED or not text or room < _NARROWEST:
            super().line(label, text, duration_s)
            return
        for number, row in enumerate(styled(text, duration_s).wrap(self.console, room)):
            first = f"{label:<{_LABEL - 1}} " if number == 0 else " " * _LABEL + inset
            self.console.print(Text(first, style="bold").append_text(row))

    def _frame(self) -> Group:
        with self.drawing:
            return Group(*self.picture(Sheet.of(self.console), ended=self._ended))
