"""One hash over everything that changed in the workspace: whether it is still what somebody was shown."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

from ...state.pipeline import Baseline
from ..workers.files import sha256_file
from .workspace import changes_since


def work_sha256(workspace: Path, baseline: Baseline, *, runs_dir: Path) -> str:
    """SHA-256 over path, kind, mode and content of every change since the baseline; ignored files are left out.

    Raises:
        WorkspaceError: git cannot say what changed.
    """
    digest = hashlib.sha256()
    for change in changes_since(workspace, baseline, runs_dir=runs_dir):
        row = [change.path, change.kind, *_content(workspace / change.path)]
        digest.update(json.dumps(row, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def _content(path: Path) -> tuple[str, str]:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return "link", os.readlink(path)
        if stat.S_ISREG(mode):
            return oct(stat.S_IMODE(mode)), sha256_file(path)
    except OSError as error:
        return "absent", error.strerror or ""
    return "other", oct(mode)
