"""Ledgers that somebody has cut up, or forged with checksums that fit: an error with its line, or the right state."""

from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

import orjson
from kit.ledgers import config, ledger_of
from waypost.checkpointing import LedgerSaver
from waypost.checkpointing.lines import BadLine, seal, unseal
from waypost.state.errors import LedgerCorrupt, LedgerError

from faults.memory_disk import MemoryDisk
from faults.model import State
from faults.outcome import Outcome
from faults.setting import Setting, fast_folder
from faults.subjects import SUBJECTS, Talk, state_in

THREAD = "t"
HANGS_AFTER_S = 5
MOST_KILOBYTES = 50_000
WRITER_EVERY = 20
# Of a ledger that is intact, and of another thread, of a newer version, or sealed with a key that we do not have.
KNOWN_ERRORS = ("belongs to thread", "newer version", "is encrypted, and this saver has no key")
Lines = list[bytes]


@dataclass(frozen=True)
class Original:
    """A ledger as it was written: its lines, its watermark, and what is shown after each line."""

    lines: Lines
    watermark: bytes
    states: list[State]


def original(folder: Path, checkpoints: int = 6) -> Original:
    """A ledger with every kind of line and of value."""
    saver = SUBJECTS["ledger"].open(folder, mirror=False)
    talk = Talk(saver, THREAD)
    for number in range(checkpoints):
        talk.put(f"text {number} " + "word " * 60 * number)[1]()
        talk.write(f"task {number}", f"value {number}")[1]()
    saver.put_writes(config(THREAD, id=talk.at), [("a", b"bytes"), ("b", {1: (2, {"x": float("inf")})})], "odd")
    saver.release(THREAD)
    lines = ledger_of(folder / "root", THREAD).read_bytes().splitlines(keepends=True)
    states = [show(b"".join(lines[:size]), None) for size in range(len(lines) + 1)]
    return Original(lines, ledger_of(folder / "root", THREAD).with_name("watermark").read_bytes(), states)


def show(ledger: bytes, watermark: bytes | None) -> State:
    """What a reader is shown."""
    files = {"ledger.jsonl": ledger} | ({"watermark": watermark} if watermark is not None else {})
    saver = LedgerSaver("/no/such/folder", disk=MemoryDisk(files), read_only=True)  # pyright: ignore[reportArgumentType]
    return state_in(saver, THREAD)


def run(setting: Setting) -> list[Outcome]:
    """10,000 ledgers that were cut up at random; one in twenty is also given to a writer."""
    outcome = Outcome("LedgerSaver")
    random = setting.random("mutations")
    with fast_folder(setting) as folder:
        first = original(folder / "original")
        for number in range(setting.size(10_000, 300)):
            name, mutated = mutate(first.lines, random)
            marked = random.random() < 0.5
            where = f"mutation {number} ({name}{', with watermark' if marked else ''})"
            outcome.add("mutations")
            with limits(outcome, where):
                judge(outcome, first, mutated, marked, where)
                if number % WRITER_EVERY == 0:
                    _give_to_writer(outcome, first, mutated, marked, folder / "written", where)
    return [outcome]


def mutate(lines: Lines, random: Random) -> tuple[str, bytes]:
    """A ledger changed in one to three ways, and their names."""
    lines, names = list(lines), list[str]()
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        way = random.choice(WAYS)
        lines = way(lines, random)
        names.append(way.__name__.strip("_"))
    return " and ".join(names), b"".join(lines)


def _at(lines: Lines, random: Random) -> int:
    return random.randrange(max(1, len(lines)))


def _swap(lines: Lines, random: Random) -> Lines:
    a, b = _at(lines, random), _at(lines, random)
    lines[a : a + 1], lines[b : b + 1] = lines[b : b + 1], lines[a : a + 1]
    return lines


def _repeat(lines: Lines, random: Random) -> Lines:
    at, to = _at(lines, random), _at(lines, random)
    return [*lines[:to], *lines[at : at + 1], *lines[to:]]


def _remove(lines: Lines, random: Random) -> Lines:
    at = _at(lines, random)
    return lines[:at] + lines[at + random.choice((1, 1, 2, 5)) :]


def _edit_bytes(lines: Lines, random: Random) -> Lines:
    at = _at(lines, random)
    line = bytearray(b"".join(lines[at : at + 1]))
    for _ in range(random.choice((1, 2, 20))):
        place = random.randrange(len(line) + 1)
        line[place : place + random.choice((0, 1, 1, 7))] = random.randbytes(random.choice((0, 1, 1, 7)))
    return [*lines[:at], bytes(line), *lines[at + 1 :]]


def _cut_line(lines: Lines, random: Random) -> Lines:
    at = _at(lines, random)
    line = b"".join(lines[at : at + 1])
    return [*lines[:at], line[: random.randrange(len(line) + 1)], *lines[at + 1 :]]


def _cut_end(lines: Lines, random: Random) -> Lines:
    whole = b"".join(lines)
    return whole[: random.randrange(len(whole) + 1)].splitlines(keepends=True)


def _insert_junk(lines: Lines, random: Random) -> Lines:
    at = random.randrange(len(lines) + 1)
    junk = random.choice((b"\n", b"{}\n", b"\0" * 4096, b"null\n", random.randbytes(50), b"\xff\xfe\n", b"[" * 5000))
    return [*lines[:at], junk, *lines[at:]]


def _edit_and_seal(lines: Lines, random: Random) -> Lines:
    """A careful hand: the line is changed, and its own checksum is right."""
    at = _at(lines, random)
    try:
        data = orjson.loads(b"".join(lines[at : at + 1]))
        key = random.choice(list(data))
        data[key] = random.choice((0, "", None, [], {}, data[random.choice(list(data))]))
        data.pop("check", None)
        return [*lines[:at], seal(data), *lines[at + 1 :]]
    except (orjson.JSONDecodeError, AttributeError, IndexError, TypeError):
        return _remove(lines, random)


WAYS: tuple[Callable[[Lines, Random], Lines], ...] = (
    _swap,
    _repeat,
    _remove,
    _edit_bytes,
    _edit_bytes,
    _cut_line,
    _cut_end,
    _insert_junk,
    _edit_and_seal,
)


def judge(outcome: Outcome, first: Original, mutated: bytes, marked: bool, where: str) -> None:
    """The right state is that of the whole ledger or, where no watermark says more, of some of its first lines."""
    whole = marked and not _begins_as_another(first, mutated)
    try:
        shown = show(mutated, first.watermark if marked else None)
    except LedgerCorrupt as damage:
        outcome.add("errors with their line")
        if not 1 <= damage.line <= mutated.count(b"\n") + 1:
            outcome.violate(f"the error names line {damage.line}", where)
    except LedgerError as error:
        outcome.add("errors")
        if not any(known in str(error) for known in KNOWN_ERRORS):
            outcome.violate(str(error).splitlines()[0], where)
    else:
        outcome.add("right states")
        if shown != first.states[-1] and (whole or not _was_there(first, mutated, shown)):
            outcome.violate(f"{len(shown)} checkpoints are shown that were never there", where)


def _begins_as_another(first: Original, mutated: bytes) -> bool:
    """Whether its first line is intact and not that of the original: no watermark speaks of such a ledger."""
    line = mutated[: mutated.find(b"\n") + 1]
    return line != first.lines[0] and _is_intact(line)


def _was_there(first: Original, mutated: bytes, shown: State) -> bool:
    """Whether that was shown after some line; but for the last line, if a careful hand has sealed another one there.

    Nothing follows a last line that would tell it from a true one: see section 9 of the format's document.
    """
    intact = [line for line in mutated.splitlines(keepends=True) if _is_intact(line)]
    if intact and intact[-1] not in first.lines:
        shown = show(b"".join(intact[:-1]), None)
    return shown in first.states


def _is_intact(line: bytes) -> bool:
    try:
        unseal(line)
    except BadLine:
        return False
    return True


def _give_to_writer(outcome: Outcome, first: Original, mutated: bytes, marked: bool, folder: Path, where: str) -> None:
    """A writer goes on behind what is right, and changes nothing of what is damaged."""
    shutil.rmtree(folder, ignore_errors=True)
    path = ledger_of(folder / "root", THREAD)
    path.parent.mkdir(parents=True)
    path.write_bytes(mutated)
    if marked:
        path.with_name("watermark").write_bytes(first.watermark)
    outcome.add("given to a writer")
    try:
        saver = SUBJECTS["ledger"].open(folder)
        before = state_in(saver, THREAD)
        op, call = Talk(saver, THREAD).put("goes on")
        call()
        after = state_in(SUBJECTS["ledger"].open(folder), THREAD)
        if [item.id for item in after] != [*(item.id for item in before), op[2]]:
            outcome.violate("a writer did not go on where it was", where)
        for complaint in SUBJECTS["ledger"].complaints(folder):
            outcome.violate(complaint, where)
    except LedgerError:
        if path.read_bytes() != mutated:
            outcome.violate("a refused writer changed the file", where)


@contextmanager
def limits(outcome: Outcome, where: str) -> Iterator[None]:
    """Nothing but our errors comes out, in bounded computing time and memory."""

    def hangs(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"computes for more than {HANGS_AFTER_S} s")

    usual = signal.signal(signal.SIGPROF, hangs)
    signal.setitimer(signal.ITIMER_PROF, HANGS_AFTER_S)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        yield
    except Exception as error:
        outcome.violate(f"{type(error).__name__}: {str(error)[:200]}", where)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, usual)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown > MOST_KILOBYTES:
        outcome.violate(f"took {grown} kB of memory", where)
