"""What a person or a script sees of a run: plain lines, a live line on a terminal, or JSON lines."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Protocol, Self

from rich.console import Console
from rich.status import Status as Spinner
from rich.text import Text

from ..nodes.formats.foreign.write_back import Written
from ..state.errors import WaypostError
from ..state.events import Event
from ..state.pipeline import PipelineState
from .ending import exit_code
from .summary import summary_lines, summary_record

_COLOURS = {"PASSED": "green", "DONE": "green", "FAILED": "red", "UNVERIFIABLE": "yellow", "BLOCKED": "yellow"}
_BEGINNINGS = ("node_started", "attempt_started", "attempt_adopted", "check_started")


class View(Protocol):
    """Receives what happens. Entered while the run is driven."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def begin(self, run: str, what: str) -> None: ...
    def event(self, event: Event) -> None: ...
    def draining(self, signal_name: str, *, by_hand: bool) -> None: ...
    def stopping(self, signal_name: str, told: int | None) -> None: ...
    def ended(self, state: PipelineState, run_dir: Path) -> None: ...
    def wrote_back(self, written: Written) -> None: ...
    def failed(self, error: WaypostError) -> int: ...


def choose_view(*, json: bool) -> View:
    """JSON lines where asked for; a live line on a terminal; plain lines anywhere else."""
    if json:
        return JsonView()
    live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return LiveView() if live else TextView()


class JsonView:
    """One JSON object per line on stdout: every event, then one `result` or `error`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def begin(self, run: str, what: str) -> None:
        self._print({"event": "run_started", "run_id": run, "text": what})

    def event(self, event: Event) -> None:
        self._print(dict(event))

    def draining(self, signal_name: str, *, by_hand: bool) -> None:
        self._print({"event": "draining", "text": signal_name})

    def stopping(self, signal_name: str, told: int | None) -> None:
        self._print({"event": "stopping", "text": signal_name, "workers": told})

    def ended(self, state: PipelineState, run_dir: Path) -> None:
        self._print({"event": "result", **summary_record(state, run_dir), "exit_code": exit_code(state)})

    def wrote_back(self, written: Written) -> None:
        self._print({"event": "written_back", "file": str(written.path), "lines": list(written.lines)})

    def failed(self, error: WaypostError) -> int:
        facts = {label: str(value) for label, value in error.facts.items()}
        self._print(
            {
                "event": "error",
                "error": type(error).__name__,
                "text": error.what,
                "facts": facts,
                "next": error.next_step,
                "exit_code": error.exit_code,
            }
        )
        return error.exit_code

    def _print(self, record: dict[str, Any]) -> None:
        # In one piece: a stop signal is told by another thread.
        with self._lock:
            sys.stdout.write(json.dumps(record, ensure_ascii=True) + "\n")
            sys.stdout.flush()


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process as if the run had failed."""
        raise BrokenPipeError


class TextView:
    """Plain lines, calm in a CI log."""

    def __init__(self) -> None:
        self.console: Console = _Console(highlight=False, soft_wrap=True)
        self._clock = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def begin(self, run: str, what: str) -> None:
        self._line("run", run)
        self._line("", what)

    def event(self, event: Event) -> None:
        line = _describe(event)
        if line is not None:
            self._line(event["node"], *line)

    def draining(self, signal_name: str, *, by_hand: bool) -> None:
        rest = "; Ctrl-C again stops the workers too" if by_hand else " at the next checkpoint, workers go on"
        self._line("", f"{signal_name}: stopping{rest}")

    def stopping(self, signal_name: str, told: int | None) -> None:
        if told is None:
            self._line("", f"{signal_name}: stopping already, workers have a few seconds to end")
        else:
            workers = "no worker is running" if not told else f"stopping {told} worker{'s' if told > 1 else ''} too"
            self._line("", f"{signal_name} again: {workers}")

    def ended(self, state: PipelineState, run_dir: Path) -> None:
        for label, text in summary_lines(state, run_dir):
            self._line(label, text)

    def wrote_back(self, written: Written) -> None:
        lines = ", ".join(map(str, written.lines))
        self._line("written", f"{written.path}:{lines}" if lines else f"{written.path} said so before")

    def failed(self, error: WaypostError) -> int:
        shown = Text("error: ", style="bold red").append(printable(error.render()), style="default")
        Console(stderr=True, highlight=False, soft_wrap=True).print(shown)
        return error.exit_code

    def _line(self, label: str, text: str, duration_s: float | None = None) -> None:
        line = Text(f"{label:<11} " if label or text else "", style="bold")
        first, _, rest = printable(text).partition(" ")
        line.append(first, style=_COLOURS.get(first, "default"))
        line.append(f" {rest}" if rest else "", style="default")
        if duration_s is not None:
            line.append(f"  {duration_s:.2f} s", style="dim")
        self.console.print(line)


class LiveView(TextView):
    """The same lines, with one below them that says what is going on now and for how long."""

    def __init__(self) -> None:
        super().__init__()
        self._now = ""
        self._spinner = Spinner(_Elapsed(self), console=self.console)

    def __enter__(self) -> Self:
        self._spinner.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._spinner.stop()

    def event(self, event: Event) -> None:
        super().event(event)
        if event["event"] in (*_BEGINNINGS, "attempt_progress"):
            parts = [event["node"], event.get("step", ""), f"attempt {event['attempt']}" if "attempt" in event else ""]
            self._now = " ".join(part for part in (*parts, printable(event.get("text", ""))) if part)
            self._clock = time.monotonic() if event["event"] in _BEGINNINGS else self._clock

    def now(self) -> Text:
        """The live line."""
        return Text(
            f"{self._now}  {time.monotonic() - self._clock:.0f} s", style="dim", overflow="ellipsis", no_wrap=True
        )


class _Elapsed:
    def __init__(self, view: LiveView) -> None:
        self._view = view

    def __rich__(self) -> Text:
        return self._view.now()


def _describe(event: Event) -> tuple[str, float | None] | None:
    kind, text = event["event"], event.get("text", "")
    step = f"{event['step']} " if "step" in event else ""
    attempt = f"attempt {event['attempt']} " if "attempt" in event else ""
    if kind == "node_finished":
        return f"{event.get('outcome', '')}: {text}", event.get("duration_s")
    if kind == "attempt_started":
        return f"{step}{attempt}started: {text}", None
    if kind == "attempt_adopted":
        return f"{step}{attempt}is still running: adopted", None
    if kind == "attempt_finished":
        return f"{step}{attempt}{event.get('outcome', '')}", None
    if kind == "check_finished":
        return f"{event.get('outcome', '')} {step}{text}", event.get("duration_s")
    return None


def printable(text: str) -> str:
    """Text of others, without what could drive the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)
