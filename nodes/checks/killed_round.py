"""What stood in a workspace when a round of checks began: a round that was killed has left files, and begins again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..plain_files import open_plain
from ..workers.files import write_private

NAME = "verifying.json"
_MOST_FILES = 10_000
_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Began:
    """The files in no commit when a round first began: path -> SHA-256, empty where it was not looked at."""

    files: Mapping[str, str]


def began_before(run_dir: Path, number: int) -> Began | None:
    """What was noted when this round began and was killed; None where it was not, or where nobody can tell."""
    try:
        with open_plain(run_dir / NAME) as file:
            found: Any = json.loads(file.read(_MOST_BYTES))
        if found["round"] != number:
            return None
        return Began({str(path): str(content) for path, content in found["files"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def note(run_dir: Path, number: int, began: Began | None) -> None:
    """Note it before the first check; of very many files nothing is noted, and nothing is excused then."""
    files = dict(began.files) if began is not None and len(began.files) <= _MOST_FILES else None
    write_private(run_dir / NAME, json.dumps({"round": number, "files": files}).encode())
