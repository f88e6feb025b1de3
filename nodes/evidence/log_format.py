"""The lines of verification.log, format 1: what the writer and the reader agree on.

A frame is made of `Key: value` lines. A value that would not be one clean line stands as a JSON string. The size of an
output stands before its bytes, so nothing inside them can be taken for a frame.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ...state.errors import EvidenceError

TITLE = "Waypost verification log"
FORMAT = "waypost-verification-log/1"
NONE = "none"
NOT_RECORDED = "not recorded"
TASK_ITSELF = "-"
OUTPUT_START = "--- output ---"
OUTPUT_END = "--- end of output ---"
COVERAGE_START = "=== COVERAGE MAPPING START ==="
COVERAGE_END = "=== COVERAGE MAPPING END ==="

_REASONED = re.compile(r"(\S+)(?: \((.*)\))?")
_OUTPUT = re.compile(r"([0-9]{1,18}) bytes, sha256 ([0-9a-f]{64})")


def entry_start(number: int) -> str:
    """The line that begins an entry."""
    return f"=== COMMAND ENTRY {number} START ==="


def entry_end(number: int) -> str:
    """The line that ends an entry."""
    return f"=== COMMAND ENTRY {number} END ==="


def encode(value: str) -> str:
    """`value` on one line: as it is where that is clean, else as a JSON string."""
    clean = value and value.isprintable() and value == value.strip() and value[0] != '"'
    return value if clean else json.dumps(value)


def decode(shown: str) -> str:
    """The value that `encode` was given. Raises EvidenceError for a line that `encode` does not write."""
    if not shown.startswith('"'):
        return shown
    value = _json(shown)
    if not isinstance(value, str):
        raise EvidenceError(f"not a value of a verification log: {shown[:80]}")
    return value


def encode_argv(argv: Sequence[str]) -> str:
    """The words of a command as a JSON list on one line."""
    readable = json.dumps(list(argv), ensure_ascii=False)
    return readable if readable.isprintable() else json.dumps(list(argv))


def decode_argv(shown: str) -> tuple[str, ...]:
    """The words that `encode_argv` was given. Raises EvidenceError."""
    value = _json(shown)
    if not isinstance(value, list):
        raise EvidenceError(f"not a list of words: {shown[:80]}")
    words: list[object] = value  # pyright: ignore[reportUnknownVariableType]
    return tuple(str(word) for word in words)


def reasoned(word: str, reason: str) -> str:
    """`word (reason)`, or the word alone where there is no reason."""
    return f"{word} ({encode(reason)})" if reason else word


def decode_reasoned(shown: str) -> tuple[str, str]:
    """The word and the reason that `reasoned` was given. Raises EvidenceError."""
    found = _REASONED.fullmatch(shown)
    if not found:
        raise EvidenceError(f"not a result of a verification log: {shown[:80]}")
    return found[1], decode(found[2]) if found[2] else ""


def output_line(size: int, sha256: str) -> str:
    """What stands after `Output:` where there is output."""
    return f"{size} bytes, sha256 {sha256}"


def decode_output(shown: str) -> tuple[int, str]:
    """The size and the hash that `output_line` was given. Raises EvidenceError."""
    found = _OUTPUT.fullmatch(shown)
    if not found:
        raise EvidenceError(f"not an output line of a verification log: {shown[:80]}")
    return int(found[1]), found[2]


def _json(shown: str) -> object:
    try:
        return json.loads(shown)
    except (ValueError, RecursionError):
        raise EvidenceError(f"not a value of a verification log: {shown[:80]}") from None
