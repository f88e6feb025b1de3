"""One run as a line of the list: what is kept of it, so that ten thousand of them are quick to show."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal

from ..checkpointing.lines import SHAPELESS
from ..nodes.evidence.proof import criterion_rows, overall
from ..state.batch import BatchState, TaskStatus
from ..state.errors import WaypostError
from ..state.pipeline import PipelineState
from ..state.records import Outcome
from ..state.status import ENDS, Status
from .ledgers import Found, Ledgers

Kind = Literal["run", "batch", "thread"]
UNREADABLE, EMPTY, THREAD = "UNREADABLE", "EMPTY", "THREAD"


@dataclass(frozen=True, slots=True)
class Row:
    """A run, a batch, or a thread of some other graph.

    Attributes:
        verdict: PASSED only for a run that is DONE and proved; empty where there is nothing to prove.
        done, total: steps of a run, tasks of a batch, checkpoints of a thread.
        created_at: seconds since the epoch; 0 where nothing is known.
        ended: nothing will happen to it any more by itself.
        pid: the process that drives it now.
        why: why it stands where it stands.
    """

    name: str
    kind: Kind
    status: str
    verdict: str = ""
    task: str = ""
    title: str = ""
    done: int = 0
    total: int = 0
    created_at: float = 0.0
    ended: bool = True
    pid: int | None = None
    why: str = ""

    @property
    def searched(self) -> str:
        """What a search looks through."""
        return f"{self.name} {self.task} {self.title} {self.status} {self.verdict} {self.why}".casefold()

    def json(self) -> dict[str, Any]:
        """As it is kept between two starts."""
        return asdict(self)


def read_row(ledgers: Ledgers, name: str) -> Row:
    """The line of a run; one that cannot be read has a line that says so."""
    try:
        return _row(ledgers.look_once(name))
    except WaypostError as error:
        return Row(name, "run", UNREADABLE, why=error.what)
    except OSError as error:
        return Row(name, "run", UNREADABLE, why=str(error))
    except SHAPELESS as error:
        return Row(name, "run", UNREADABLE, why=f"it holds what no graph has written: {type(error).__name__}")
    except Exception as error:
        # One run must not keep all others from being read: the list would stand still and look alive.
        return Row(name, "run", UNREADABLE, why=f"an error in Waypost: {type(error).__name__}: {error}")


def _row(found: Found) -> Row:
    if found.problem:
        return Row(found.name, "run", UNREADABLE, pid=found.driven_by, why=found.problem)
    match found.state:
        case PipelineState() as state:
            return _of_run(found, state)
        case BatchState() as state:
            return _of_batch(found, state)
        case _:
            return _of_thread(found)


def _of_run(found: Found, state: PipelineState) -> Row:
    task, last = state.task, state.transitions[-1] if state.transitions else None
    return Row(
        name=found.name,
        kind="run",
        status=state.status.value,
        verdict=verdict_of(state),
        task=state.task_id or "",
        title=task.title if task else "",
        done=len(state.accepted),
        total=len(task.steps) if task else 0,
        created_at=_seconds(state.created_at),
        ended=state.status in ENDS,
        pid=found.driven_by,
        why=last.reason if last else "not begun",
    )


def verdict_of(state: PipelineState) -> str:
    """What is proved now; empty as long as nothing was checked and nothing has ended."""
    if state.task is None:
        return Outcome.FAILED.value if state.status is Status.FAILED else ""
    if not state.checks and state.status not in ENDS:
        return ""
    return overall(state, criterion_rows(state, state.task))[0].value


def _of_batch(found: Found, state: BatchState) -> Row:
    ended = state.over and not state.of_status(TaskStatus.BLOCKED)
    return Row(
        name=found.name,
        kind="batch",
        status=state.outcome().value if found.driven_by is None else "RUNNING",
        title=PurePath(state.task_file).name,
        done=len(state.of_status(TaskStatus.DONE)),
        total=len(state.tasks),
        created_at=_seconds(state.created_at),
        ended=ended,
        pid=found.driven_by,
    )


def _of_thread(found: Found) -> Row:
    view = found.view
    if view is None or not view.index.checkpoints:
        return Row(found.name, "thread", EMPTY, title=view.index.thread if view else "", pid=found.driven_by)
    first = min(view.index.checkpoints.values(), key=lambda entry: entry.order)
    return Row(
        name=found.name,
        kind="thread",
        status=THREAD,
        title=view.index.thread,
        total=len(view.index.checkpoints),
        created_at=_seconds(_moment(view.line(first.line)["time"])),
        pid=found.driven_by,
    )


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0
