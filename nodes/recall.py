"""What a run or a batch was asked to do, as its folder has kept it: all there is before the first checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from ..state.batch import BatchState
from ..state.errors import StateError
from ..state.pipeline import PipelineState
from ..state.update import validate_state
from .plain_files import open_plain

REQUEST = "request.json"
BATCH = "batch_request.json"


def recall_run(run_dir: Path) -> PipelineState | None:
    """The first state of a run that was killed before its first checkpoint; None where nothing was asked for."""
    try:
        return validate_state(json.loads(_read(run_dir / REQUEST)))
    except (OSError, ValueError, RecursionError):
        return None


def is_batch(folder: Path) -> bool:
    """True for the folder of a batch."""
    return (folder / BATCH).is_file()


def recall_batch(folder: Path) -> BatchState:
    """The first state of a batch. Raises StateError where its file is damaged."""
    try:
        return BatchState.model_validate_json(_read(folder / BATCH))
    except (OSError, ValidationError) as error:
        raise StateError(f"{folder / BATCH} cannot be read: {error}") from None


def _read(path: Path) -> bytes:
    with open_plain(path) as file:
        return file.read()
