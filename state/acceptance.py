"""That a person, or an option, accepted the plan of a task file that was not written for Waypost."""

from __future__ import annotations

from datetime import datetime

from .model import Record


class Acceptance(Record):
    """What was accepted: the plan made from exactly these bytes.

    Attributes:
        format: the format the file was read in.
        digest: of everything the plan was made from, as `waypost plan` shows it.
        files: each file that was read, as an absolute path, with its SHA-256.
        tag: which list of a Task Master file.
        how: `asked`, `--yes` or `--accept`; `a card` for a task of a batch that is a card of our own.
        write_back: the task is to be set to done in its file once the run is DONE.
    """

    format: str
    digest: str
    files: dict[str, str]
    tag: str | None = None
    how: str
    who: str
    at: datetime
    write_back: bool = False
