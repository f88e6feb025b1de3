"""Which check proves which criterion: numbers checks and criteria, and ties them together.

A criterion is covered only by checks that it names or that name it. Nothing is covered by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...state.task import Command, Criterion, Output, Probe
from ..checks.kinds import BUILTIN, Kinds
from .build import build, one_line
from .checks import Check, checked
from .paths import output_complaint
from .raw import MAX_ENTRIES, Proof, RawCommand, RawContract, RawCriterion, Words
from .source import SourceFile

ALL = "all"


@dataclass(frozen=True)
class Proved:
    """The part of a contract that says how it is proved."""

    criteria: tuple[Criterion, ...]
    outputs: tuple[Output, ...]
    verification: tuple[Command, ...]
    probes: tuple[Probe, ...]


def prove(file: SourceFile, raw: RawContract, kinds: Kinds = BUILTIN) -> Proved:
    """Number the checks and criteria of one contract and resolve every reference between them.

    Raises:
        TaskFileError: an id or a command stands twice, a path leaves the workspace, a check does not
            fit its kind, or a reference leads nowhere.
    """
    outputs = _outputs(file, raw)
    checks = _Checks(file, outputs, kinds)
    checks.declare(raw)
    ids = _numbered(file, "AC", [(c.id, c.text.line) for c in raw.criteria], "criterion")
    named = [checks.resolve(criterion) for criterion in raw.criteria]
    _add_proves(file, raw, ids, named, checks.declared)
    criteria = tuple(_criterion(file, raw, id, refs) for raw, id, refs in zip(raw.criteria, ids, named, strict=True))
    return Proved(criteria, outputs, tuple(checks.commands), tuple(checks.probes))


class _Checks:
    """The checks of one contract, by id and by what they do; criteria may add some of their own."""

    def __init__(self, file: SourceFile, outputs: tuple[Output, ...], kinds: Kinds) -> None:
        self.file = file
        self.commands: list[Command] = []
        self.probes: list[Probe] = []
        self.declared: list[str] = []
        self._kinds = kinds
        self._ref_of: dict[Check, str] = {}
        self._first_of: dict[str, str] = {}
        self._lines: dict[str, int | None] = {str(output.ref): output.line for output in outputs}

    def declare(self, raw: RawContract) -> None:
        """Take the contract's own verification commands, and its checks of other kinds."""
        refs = _numbered(self.file, "V", [(c.ref, c.run.line) for c in raw.verification], "check")
        for command, ref in zip(raw.verification, refs, strict=True):
            line = command.run.line
            if ref in self._lines:
                raise self.file.error(line, f'check id "{ref}" stands twice', first=f"line {self._lines[ref]}")
            check = self._read(command)
            if check in self._ref_of:
                raise self.file.error(
                    line,
                    f"the {'command' if check.is_command else 'check'} `{check.first}` stands twice",
                    first=self._ref_of[check],
                    next_step="remove one of them; several criteria may name the same check",
                )
            equivalents = self._equivalents(check.first, command.equivalents)
            self._add(ref, check, line, equivalents=equivalents, timeout_s=command.timeout_s)
        self.declared = refs

    def _read(self, command: RawCommand) -> Check:
        run = command.run
        if command.kind is None or command.kind.text == Check.COMMAND:
            run = Words(one_line(self.file, run, "the command"), run.line)
        elif command.equivalents:
            raise self.file.error(command.equivalents[0].line, "only a command can have an equivalent")
        subject = (run, *command.more) if run.text else command.more
        return checked(self.file, self._kinds, command.kind or Words(Check.COMMAND, run.line), subject, command.args)

    def resolve(self, criterion: RawCriterion) -> list[str]:
        """The ids of the checks that a criterion names, each once, in the order it names them."""
        return list(dict.fromkeys(self._resolve(proof, criterion) for proof in criterion.proofs))

    def _resolve(self, proof: Proof, criterion: RawCriterion) -> str:
        line = proof.line
        if proof.is_command and not proof.args:
            run = one_line(self.file, Words(proof.text, line), "the command")
            return self._first_of.get(run) or self._add(self._free_ref(), Check.of_command(run), line)
        if proof.kind or proof.is_command:
            named = Words(proof.kind or Check.COMMAND, line)
            subject = tuple(Words(text, line) for text in (proof.text, *proof.more))
            check = checked(self.file, self._kinds, named, subject, [(k, Words(v, line)) for k, v in proof.args])
        elif proof.text in self._lines:
            return proof.text
        elif proof.text in self._kinds:
            text = Words(" ".join(criterion.text.text.split()), line)
            subject = () if self._kinds[proof.text].subject.required else (text,)
            check = checked(self.file, self._kinds, Words(proof.text, line), subject, [])
        else:
            raise self.file.error(
                line,
                f'"{proof.text}" is no check of this step or task',
                defined=", ".join(self._lines) or "no checks",
                next_step="put a command in back-ticks, or name a check that is defined",
            )
        return self._ref_of.get(check) or self._add(self._free_ref(), check, line)

    def _add(self, ref: str, check: Check, line: int, **more: Any) -> str:
        if len(self._ref_of) >= MAX_ENTRIES:
            raise self.file.error(line, f"more than {MAX_ENTRIES} commands prove this step or task")
        if check.is_command:
            self.commands.append(build(self.file, line, Command, ref=ref, line=line, **check.as_command(), **more))
            self._first_of.setdefault(check.first, ref)
        else:
            more.pop("equivalents", None)
            self.probes.append(build(self.file, line, Probe, ref=ref, line=line, **check.as_probe(), **more))
        self._lines[ref] = line
        self._ref_of[check] = ref
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
