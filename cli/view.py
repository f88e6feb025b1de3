"""What a person or a script sees of a run: plain lines, nothing but what needs them, or JSON lines."""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from rich.console import Console
from rich.text import Text

from ..state.errors import WaypostError
from ..state.events import AttemptAdopted, AttemptFinished, AttemptStarted, Event
from ..state.pipeline import PipelineState
from ..state.status import Status
from .ending import exit_code
from .safe import one_line, printable
from .summary import summary_lines, summary_record

if TYPE_CHECKING:
    from ..nodes.formats.foreign.write_back import Written

COLOURS = {"PASSED": "green", "DONE": "green", "FAILED": "red", "UNVERIFIABLE": "yellow", "BLOCKED": "yellow"}


class Told(Protocol):
    """Receives what stop signals do, what was written back, and why a command failed."""

    def draining(self, signal_name: str, *, by_hand: bool) -> None: ...
    def stopping(self, signal_name: str, told: int | None) -> None: ...
    def wrote_back(self, written: Written) -> None: ...
    def failed(self, error: WaypostError) -> int: ...


class View(Told, Protocol):
    """Receives what happens. Entered while the run is driven, or watched."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def begin(self, run: str, what: str, run_dir: Path) -> None: ...
    def event(self, event: Event) -> None: ...
    def ended(self, state: PipelineState, run_dir: Path) -> None: ...


def is_live() -> bool:
    """Whether stdout is a terminal that can be drawn on, with a person before it and not the log of a CI system."""
    drawn_on = sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    return drawn_on and not os.environ.get("CI")


def choose_view(*, json: bool) -> JsonView | TextView:
    """For commands that only say how they ended: JSON lines where asked for, else plain lines."""
    return JsonView() if json else TextView()


class JsonView:
    """One JSON object per line on stdout, the last of them a `result` or an `error`; see docs/terminal.md."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def begin(self, run: str, what: str, run_dir: Path) -> None:
        self.tell({"event": "run_started", "run_id": run, "text": what})

    def event(self, event: Event) -> None:
        self.tell(dict(event))

    def draining(self, signal_name: str, *, by_hand: bool) -> None:
        self.tell({"event": "draining", "text": signal_name})

    def stopping(self, signal_name: str, told: int | None) -> None:
        self.tell({"event": "stopping", "text": signal_name, "workers": told})

    def ended(self, state: PipelineState, run_dir: Path) -> None:
        self.tell({"event": "result", **summary_record(state, run_dir), "exit_code": exit_code(state)})

    def wrote_back(self, written: Written) -> None:
        self.tell({"event": "written_back", "file": str(written.path), "lines": list(written.lines)})

    def failed(self, error: WaypostError) -> int:
        self.tell(
            {
                "event": "error",
                "error": type(error).__name__,
                "text": error.what,
                "facts": {label: str(value) for label, value in error.facts.items()},
                "next": error.next_step,
                "exit_code": error.exit_code,
            }
        )
        return error.exit_code

    def tell(self, record: dict[str, Any]) -> None:
        """Print a record, with the time unless it has one of its own."""
        # In one piece: a stop signal is told by another thread.
        with self._lock:
            at = record.pop("at", None) or datetime.now(UTC).isoformat(timespec="milliseconds")
            sys.stdout.write(json.dumps({"event": record["event"], "at": at, **record}, ensure_ascii=True) + "\n")
            sys.stdout.flush()


class CalmConsole(Console):
    """A console that leaves it to us what a reader who went away means."""

    def __init__(self, *, stderr: bool = False) -> None:
        # The log of a CI system is no terminal, also where it is made to look like one.
        in_ci = bool(os.environ.get("CI")) and not os.environ.get("FORCE_COLOR")
        terminal = False if in_ci else None
        super().__init__(
            highlight=False, soft_wrap=True, stderr=stderr, emoji=False, markup=False, force_terminal=terminal
        )

    def on_broken_pipe(self) -> None:
        """Rich would end the process as if the run had failed."""
        raise BrokenPipeError


class TextView:
    """Plain lines, one for each event: calm in the log of a CI system."""

    def __init__(self) -> None:
        self.console = CalmConsole()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def begin(self, run: str, what: str, run_dir: Path) -> None:
        self.line("run", run)
        self.line("", what)

    def event(self, event: Event) -> None:
        line = _described(event)
        if line is not None:
            self.line(event["node"], *line)

    def draining(self, signal_name: str, *, by_hand: bool) -> None:
        rest = "; Ctrl-C again stops the workers too" if by_hand else " at the next checkpoint, workers go on"
        self.line("", f"{signal_name}: stopping{rest}")

    def stopping(self, signal_name: str, told: int | None) -> None:
        if told is None:
            self.line("", f"{signal_name}: stopping already, workers have a few seconds to end")
        else:
            workers = "no worker is running" if not told else f"stopping {told} worker{'s' if told > 1 else ''} too"
            self.line("", f"{signal_name} again: {workers}")

    def ended(self, state: PipelineState, run_dir: Path) -> None:
        for label, text in summary_lines(state, run_dir):
            self.line(label, text)

    def wrote_back(self, written: Written) -> None:
        lines = ", ".join(map(str, written.lines))
        self.line("written", f"{written.path}:{lines}" if lines else f"{written.path} said so before")

    def failed(self, error: WaypostError) -> int:
        shown = Text("error: ", style="bold red").append(printable(error.render()), style="default")
        CalmConsole(stderr=True).print(shown)
        return error.exit_code

    def line(self, label: str, text: str, duration_s: float | None = None) -> None:
        """Print one line; a text that is set in by blanks stays so."""
        line = Text(f"{one_line(label):<11} " if label or text else "", style="bold")
        self.console.print(line.append_text(styled(text, duration_s)))


class QuietView(TextView):
    """Nothing at all of a run that is DONE; of any other the summary, on stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.console = CalmConsole(stderr=True)

    def begin(self, run: str, what: str, run_dir: Path) -> None:
        return None

    def event(self, event: Event) -> None:
        return None

    def ended(self, state: PipelineState, run_dir: Path) -> None:
        if state.status is not Status.DONE:
            self.line("run", state.run_id)
            for label, text in summary_lines(state, run_dir):
                if label or text:
                    self.line(label, text)

    def wrote_back(self, written: Written) -> None:
        return None


def styled(text: str, duration_s: float | None = None) -> Text:
    """A text in one line, with its first word in the colour that it stands for."""
    first, _, rest = one_line(text).partition(" ")
    line = Text(text[: len(text) - len(text.lstrip())], style="default")
    line.append(first, style=COLOURS.get(first, "default"))
    line.append(f" {rest}" if rest else "", style="default")
    if duration_s is not None:
        line.append(f"  {duration_s:.2f} s", style="dim")
    return line


def _described(event: Event) -> tuple[str, float | None] | None:
    """What a line says of an event, and how long it took; None for an event that has no line."""
    match event["event"]:
        case "node_finished":
            return f"{event['outcome']}: {event['text']}", event.get("duration_s")
        case "attempt_started":
            return f"{_attempt(event)} started: {event['text']}", None
        case "attempt_adopted":
            return f"{_attempt(event)} is still running: adopted", None
        case "attempt_finished":
            code = f", exit code {event['exit_code']}" if "exit_code" in event else ""
            return f"{_attempt(event)} {event['outcome']}{code}", None
        case "check_finished":
            step = f"{event['step']} " if "step" in event else ""
            return f"{event['outcome']} {step}{event['text']}", event.get("duration_s")
        case _:
            return None


def _attempt(event: AttemptStarted | AttemptAdopted | AttemptFinished) -> str:
    return f"{event['step']} attempt {event['attempt']}"
