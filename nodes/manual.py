"""Checks that a person decides: asked one by one once nothing else is missing, bound to the files that were shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from ..state.errors import WorkspaceError
from ..state.ids import StepId
from ..state.invariants import decisions_on
from ..state.pipeline import Blocked, PipelineState
from ..state.records import Approval, Check, CheckKind, Decision, Outcome, Verdict
from ..state.status import Route
from ..state.task import MANUAL, ApprovalPoint, Probe, Task
from .approvals import result_of
from .checks.kinds import Seen
from .checks.kinds.manual import APPROVED, REJECTED, ManualKind
from .checks.kinds.notes import note_of
from .checks.looking import judged
from .checks.round import ForPerson, Round
from .context import Call
from .git import git
from .needs import need
from .verdicts import judge
from .workers.files import make_private_folder, write_private
from .workers.launcher.masking import Masker

_KIND = ManualKind()


def asks_people(task: Task) -> bool:
    """True where a check of the task is a person's."""
    return any(probe.kind == MANUAL for contract in (task, *task.steps) for probe in contract.probes)


def decided_before(state: PipelineState, this_round: Round, work: str | None) -> tuple[list[Check], tuple[str, ...]]:
    """The checks of a round that were approved before, over exactly the files that are there now; and the ids of those
    that a person has still to decide."""
    done: list[Check] = []
    undecided: list[str] = []
    for asked in this_round.for_people:
        files = _files(state, asked, work)
        known = [
            d for d in decisions_on(asked.blank.id, state.decisions) if d.approval and d.approval.work_sha256 == files
        ]
        if files is None or not known:
            undecided.append(asked.blank.id)
        else:
            masker = this_round.call.context.environment.masker()
            done.append(_written(asked.probe, asked.blank, known[-1], this_round.run_dir, masker))
    return done, tuple(undecided)


def as_if_approved(state: PipelineState, task: Task) -> tuple[Verdict, ...]:
    """The verdicts as they would be if a person approved all that is undecided: what else is missing then is told."""
    if not state.undecided:
        return state.verdicts
    now = [check for check in state.checks if check.round == state.round]
    wished = [_blank(task, id).model_copy(update={"outcome": Outcome.PASSED}) for id in state.undecided]
    return judge(task, need(state.plan, "plan"), [*now, *wished], state.verdicts)


def ask_to_decide(state: PipelineState, task: Task, run_dir: Path) -> Blocked:
    """The question for the first check that is undecided: what it proves, what was done, and where to look."""
    blank = _blank(task, state.undecided[0])
    probe = _probe(task, blank)
    step = task.step(blank.step or state.orders[-1].step)
    attempt = state.attempts_of(step.id)[-1].number
    texts = [c.text for c in task.contract(blank.step).criteria if probe.ref in c.verified_by]
    return Blocked(
        question=f"A person has to decide, everything else passed: {' '.join(probe.subject)}",
        reasons=(*(f"criterion: {text}" for text in texts), *result_of(state, task, step, run_dir)),
        approval=Approval(
            step=step.id,
            point=ApprovalPoint.BEFORE_ACCEPTANCE,
            attempt=attempt,
            round=state.round,
            work_sha256=state.work_sha256 if state.isolated is None else _tree(state, step.id),
            check=blank.id,
        ),
    )


def check_of(state: PipelineState, decision: Decision, call: Call) -> Check:
    """The check that a person has decided, with the decision as its log."""
    task = need(state.task, "task")
    approval = need(decision.approval, "approval")
    blank = _blank(task, need(approval.check, "check"))
    blank = blank.model_copy(update={"attempt": approval.attempt if blank.step else None})
    run_dir = call.context.run_dir(state.run_id)
    return _written(_probe(task, blank), blank, decision, run_dir, call.context.environment.masker())


def update_by(state: PipelineState, check: Check) -> dict[str, Any]:
    """What the state has to know about a check that was decided."""
    now = [other for other in state.checks if other.round == check.round]
    return {
        "checks": (check,),
        "verdicts": judge(need(state.task, "task"), need(state.plan, "plan"), [*now, check], state.verdicts),
        "undecided": tuple(id for id in state.undecided if id != check.id),
    }


def decision_behind(check: Check, facts: dict[str, Any], decisions: tuple[Decision, ...]) -> bool:
    """Whether a decision of the run says what the log of a check says."""
    wanted = Route.APPROVE_RESULT if check.outcome is Outcome.PASSED else Route.REJECT_RESULT
    name = check.id.partition(".")[2]
    return any(
        decision.route is wanted
        and decision.approval is not None
        and (decision.approval.check or "").partition(".")[2] == name
        and (decision.who, _moment(decision), decision.note) == (facts.get("who"), facts.get("at"), facts.get("note"))
        for decision in decisions
    )


def _written(probe: Probe, blank: Check, decision: Decision, run_dir: Path, masker: Masker) -> Check:
    approved = decision.route is Route.APPROVE_RESULT
    facts = {
        "question": list(probe.subject),
        "decision": APPROVED if approved else REJECTED,
        "who": decision.who,
        "at": _moment(decision),
        "note": masker.text(decision.note),
        "about": decision.approval.name if decision.approval else "",
    }
    folder = run_dir / "checks" / f"{blank.round:04d}"
    make_private_folder(folder)
    log = folder / f"{blank.id.partition('.')[2]}.json"
    write_private(log, note_of(facts), sync=True)
    return judged(_KIND, probe, Seen(log=log), blank, run_dir)


def _blank(task: Task, id: str) -> Check:
    """The record of a check of a person before anybody has decided, from its id."""
    number, _, name = id.partition(".")
    step, probe = next((step, p) for step, p in _of_people(task) if f"{step or 'task'}.{p.ref}" == name)
    return Check(
        id=id,
        round=int(number),
        step=step,
        attempt=None,
        ref=probe.ref,
        kind=CheckKind.PROBE,
        probe=MANUAL,
        run=_KIND.title(probe),
        outcome=Outcome.UNVERIFIABLE,
        reason="nobody has decided",
    )


def _of_people(task: Task) -> Iterator[tuple[StepId | None, Probe]]:
    for step, contract in (*((step.id, step) for step in task.steps), (None, task)):
        yield from ((step, probe) for probe in contract.probes if probe.kind == MANUAL)


def _probe(task: Task, check: Check) -> Probe:
    return need(task.contract(check.step).probe(check.ref), "probe")


def _files(state: PipelineState, asked: ForPerson, work: str | None) -> str | None:
    """What stands for the files that a person is shown: all changes, or the commit's tree of an isolated run."""
    if state.isolated is None:
        return work
    try:
        return git(asked.workspace, "rev-parse", "HEAD^{tree}").decode().strip()
    except WorkspaceError:
        return None


def _tree(state: PipelineState, step: StepId) -> str | None:
    """The tree of the commit that was looked at: what is merged, or what the step by itself has left."""
    commit = need(state.isolated, "isolated").verified or state.attempts_of(step)[-1].commit
    try:
        return git(Path(state.workspace), "rev-parse", f"{commit}^{{tree}}").decode().strip()
    except WorkspaceError:
        return None


def _moment(decision: Decision) -> str:
    return decision.at.astimezone(UTC).isoformat(timespec="microseconds")
