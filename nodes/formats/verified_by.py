"""The proof of a criterion as a card writes it: "..., verified by `make test`, V2, file `a.md` matches `b`"."""

from __future__ import annotations

import re

from ..checks.kinds import BUILTIN
from .calls import calls
from .inline import DASHES, code_spans, without_code
from .raw import MAX_ENTRIES, Proof, Words
from .source import SourceFile

_VERIFIED_BY = re.compile(r"\bverified\s{1,20}by\b", re.IGNORECASE)
_LINE_LEAD = re.compile(r"\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)?(?:\*\*)?")
_NAMES_A_CHECK = re.compile(rf"[\s:*]{{0,10}}(?:\x00|[VO]\d|(?:{'|'.join(BUILTIN)}):?\s{{0,10}}\x00|manual\b)")
_SEPARATORS = ("(", ";", ",", *DASHES)
_EXPECTED = "commands in back-ticks, ids of checks, or checks like file `a.md` matches `b`, separated by commas"


def split_proofs(file: SourceFile, words: Words) -> tuple[str, tuple[Proof, ...]]:
    """Split a criterion into its text and the checks it names after "Verified by".

    In a sentence the last "Verified by" counts; every line that begins with one counts as well.

    Raises:
        TaskFileError: what follows "Verified by" is no check, or an earlier one names a check that would be lost.
    """
    text = words.text
    masked = without_code(text, code_spans(text))
    occurrences = list(_VERIFIED_BY.finditer(masked))
    if len(occurrences) > MAX_ENTRIES:
        raise file.error(words.line, f'this criterion says "Verified by" more than {MAX_ENTRIES} times')
    proofs: list[Proof] = []
    end = len(text)
    while occurrences:
        found = occurrences.pop()
        begins_line, lead = _lead(text, found.start())
        line = words.line + text.count("\n", 0, found.start())
        proofs[:0] = _proofs(file, Words(text[found.end() : end], line), opened=text[lead - 1 : lead] == "(")
        end = lead
        if not begins_line:
            break
    for earlier in occurrences:
        if _NAMES_A_CHECK.match(masked, earlier.end()):
            line = words.line + text.count("\n", 0, earlier.start())
            raise file.error(
                line,
                '"Verified by" stands twice in one sentence',
                next_step="name all checks after the last one, or give each its own nested list item",
            )
    return (_without_separator(text[:end]) if proofs else text), tuple(proofs)


def _without_separator(text: str) -> str:
    """`text` without the one dash, comma or parenthesis that leads over to the proof."""
    text = text.rstrip()
    return text[:-1].rstrip() if text.endswith(_SEPARATORS) else text


def _lead(text: str, start: int) -> tuple[bool, int]:
    """Whether a "Verified by" begins its line, and where the text in front of it ends."""
    line_start = text.rfind("\n", 0, start) + 1
    if _LINE_LEAD.fullmatch(text, line_start, start):
        return True, line_start
    end = start
    while end > line_start and text[end - 1] in " \t*":
        end -= 1
    return False, end


def _proofs(file: SourceFile, words: Words, *, opened: bool) -> list[Proof]:
    tail = words.text.strip().lstrip(":*").strip().removesuffix(".")
    if opened:
        tail = tail.removesuffix(")")
    if not tail:
        raise file.error(words.line, '"Verified by" is followed by nothing', expected=_EXPECTED)
    return calls(file, Words(tail, words.line))
