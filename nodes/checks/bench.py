"""Where a check of a kind looks and what it keeps, and reading that back for its verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ...state.errors import EvidenceError
from ...state.records import Check, Outcome
from ..evidence.files import RunFolder, open_run_folder
from ..workers.files import make_private_folder, write_private
from ..workers.launcher.masking import Masker
from .command import argv_of, why_absent
from .kinds.bounded import Bounded
from .kinds.kind import Judged, NotKept, Seen, failed, unverifiable
from .kinds.notes import note_of
from .process import Ran, run_command
from .watch_tests import run_watched

JUDGED_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class WorkBench:
    """The bench of one check.

    Attributes:
        folder, name: what is kept stands there, and is named so.
        env: the variables of its process.
        stop: the run drains.
        holds: in an isolated run, whether the commit that is looked at holds a path.
    """

    workspace: Path
    folder: Path
    name: str
    timeout_s: float
    output_limit_bytes: int
    env: Mapping[str, str]
    masker: Masker
    stop: Callable[[], bool]
    holds: Callable[[str], bool] | None = None

    def run(self, command: str, arguments: Sequence[str] = ()) -> Seen:
        """As `Bench.run`. Raises CheckStopped where the run drains."""
        log = self._path("log")
        argv: tuple[str, ...] = ()
        try:
            argv = (*argv_of(command), *arguments)
            run = partial(
                run_command,
                argv,
                workspace=self.workspace,
                log=log,
                timeout_s=self.timeout_s,
                output_limit_bytes=self.output_limit_bytes,
                masker=self.masker,
                stop=self.stop,
            )
            ran = run_watched(run, argv, self.env, log, self.masker)
        except ValueError as error:
            ran = Ran(None, 0.0, error=f"not a command: {error}")
        return Seen(
            argv=() if ran.error else argv,
            exit_code=ran.exit_code,
            duration_s=ran.duration_s,
            log=log if log.exists() else None,
            given_up=self._given_up(ran, command, argv),
        )

    def _given_up(self, ran: Ran, command: str, argv: tuple[str, ...]) -> Judged | None:
        if ran.stopped:
            return failed(ran.stopped)
        if ran.exit_code == 0:
            return None
        absent = why_absent(command, argv, ran.exit_code, self.workspace, self.env, stop=self.stop) if argv else None
        if absent:
            return unverifiable(absent)
        return unverifiable(ran.error) if ran.exit_code is None else None

    def read(self, path: str) -> bytes:
        """As `Bench.read`."""
        if self.holds is not None and not self.holds(path):
            raise NotKept(f"{path} is in no commit: it is missing, git ignores it, or a check has made it")
        try:
            with open_run_folder(self.workspace.resolve()) as top:
                return _whole(top, path)
        except EvidenceError as error:
            raise NotKept(error.what) from None

    def keep(self, name: str, content: bytes) -> Path:
        """As `Bench.keep`."""
        path = self._path(name)
        write_private(path, self.masker.bytes(content))
        return path

    def note(self, **facts: object) -> Path:
        """As `Bench.note`."""
        return self.keep("json", note_of(facts))

    def _path(self, suffix: str) -> Path:
        make_private_folder(self.folder)
        return self.folder / f"{self.name}.{suffix}"


@dataclass(frozen=True)
class KeptFiles:
    """What a check has kept, read from the folder of its run; `bounded` does what a stranger could make slow."""

    check: Check
    run: RunFolder
    bounded: Bounded = field(default_factory=Bounded)

    @property
    def exit_code(self) -> int | None:
        """As `Kept.exit_code`."""
        return self.check.exit_code

    def log(self) -> bytes:
        """As `Kept.log`."""
        if self.check.log is None:
            raise NotKept("there is no log to judge")
        return self._read(self.check.log)

    def file(self, name: str) -> bytes:
        """As `Kept.file`."""
        found = next((file.path for file in self.check.kept if file.path.endswith(f".{name}")), None)
        if found is None:
            raise NotKept(f"no {name} was kept")
        return self._read(found)

    def holds(self, pattern: str, text: bytes) -> bool:
        """As `Kept.holds`."""
        return self.bounded.holds(pattern, text)

    def schema_errors(self, schema: bytes, document: bytes) -> list[str]:
        """As `Kept.schema_errors`."""
        return self.bounded.schema_errors(schema, document)

    def _read(self, path: str) -> bytes:
        try:
            return _whole(self.run, path)
        except EvidenceError as error:
            raise NotKept(error.what) from None


def never_passed(judged: Judged) -> Judged:
    """A look that gave up has proved nothing, whatever it says."""
    return failed(judged.reason) if judged.outcome is Outcome.PASSED else judged


def _whole(folder: RunFolder, path: str) -> bytes:
    with folder.open(path) as file:
        if file.size > JUDGED_MAX_BYTES:
            raise NotKept(f"{path} has {file.size} bytes, at most {JUDGED_MAX_BYTES} are judged")
        pieces: list[bytes] = []
        file.copy(pieces.append)
        return b"".join(pieces)
