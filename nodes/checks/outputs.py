"""Looking at an expected output: it must be there, inside the workspace, and not empty."""

from __future__ import annotations

from pathlib import Path

from ...state.records import Outcome
from ..workers.files import sha256_file
from .workspace import MOST_FILE_BYTES


def look_at_output(workspace: Path, path: str) -> tuple[Outcome, str]:
    """The outcome for one expected output and the reason in words. A folder needs one file that is not empty."""
    root = workspace.resolve()
    try:
        target = (root / path).resolve()
        if not target.is_relative_to(root):
            return Outcome.FAILED, f"{path} leads outside the workspace"
        if not target.exists():
            return Outcome.FAILED, f"{path} is missing"
        if target.is_dir():
            full = any(item.is_file() and not item.is_symlink() and item.stat().st_size for item in target.rglob("*"))
            return (Outcome.PASSED, f"{path}/ holds files") if full else (Outcome.FAILED, f"{path}/ is empty")
        if not target.is_file():
            return Outcome.FAILED, f"{path} is no regular file"
        size = target.stat().st_size
        if not size:
            return Outcome.FAILED, f"{path} is empty"
        if size > MOST_FILE_BYTES:
            return Outcome.FAILED, f"{path} has {size} bytes, at most {MOST_FILE_BYTES} are looked at"
        return Outcome.PASSED, f"{path}: {size} bytes, sha256 {sha256_file(target)}"
    except (OSError, ValueError) as error:
        return Outcome.FAILED, f"{path} cannot be read: {error}"
