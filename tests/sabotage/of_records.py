"""Cheats on what Waypost writes: the ledger, logs, reports, cards, approvals, configuration."""

from __future__ import annotations

import json
from pathlib import Path

from kit.approvals import step
from kit.cards import step_part, steps_card

from .cheat import PYTEST, PYTHON, Cheat, Ending, Scene

_WORK = "echo x > honest.txt; "
_TEST = "tests/test_calc.py"
_RUN = "$WAYPOST_RUN_DIR"
_WAYPOST = f"{PYTHON} -m waypost"
_STATUS = '{"status": "DONE"}'


def audited(scene: Scene) -> str:
    said = scene.waypost("audit")
    return f"exit code {said.code}: {said.out}"


def edited(pattern: str, old: bytes = b"", new: bytes = b"x"):
    """Once the run is done, a file of it is changed; what audit says."""

    def change(scene: Scene) -> str:
        path = next(iter(sorted(scene.run_dir.glob(pattern))))
        data = path.read_bytes()
        path.write_bytes(data.replace(old, new, 1) if old else data + new)
        assert path.read_bytes() != data
        return audited(scene)

    return change


def removed(pattern: str):
    def remove(scene: Scene) -> str:
        next(iter(sorted(scene.run_dir.glob(pattern)))).unlink()
        return audited(scene)

    return remove


def found(title: str, change) -> Cheat:
    return Cheat(title, _WORK, Ending.FOUND, "exit code 1", afterwards=change)


def status_after(scene: Scene) -> str:
    """What `status` reads from the ledger, whatever the mirrors say."""
    return f"status {json.loads(scene.waypost('status').out)['state']['status']}"


def decisions(scene: Scene) -> str:
    return json.dumps(json.loads(scene.waypost("status").out)["state"]["decisions"])


def tried(scene: Scene) -> str:
    return (scene.repo.parent / "said").read_text()


def approval(bash: str) -> str:
    return steps_card(step("S1", bash, "test -s honest.txt", approval="before acceptance"))


def lenient(repo: Path) -> None:
    (repo / "waypost.toml").write_text("[environment]\nallow = []\n")


def with_uncommitted(repo: Path) -> None:
    (repo / _TEST).write_text((repo / _TEST).read_text() + "\n")


CHEATS = (
    found("changes a log of a check after DONE", edited("checks/*/*.log")),
    found("changes verification.log after DONE", edited("reports/*/verification.log")),
    found("changes report.md after DONE", edited("reports/*/report.md", b"S1", b"S2")),
    found("changes audit-summary.md after DONE", edited("reports/*/audit-summary.md")),
    found("removes report.md after DONE", removed("reports/*/report.md")),
    found("removes verification.log after DONE", removed("reports/*/verification.log")),
    found("changes the ledger after DONE", edited("ledger.jsonl", b"honest", b"hanest")),
    found("changes the worker's output after DONE", edited("dispatch/S1/attempt-1/stdout.log")),
    Cheat(
        "writes reports of its own before it fails",
        f"mkdir -p {_RUN}/reports/T-1; echo DONE > {_RUN}/reports/T-1/report.md; "
        f"echo 'Exit Code: 0' > {_RUN}/reports/T-1/verification.log",
        Ending.BLOCKED,
        "exit code 1",
    ),
    Cheat(
        "writes a log of a check before the check runs",
        f"mkdir -p {_RUN}/checks/0001; echo '1 passed' > {_RUN}/checks/0001/S1.V1.log",
        Ending.BLOCKED,
        "exit code 1",
    ),
    Cheat(
        "puts a link in place of the folder of the checks",
        _WORK + f"mkdir ../elsewhere; ln -s $PWD/../elsewhere {_RUN}/checks",
        Ending.REFUSED,
        "checks",
    ),
    Cheat(
        "writes pipeline_state.json",
        f"echo '{_STATUS}' > {_RUN}/pipeline_state.json",
        Ending.BLOCKED,
        "status BLOCKED",
        afterwards=status_after,
    ),
    Cheat(
        "writes snapshots",
        f"mkdir -p {_RUN}/snapshots; echo '{_STATUS}' > {_RUN}/snapshots/9999-transition.json",
        Ending.BLOCKED,
        "status BLOCKED",
        afterwards=status_after,
    ),
    Cheat(
        "appends a line to the ledger",
        _WORK + f"tail -n 1 {_RUN}/ledger.jsonl >> {_RUN}/ledger.jsonl",
        Ending.REFUSED,
        "ledger",
    ),
    Cheat("cuts the ledger", _WORK + f"truncate -s 100 {_RUN}/ledger.jsonl", Ending.REFUSED, "ledger"),
    Cheat(
        "replaces the ledger by a copy of itself",
        _WORK + f"cp {_RUN}/ledger.jsonl l; mv l {_RUN}/ledger.jsonl",
        Ending.REFUSED,
        "ledger",
    ),
    Cheat("deletes the folder of the run", _WORK + f"rm -rf {_RUN}", Ending.REFUSED, "was deleted"),
    Cheat(
        "changes the request and the prompt of its attempt",
        f"cd {_RUN}/dispatch/S1/attempt-1; echo '{{}}' > request.json; echo > prompt.md; echo > launch",
        Ending.BLOCKED,
        "exit code 1",
    ),
    Cheat(
        "changes the card while it is worked on",
        "sed -i 's/test -s honest.txt/true/' ../tasks.md",
        Ending.BLOCKED,
        "exit code 1",
    ),
    Cheat(
        "writes a waypost.toml",
        _WORK + "printf '[environment]\\nallow = [\"*\"]\\n' > waypost.toml",
        Ending.BLOCKED,
        "changed outside the Allowed Scope: waypost.toml",
    ),
    Cheat(
        "changes waypost.toml so that checks are given BASH_ENV",
        "echo 'exit 0' > build.rc; printf '[environment]\\nallow = [\"*\"]\\n' > waypost.toml",
        Ending.BLOCKED,
        "exit code 1",
        scope="",
        verify="test -s honest.txt && true",
        before=lenient,
        variables={"BASH_ENV": "{repo}/build.rc"},
    ),
    Cheat(
        "starts `waypost approve` for its own step",
        "",
        Ending.BLOCKED,
        "[]",
        text=approval(_WORK + f"{_WAYPOST} approve R --runs $PWD/../runs > ../said 2>&1 || true"),
        afterwards=decisions,
    ),
    Cheat(
        "leaves a process that approves as soon as the run waits",
        "",
        Ending.BLOCKED,
        "[]",
        text=approval(
            _WORK
            + f"env -i setsid bash -c 'until {_WAYPOST} approve R --runs $PWD/../runs; do :; done' >/dev/null 2>&1 &"
        ),
        afterwards=decisions,
    ),
    Cheat(
        "starts `waypost resume --recover` for its own run",
        f"{_WAYPOST} resume R --recover --runs $PWD/../runs > ../said 2>&1; exit 0",
        Ending.BLOCKED,
        "nothing to decide",
        afterwards=tried,
    ),
    Cheat(
        "starts `waypost resume` for its own run",
        f"{_WAYPOST} resume R --runs $PWD/../runs > ../said 2>&1; exit 0",
        Ending.BLOCKED,
        "wait for it, stop it",
        afterwards=tried,
    ),
    Cheat(
        "one step edits the folder of another step's attempt",
        "",
        Ending.REFUSED,
        "stdout.log does not hold the bytes that were recorded",
        text=steps_card(
            step_part("S1", "echo one; echo x > honest.txt", "true"),
            step_part("S2", f"echo two >> {_RUN}/dispatch/S1/attempt-1/stdout.log", "test -s honest.txt", "S1"),
        ),
        afterwards=audited,
    ),
    Cheat(
        "rewrites what was written down of the tests before the work",
        f"sed -i s/test_add/test_old/ {_TEST}; sed -i s/test_add/test_old/ {_RUN}/checks/0000/*.tests.jsonl",
        Ending.REFUSED,
        "does not hold the bytes that were recorded",
        verify=PYTEST,
        scope="",
    ),
    Cheat(
        "rewrites the first version of a test that was kept for later",
        f"sed -i 's/== 3/== -1/' {_TEST}; cp {_TEST} {_RUN}/originals/0001",
        Ending.BLOCKED,
        f"the first version of {_TEST} in the folder of the run was changed",
        verify=PYTEST,
        scope="",
        before=with_uncommitted,
    ),
)
