"""`waypost reproduce`: the verification of a run once more, in a folder of its own that is gone afterwards."""

from __future__ import annotations

import json as jsonlib
import os
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from ..nodes.audit import audit_run
from ..nodes.checks.process import CheckStopped
from ..nodes.config import Config, kept_config
from ..nodes.context import Call
from ..nodes.evidence.bundle import read_bundle
from ..nodes.evidence.files import open_run_folder
from ..nodes.reproduce.again import Reproduction, Result, run_again
from ..nodes.reproduce.rebuild import rebuild
from ..nodes.reproduce.shown import record_of
from ..state.errors import CannotReproduce, EvidenceError, InputError, Interrupted, WaypostError
from ..state.ids import run_id as checked_run_id
from ..state.pipeline import PipelineState
from .batch_state import refuse_batch
from .compose import open_saver
from .configured import context_of
from .ending import BLOCKED, DONE, FAILED
from .ledger_facts import attested_state, facts_of
from .ledger_text import answer, escaped, print_json
from .requests import ReproduceRequest
from .signals import stop_signals
from .view import View, choose_view

_EXIT = {Result.SAME: DONE, Result.DIFFERENT: FAILED, Result.COULD_NOT_RUN: BLOCKED}
_SAID = {
    Result.SAME: "REPRODUCED: the same verdicts",
    Result.DIFFERENT: "NOT REPRODUCED: other verdicts than recorded",
    Result.COULD_NOT_RUN: "COULD NOT RUN: the world has changed",
}


@dataclass(frozen=True)
class _Recorded:
    """What is to be reproduced: the newest state of a run, what it keeps in its folder, and where that came from."""

    state: PipelineState
    patch: bytes | None
    config: Config
    repository: Path


def reproduce(asked: ReproduceRequest) -> int:
    """Verify a run again. Nothing is written but `asked.out`.

    Returns:
        0 the same verdicts, 1 different ones, 2 bad input, 3 it could not be run here, 4 interrupted.
    """
    view = choose_view(json=asked.json)

    def work() -> int:
        try:
            return _reproduce(asked, view)
        except (CannotReproduce, Interrupted) as error:
            _write_out(asked, {"run_id": asked.what, "result": Result.COULD_NOT_RUN.value, "reason": error.render()})
            return view.failed(error)
        except KeyboardInterrupt:
            return view.failed(_interrupted())

    return answer(work, json=asked.json)


def _reproduce(asked: ReproduceRequest, view: View) -> int:
    if asked.out is not None and asked.out.exists():
        raise InputError(f"{asked.out} is there already", next_step="give another name with --out")
    stop = threading.Event()
    with (
        tempfile.TemporaryDirectory(prefix="waypost-reproduce-", ignore_cleanup_errors=True) as name,
        stop_signals(lambda _name, _count: stop.set()),
    ):
        folder = Path(name)
        try:
            found = _run(asked, _recorded(asked, folder / "bundle"), folder, stop, view)
        except (CheckStopped, WaypostError):
            # A git that was stopped with us has failed, and means nothing else by it.
            if stop.is_set():
                raise _interrupted() from None
            raise
    _write_out(asked, record_of(found))
    if asked.json:
        print_json({"event": "result", **record_of(found), "exit_code": _EXIT[found.result]})
    else:
        _tell(found)
    return _EXIT[found.result]


def _run(asked: ReproduceRequest, recorded: _Recorded, folder: Path, stop: threading.Event, view: View) -> Reproduction:
    state = recorded.state
    if state.tree is None or state.task is None or state.plan is None:
        raise CannotReproduce(
            f"run {state.run_id} is {state.status}, and records no files on which everything was verified",
            next_step=f"waypost status {state.run_id}",
        )
    view.begin(state.run_id, f"commit {state.tree.base} of {recorded.repository}, and the recorded change", folder)
    rebuilt = rebuild(recorded.repository, state.tree, recorded.patch, folder)
    if stop.is_set():
        raise CheckStopped
    context = context_of(folder, recorded.config)
    with view:
        return run_again(state, rebuilt, folder / "run", Call(context, say=view.event, draining=stop.is_set))


def _recorded(asked: ReproduceRequest, into: Path) -> _Recorded:
    if Path(asked.what).is_file():
        _refuse_unasked(asked)
        into.mkdir()
        run_dir = read_bundle(Path(asked.what), into)
        state = _state(into, run_dir)
        _refuse_forged(asked, into, run_dir)
        return _of(state, run_dir, asked.repository or Path.cwd())
    run_dir = asked.runs.absolute() / checked_run_id(asked.what)
    refuse_batch(run_dir)
    if asked.out is not None and asked.out.absolute().resolve().is_relative_to(run_dir.resolve()):
        raise InputError(f"{asked.out} lies in the folder of the run", next_step="give another name with --out")
    state = _state(asked.runs, run_dir)
    return _of(state, run_dir, asked.repository or Path(state.workspace))


def _of(state: PipelineState, run_dir: Path, repository: Path) -> _Recorded:
    if not repository.is_dir():
        raise CannotReproduce(f"there is no repository in {repository}", next_step="give a checkout: --repository DIR")
    patch = None
    if state.tree is not None and state.tree.patch is not None:
        with open_run_folder(run_dir) as run:
            run.verify(state.tree.patch, state.tree.patch_sha256 or "no hash")
            patch = run.read(state.tree.patch)
    return _Recorded(state, patch, kept_config(run_dir) or Config(), repository.absolute())


def _state(runs: Path, run_dir: Path) -> PipelineState:
    with open_saver(runs, read_only=True) as saver:
        return attested_state(facts_of(saver, run_dir, run_dir.name), run_dir.name)


def _refuse_unasked(asked: ReproduceRequest) -> None:
    """What a bundle says is run on this machine, with the rights of whoever asks for it."""
    if asked.yes:
        return
    question = f"Run the commands that {asked.what} names on this machine, as you?"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            f"{asked.what} is somebody else's: its commands run only if you say so",
            next_step="see them in its report.md (tar -xzf), then give --yes",
        )
    if input(f"{question} [y/N] ").strip().casefold() not in ("y", "yes"):
        raise InputError("nothing was run")


def _refuse_forged(asked: ReproduceRequest, runs: Path, run_dir: Path) -> None:
    with open_saver(runs, read_only=True) as saver:
        found = audit_run(run_dir.name, run_dir, facts_of(saver, run_dir, run_dir.name))
    if not found.ok:
        first = found.wrong[0]
        raise EvidenceError(
            f"{asked.what} is not what it claims to be, and nothing of it was run",
            facts={first.subject: first.what},
            next_step=f"waypost audit {asked.what}",
        )


def _interrupted() -> Interrupted:
    return Interrupted("interrupted: what was put together is removed", next_step="run it again")


def _write_out(asked: ReproduceRequest, record: dict[str, object]) -> None:
    if asked.out is None:
        return
    text = jsonlib.dumps(record, indent=2) + "\n"
    try:
        handle = os.open(asked.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"cannot write {asked.out}: {error.strerror}", next_step="give another --out") from None


def _tell(found: Reproduction) -> None:
    print()
    for line in found.world:
        print(f"{'world':<11} {escaped(line)}")
    for check in found.checks:
        if not check.same:
            then = check.recorded or "not recorded"
            print(f"{'check':<11} {check.name}: {then}, now {check.now}: {escaped(check.world or check.reason)}")
            for line in check.output.splitlines():
                print(f"{'':<11} | {escaped(line)}")
    for one in found.criteria:
        name = f"{one.step or 'task'}/{one.id}"
        then = "" if one.recorded is one.now else f" (recorded {one.recorded}) {one.result}: "
        why = escaped("; ".join(one.world) or one.reason) if then else ""
        print(f"{'criterion':<11} {name}: {one.now}{then}{why}")
    print(f"\n{_SAID[found.result]}  {found.run}: {len(found.criteria)} criteria, tree {found.tree.tree}")
