"""The pages of one run: its drawing, timeline, steps, checks, changes, states, evidence and audit."""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from ..checkpointing.lines import SHAPELESS
from ..nodes.audit import Found as Finding
from ..nodes.evidence.files import open_run_folder
from ..state.batch import BatchState
from ..state.errors import EvidenceError, RunNotFound, StateError, WaypostError
from ..state.pipeline import PipelineState
from ..state.status import ENDS
from . import run_facts as facts
from .batch_facts import batch_facts
from .diff import diff_of
from .documents import rendered
from .drawing import draw
from .html import page, quoted
from .ledgers import LEDGER, Found, Ledgers
from .live import Follower
from .output import DOCUMENT, files_of, read_output, stream
from .paging import number
from .rows import verdict_of
from .says import Says
from .states import Checkpoints, checkpoints, state_at_line

TABS = (("", "Overview"), ("checks", "Checks"), ("changes", "Changes"), ("states", "States"), ("evidence", "Evidence"))
_AUDIT = ("audit", "Audit")


class RunPages:
    """The pages.

    Args:
        ledgers: where runs are read from.
        says: what the command line says of runs.
        follower: knows when a page shows something old.
    """

    def __init__(self, ledgers: Ledgers, says: Says, follower: Follower) -> None:
        self._ledgers = ledgers
        self._says = says
        self._follower = follower
        # An audit reads everything: one at a time is enough for one person.
        self._auditing = threading.Lock()
        self.failures: Mapping[Any, Callable[[Request, Exception], Response]] = {
            WaypostError: _told,
            HTTPException: _nothing,
            OSError: _unreadable,
            Exception: _unexpected,
            **dict.fromkeys(SHAPELESS, _shapeless),
        }

    def overview(self, request: Request) -> HTMLResponse:
        """The run at a glance; a batch has a page of its own, and of a foreign thread there are only its states."""
        found = self._find(request)
        match found.state:
            case BatchState() as state:
                given = batch_facts(state, found, self._ledgers.root)
                commands = list(self._says.next_of_batch(state, found.folder))
                return page("batch.html.j2", **self._about(request, found, ""), **given, commands=commands)
            case PipelineState() as state:
                moves, older = facts.timeline(state)
                driven = found.driven_by is not None
                steps = facts.steps_of(state, driven=driven)
                return page(
                    "overview.html.j2",
                    **self._about(request, found, ""),
                    drawing=draw(state),
                    dag=facts.dag_of(state, steps),
                    steps=steps,
                    criteria=facts.task_criteria(state),
                    moves=moves,
                    older=older,
                    live=facts.at_work(state, found.folder) if driven else (),
                    since_s=facts.since(state),
                )
            case _:
                return self.states(request)

    def attempt(self, request: Request) -> HTMLResponse:
        """One attempt: what the worker was told, and what it printed."""
        found, state = self._run(request)
        step, number_ = request.path_params["step"], request.path_params["number"]
        known = files_of(state, found.folder)
        folder = f"dispatch/{step}/attempt-{number_}/"
        paths = [path for path in known if path.startswith(folder)]
        if not paths:
            raise RunNotFound(f"step {step!r} has no attempt {number_}", next_step="go back to the run")
        order = ("stdout.log", "stderr.log", "prompt.md")
        paths.sort(key=lambda path: (order.index(name) if (name := path[len(folder) :]) in order else 9, path))
        with open_run_folder(found.folder) as run:
            outputs = [read_output(run, path, known[path]) for path in paths]
        about, attempt = self._about(request, found, ""), state.attempt(step, number_)
        return page("attempt.html.j2", **about, step=step, number=number_, outputs=outputs, attempt=attempt)

    def checks(self, request: Request) -> HTMLResponse:
        """Every check with its output."""
        found, state = self._run(request)
        wanted = request.query_params.get("q", "")[:200].strip()
        outcome = request.query_params.get("outcome", "")[:40]
        rows = facts.checks_of(state, found.folder, wanted=wanted, outcome=outcome)
        return page(
            "checks.html.j2", **self._about(request, found, "checks"), rows=rows, wanted=wanted, outcome=outcome
        )

    def changes(self, request: Request) -> HTMLResponse:
        """What was changed, and whether it was allowed."""
        found, state = self._run(request)
        scope, problem = facts.scope_of(state, found.folder)
        diff = diff_of(state, tuple(change.path for change in scope.shown))
        return page(
            "changes.html.j2", **self._about(request, found, "changes"), scope=scope, problem=problem, diff=diff
        )

    def states(self, request: Request) -> HTMLResponse:
        """The checkpoints of the ledger."""
        found = self._find(request)
        wanted = number(request.query_params.get("page"))
        return page(
            "states.html.j2",
            **self._about(request, found, "states"),
            shown=checkpoints(found.view, page=wanted) if found.view else Checkpoints(),
            link_to="?page={}".format,
            sealed=found.view.index.sealed if found.view else None,
        )

    def state(self, request: Request) -> HTMLResponse:
        """The state at one checkpoint, and what changed to it."""
        found = self._find(request)
        if found.view is None:
            raise RunNotFound("there is no ledger yet", next_step="go back to the run")
        shown = state_at_line(found.view, request.path_params["line"])
        return page("state.html.j2", **self._about(request, found, "states"), shown=shown)

    def evidence(self, request: Request) -> HTMLResponse:
        """The reports, as they were left."""
        found, state = self._run(request)
        recorded = {file.path: file.sha256 for file in state.evidence}
        known = files_of(state, found.folder)
        paths = [path for path in known if path.startswith("reports/") or path in recorded]
        chosen = _path(request) or (paths[0] if paths else "")
        if chosen and chosen not in paths:
            raise RunNotFound("no evidence of that name was left", next_step="choose one of the list")
        document, text = None, None
        if chosen:
            with open_run_folder(found.folder) as run:
                document = read_output(run, chosen, recorded.get(chosen), most=DOCUMENT)
            text = rendered(chosen, document.head + document.tail, partial(_page_of, found.name, chosen, paths, known))
        about = self._about(request, found, "evidence")
        return page("evidence.html.j2", **about, paths=paths, chosen=chosen, document=document, text=text)

    def audit(self, request: Request) -> HTMLResponse:
        """Everything worked out again, believing nothing."""
        found, _ = self._run(request)
        with self._auditing:
            audit = self._says.audit(found.name)
        # What is wrong comes first, and what is right last.
        findings = (*audit.wrong, *audit.not_checked, *(one for one in audit.findings if one.found is Finding.OK))
        return page("audit.html.j2", **self._about(request, found, "audit"), audit=audit, findings=findings)

    def file(self, request: Request) -> Response:
        """A file of the run as plain text, whole."""
        found, state = self._run(request)
        path = _path(request)
        if path not in files_of(state, found.folder):
            raise RunNotFound("no record of the run leads to a file of that name", next_step="go back to the run")
        with open_run_folder(found.folder) as run, run.open(path):
            pass
        return StreamingResponse(stream(found.folder, path), media_type="text/plain; charset=utf-8")

    def _find(self, request: Request) -> Found:
        name = request.path_params["name"]
        # Before anything is read: what changes meanwhile is then shown again, and not missed.
        request.state.mark = self._follower.mark(name)
        return self._ledgers.find(name)

    def _run(self, request: Request) -> tuple[Found, PipelineState]:
        found = self._find(request)
        if found.problem:
            raise StateError(found.problem, next_step="its states can be looked at")
        if not isinstance(found.state, PipelineState):
            raise RunNotFound(f"{found.name} is no run of a task", next_step="its states can be looked at")
        return found, found.state

    def _about(self, request: Request, found: Found, tab: str) -> dict[str, Any]:
        """What every page of a run is given."""
        state = found.state
        is_run = isinstance(state, PipelineState)
        tabs = (*TABS, _AUDIT) if is_run else (TABS[0], TABS[3]) if state else (TABS[3],)
        return {
            "found": found,
            "state": state,
            "tab": tab,
            "tabs": tabs,
            "mark": request.state.mark,
            "verdict": verdict_of(state) if is_run else "",
            "ended": not is_run or state.status in ENDS,
            "headline": self._says.headline(state) if is_run else "",
            "next_commands": list(self._says.next_of_run(state, found.folder)) if is_run else [],
        }


def _page_of(run: str, document: str, paths: Container[str], known: Container[str], target: str) -> str | None:
    """Where a link in a document of a run leads in the viewer: to another document, a file, or the ledger's states."""
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(document), unquote(target.partition("#")[0])))
    if wanted == LEDGER:
        return f"/run/{quoted(run)}/states"
    if wanted in paths:
        return f"/run/{quoted(run)}/evidence?path={quoted(wanted)}"
    return f"/run/{quoted(run)}/file?path={quoted(wanted)}" if wanted in known else None


def _path(request: Request) -> str:
    """The file that an address asks for; its name can be bytes that are no text."""
    query = request.scope["query_string"].decode("latin-1")
    return parse_qs(query, errors="surrogateescape").get("path", [""])[-1]


def _told(_request: Request, error: Exception) -> Response:
    assert isinstance(error, WaypostError)
    status = 404 if isinstance(error, RunNotFound) else 500
    if isinstance(error, EvidenceError):
        status = 404
    return page("error.html.j2", status, what=error.what, facts=error.facts, next_step=error.next_step)


def _nothing(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return page("error.html.j2", status, what="There is no such page.", facts={}, next_step="go back to the list")


def _unreadable(_request: Request, error: Exception) -> Response:
    return page("error.html.j2", 500, what=str(error), facts={}, next_step="look at the folder and its permissions")


def _unexpected(_request: Request, error: Exception) -> Response:
    what = f"An error in Waypost: {type(error).__name__}: {error}"
    return page("error.html.j2", 500, what=what, facts={}, next_step="please report it; nothing was changed")


def _shapeless(_request: Request, error: Exception) -> Response:
    what = f"This ledger holds what no graph has written: {type(error).__name__}."
    return page("error.html.j2", 500, what=what, facts={}, next_step="waypost fsck RUN says more")
