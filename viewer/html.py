"""Pages from the templates beside this file. Everything that is put into them is escaped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from ..nodes.evidence.markdown import shell_join
from .ansi import inline, marked, plain, shown

_TONES = {
    "good": ("DONE", "PASSED", "ok", "finished"),
    "bad": ("FAILED", "UNREADABLE", "WRONG", "wrong", "timed_out", "reported_failure", "too_much_output", "no_result"),
    "wait": ("BLOCKED", "UNVERIFIABLE", "DRAINING", "INTERRUPTED", "not checked", "lost", "not_started"),
    "busy": ("PLANNING", "ANALYSIS", "FREEZE", "EXECUTE", "ACCEPT", "RUNNING", "running"),
}
_TONE = {word: tone for tone, words in _TONES.items() for word in words}


def page(template: str, /, status_code: int = 200, **given: Any) -> HTMLResponse:
    """A page."""
    # Names of files can be bytes that are no text.
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(given).encode("utf-8", "replace"), status_code)


def quoted(text: str) -> str:
    """A name as a part of an address; decoded as names of files are, it is the same again."""
    try:
        return quote(text, errors="surrogateescape")
    except UnicodeEncodeError:
        return quote(text, errors="replace")


def tone(word: str) -> str:
    """Which of the few colours a word of ours has."""
    return _TONE.get(word, "calm")


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits; empty where the moment is not known."""
    if not seconds:
        return ""
    passed = max(0.0, datetime.now(UTC).timestamp() - seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= length:
            return f"{passed / length:.0f} {unit} ago"
    return "just now" if passed < 10 else f"{passed:.0f} s ago"


def moment(value: datetime | float | str | None) -> str:
    """A time to the second, in UTC."""
    if isinstance(value, str):
        return value[:19].replace("T", " ")
    if isinstance(value, float | int):
        value = datetime.fromtimestamp(value, UTC) if value else None
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if value else ""


def seconds(value: float | None) -> str:
    """A duration."""
    if value is None:
        return ""
    if value >= 90:
        return f"{value // 60:.0f} min {value % 60:.0f} s"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def size(value: int) -> str:
    """A number of bytes."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= length:
            return f"{value / length:.1f} {unit}"
    return f"{value} bytes"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "tone": tone,
        "age": age,
        "moment": moment,
        "seconds": seconds,
        "size": size,
        "shown": shown,
        "plain": plain,
        "marked": marked,
        "inline": inline,
        "command": shell_join,
        "urlencode": quoted,
    }
    cast("dict[str, Any]", made.filters).update(filters)
    return made


_ENVIRONMENT = _environment()
