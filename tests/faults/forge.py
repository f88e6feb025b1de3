"""Ledgers as somebody writes them who knows the format: every checksum and every link of the chain fits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from waypost.checkpointing.lines import GENESIS, seal


def chained(lines: Iterable[dict[str, Any]]) -> bytes:
    """These objects as a ledger, numbered and linked anew."""
    made = b""
    prev = GENESIS
    for number, data in enumerate(lines, 1):
        body = {key: value for key, value in data.items() if key != "check"}
        raw = seal(body | {"number": number, "prev": prev})
        prev = hashlib.sha256(raw).hexdigest()
        made += raw
    return made
