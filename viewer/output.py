"""Files of a run as they are shown: the beginning and the end of big ones, and only files that a record names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..nodes.evidence.files import RunFolder, open_run_folder
from ..nodes.evidence.write import report_folder
from ..state.errors import EvidenceError
from ..state.pipeline import PipelineState
from ..state.records import Check

HEAD, TAIL = 48 << 10, 96 << 10
SHOWN = HEAD + TAIL
SEARCHED, DOCUMENT = 8 << 20, 1 << 20
_HASHED = 64 << 20


@dataclass(frozen=True)
class Output:
    """A file as far as it is shown.

    Attributes:
        head, tail: its text; `tail` is empty where all of it is in `head`.
        hidden: bytes between the two.
        trusted: whether it has the hash that was recorded; None where none was, or it is too big to look.
        problem: why it cannot be shown, in words.
    """

    path: str
    size: int = 0
    head: str = ""
    tail: str = ""
    hidden: int = 0
    trusted: bool | None = None
    problem: str = ""

    @property
    def empty(self) -> bool:
        """Whether it was read, and nothing is in it."""
        return not self.problem and self.size == 0


def read_output(run: RunFolder, path: str, recorded: str | None = None, *, most: int = SHOWN) -> Output:
    """A file of a run; one that cannot be read is told as such.

    Args:
        recorded: the SHA-256 that the state has of it.
        most: so many bytes of it; of a longer one the beginning and the end.
    """
    try:
        with run.open(path) as file:
            size = file.size
            if size <= most:
                data = file.stream.read(size)
                head, tail = data, b""
            else:
                head = file.stream.read(most - TAIL)
                file.stream.seek(size - TAIL)
                tail = file.stream.read(TAIL)
            hidden = max(0, size - len(head) - len(tail))
            trusted = _is_recorded(run, path, recorded, size)
    except EvidenceError as error:
        return Output(path, problem=error.what)
    return Output(path, size, _text(head), _text(tail), hidden, trusted)


def last_lines(run: RunFolder, path: str, *, lines: int) -> str:
    """The newest lines of a file that may just be written; empty where there is none."""
    try:
        with run.open(path) as file:
            file.stream.seek(max(0, file.size - (lines << 9)))
            return "\n".join(_text(file.stream.read(lines << 9)).splitlines()[-lines:])
    except EvidenceError:
        return ""


def all_checks(state: PipelineState) -> tuple[Check, ...]:
    """Every check that is recorded: of round 0, before the work, and of all rounds after it."""
    return (*(state.before.checks if state.before else ()), *state.checks)


def files_of(state: PipelineState, folder: Path) -> dict[str, str | None]:
    """Every file of a run that may be shown, with its recorded hash where there is one.

    A path comes from the address bar: what no record leads to is not opened.
    """
    found: dict[str, str | None] = {check.log: check.log_sha256 for check in all_checks(state) if check.log}
    found |= {file.path: file.sha256 for file in state.evidence}
    folders = [attempt.folder for attempt in state.attempts]
    folders += [f"dispatch/{order.step}/attempt-{order.number}" for order in state.orders]
    folders += [report_folder(state.task)] if state.task else []
    with open_run_folder(folder) as run:
        for one in dict.fromkeys(folders):
            for name in _names(run, one):
                found.setdefault(f"{one}/{name}", None)
    for attempt in state.attempts:
        found[f"{attempt.folder}/stdout.log"] = attempt.stdout_sha256
        found[f"{attempt.folder}/stderr.log"] = attempt.stderr_sha256
    return found


def stream(folder: Path, path: str) -> Iterator[bytes]:
    """A file of a run, in pieces. Raises EvidenceError where it cannot be opened, before the first."""
    with open_run_folder(folder) as run, run.open(path) as file:
        left = file.size
        while left and (piece := file.stream.read(min(left, 1 << 18))):
            left -= len(piece)
            yield piece


def _names(run: RunFolder, folder: str) -> tuple[str, ...]:
    try:
        return tuple(name for name in run.names(folder) if not name.endswith(".lock"))
    except EvidenceError:
        return ()


def _is_recorded(run: RunFolder, path: str, recorded: str | None, size: int) -> bool | None:
    if recorded is None or size > _HASHED:
        return None
    with run.open(path) as file:
        return file.copy(_nowhere).sha256 == recorded


def _nowhere(_chunk: bytes) -> None:
    return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
