"""Which view fits: the one that was asked for, or what the terminal can show."""

from __future__ import annotations

from .batch_view import BatchView, JsonBatchView, QuietBatchView, TextBatchView
from .screen.live import LiveView
from .screen.live_batch import LiveBatchView
from .view import JsonView, QuietView, TextView, View, is_live


def choose_run_view(*, json: bool, quiet: bool) -> View:
    """JSON lines or nearly nothing where asked for; a picture on a terminal; plain lines anywhere else."""
    if json:
        return JsonView()
    if quiet:
        return QuietView()
    return LiveView() if is_live() else TextView()


def choose_batch_view(*, json: bool, quiet: bool) -> BatchView:
    """The same for a batch."""
    if json:
        return JsonBatchView()
    if quiet:
        return QuietBatchView()
    return LiveBatchView() if is_live() else TextBatchView()
