"""The request of an attempt on disk: the job, and the key that makes it the same attempt when it is asked for again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...state.job import Job

ASKED = "request.json"
_KEY = "key"


def request_text(job: Job) -> str:
    """What is written for a job; the key names run, step and attempt."""
    key = f"{job.run_id}/{job.step.id}/{job.order.number}"
    return json.dumps({_KEY: key, **job.model_dump(mode="json")}, indent=2, ensure_ascii=False) + "\n"


def read_request(folder: Path) -> Job:
    """The job that the attempt in `folder` is for.

    Raises:
        OSError, ValueError: there is none, or it cannot be read.
    """
    fields: dict[str, Any] = json.loads((folder / ASKED).read_bytes())
    fields.pop(_KEY, None)
    return Job.model_validate(fields)
