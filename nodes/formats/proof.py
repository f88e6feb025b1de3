"""Which check proves which criterion: numbers checks and criteria, and ties them together.

A criterion is covered only by checks that it names or that name it. Nothing is covered by default.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...state.task import Command, Criterion, Output
from .build import build, one_line
from .paths import output_complaint
from .raw import MAX_ENTRIES, Proof, RawContract, RawCriterion, Words
from .source import SourceFile

ALL = "all"


@dataclass(frozen=True)
class Proved:
    """The part of a contract that says how it is proved."""

    criteria: tuple[Criterion, ...]
    outputs: tuple[Output, ...]
    verification: tuple[Command, ...]


def prove(file: SourceFile, raw: RawContract) -> Proved:
    """Number the checks and criteria of one contract and resolve every reference between them.

    Raises:
        TaskFileError: an id or a command stands twice, a path leaves the workspace, or a reference leads nowhere.
    """
    outputs = _outputs(file, raw)
    checks = _Checks(file, outputs)
    checks.declare(raw)
    ids = _numbered(file, "AC", [(c.id, c.text.line) for c in raw.criteria], "criterion")
    named = [checks.resolve(criterion) for criterion in raw.criteria]
    _add_proves(file, raw, ids, named, [command.ref for command in checks.commands])
    criteria = tuple(_criterion(file, raw, id, refs) for raw, id, refs in zip(raw.criteria, ids, named, strict=True))
    return Proved(criteria, outputs, tuple(checks.commands))


class _Checks:
    """The checks of one contract, by id and by command; criteria may add commands of their own."""

    def __init__(self, file: SourceFile, outputs: tuple[Output, ...]) -> None:
        self.file = file
        self.commands: list[Command] = []
        self._ref_of: dict[str, str] = {}
        self._lines: dict[str, int | None] = {str(output.ref): output.line for output in outputs}

    def declare(self, raw: RawContract) -> None:
        """Take the contract's own verification commands."""
        refs = _numbered(self.file, "V", [(c.ref, c.run.line) for c in raw.verification], "check")
        for command, ref in zip(raw.verification, refs, strict=True):
            if ref in self._lines:
                raise self.file.error(
                    command.run.line, f'check id "{ref}" stands twice', first=f"line {self._lines[ref]}"
                )
            run = one_line(self.file, command.run, "the command")
            if run in self._ref_of:
                raise self.file.error(
                    command.run.line,
                    f"the command `{run}` stands twice",
                    first=self._ref_of[run],
                    next_step="remove one of them; several criteria may name the same check",
                )
            equivalents = self._equivalents(run, command.equivalents)
            self._add(ref, run, command.run.line, equivalents=equivalents, timeout_s=command.timeout_s)

    def resolve(self, criterion: RawCriterion) -> list[str]:
        """The ids of the checks that a criterion names, each once, in the order it names them."""
        return list(dict.fromkeys(self._resolve(proof) for proof in criterion.proofs))

    def _resolve(self, proof: Proof) -> str:
        if proof.is_command:
            run = one_line(self.file, Words(proof.text, proof.line), "the command")
            return self._ref_of.get(run) or self._add(self._free_ref(), run, proof.line)
        if proof.text in self._lines:
            return proof.text
        raise self.file.error(
            proof.line,
            f'"{proof.text}" is no check of this step or task',
            defined=", ".join(self._lines) or "no checks",
            next_step="put a command in back-ticks, or name a check that is defined",
        )

    def _add(self, ref: str, run: str, line: int, **more: object) -> str:
        if len(self.commands) >= MAX_ENTRIES:
            raise self.file.error(line, f"more than {MAX_ENTRIES} commands prove this step or task")
        self.commands.append(build(self.file, line, Command, ref=ref, run=run, line=line, **more))
        self._lines[ref] = line
        self._ref_of[run] = ref
        return ref

    def _free_ref(self) -> str:
        number = 1
        while f"V{number}" in self._lines:
            number += 1
        return f"V{number}"

    def _equivalents(self, run: str, equivalents: tuple[Words, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for words in equivalents:
            text = one_line(self.file, words, "the equivalent")
            if text == run or text in found:
                raise self.file.error(words.line, f"the equivalent `{text}` stands twice")
            found.append(text)
        return tuple(found)


def _outputs(file: SourceFile, raw: RawContract) -> tuple[Output, ...]:
    refs = _numbered(file, "O", [(o.ref, o.path.line) for o in raw.outputs], "check")
    outputs: list[Output] = []
    for output, ref in zip(raw.outputs, refs, strict=True):
        path = output.path.text.strip()
        complaint = output_complaint(path)
        if complaint:
            raise file.error(
                output.path.line, f'expected output "{path}" {complaint}', next_step="write one relative path per file"
            )
        if any(path == other.path for other in outputs):
            raise file.error(output.path.line, f'expected output "{path}" stands twice')
        outputs.append(build(file, output.path.line, Output, ref=ref, path=path, line=output.path.line))
    return tuple(outputs)


def _numbered(file: SourceFile, letters: str, items: list[tuple[Words | None, int]], kind: str) -> list[str]:
    """The id of each item: its own, or `letters` and its position. All different."""
    seen: dict[str, int] = {}
    for position, (own, line) in enumerate(items, start=1):
        name = own.text.strip() if own else f"{letters}{position}"
        if name in seen:
            raise file.error(
                line,
                f'{kind} id "{name}" stands twice',
                first=f"line {seen[name]}",
                next_step="an item without an id is numbered by its position: give each one its own id",
            )
        seen[name] = line
    return list(seen)


def _add_proves(file: SourceFile, raw: RawContract, ids: list[str], named: list[list[str]], refs: list[str]) -> None:
    """Add each command to the criteria it says it proves. The declared commands are the first of `refs`."""
    checks_of = dict(zip(ids, named, strict=True))
    for command, ref in zip(raw.verification, refs, strict=False):
        for words in command.proves:
            if words.text != ALL and words.text not in checks_of:
                raise file.error(
                    words.line,
                    f'"{words.text}" is no criterion of this step or task',
                    defined=", ".join(ids) or "no criteria",
                )
            for id in ids if words.text == ALL else (words.text,):
                if ref not in checks_of[id]:
                    checks_of[id].append(ref)


def _criterion(file: SourceFile, raw: RawCriterion, id: str, refs: list[str]) -> Criterion:
    text = raw.text.text.strip()
    if not text:
        raise file.error(raw.text.line, "the criterion has no text", next_step="say what must be true")
    line = raw.id.line if raw.id else raw.text.line
    return build(file, line, Criterion, id=id, text=text, verified_by=tuple(refs), line=raw.text.line)
