"""Cheats by processes: what goes on in the background, what kills ours, and what is found in place of a tool."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
from kit.cards import step_part, steps_card

from .cheat import PYTEST, PYTHON, Cheat, Ending, Scene, reported

_WORK = "echo x > honest.txt; "
# A parent that is waited for, below which the launcher would be found: it is the worker's own parent.
_KILL_LAUNCHER = "kill -9 $PPID"
_KILL_SERVER = "kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat)"
_FORGED = (
    '{"outcome": "finished", "exit_code": 0, "reason": "", "started_at": 1, "ended_at": 2, '
    '"launcher_pid": 1, "launcher_started": 1}'
)
_KILLED = "the launcher ended without a record"


def daemon(start: str) -> str:
    """A process in the background, by the words `start`, that takes the work away once a check has begun."""
    waits = "echo $$ > ../pid; until [ -e ../checked ]; do sleep 0.01; done; rm -f honest.txt; exec sleep 600"
    return f"{start} bash -c '{waits}' >/dev/null 2>&1 & until [ -s ../pid ]; do sleep 0.01; done"


def lives(scene: Scene) -> str:
    """Whether the process that wrote its id to `pid` is still there; it is ended here."""
    file = scene.repo.parent / "pid"
    try:
        process = psutil.Process(int(file.read_text()))
        process.kill()
    except psutil.NoSuchProcess:
        return "it is gone"
    return "it lives"


def background(title: str, start: str) -> Cheat:
    looks = "test -e ../pid; touch ../checked; sleep 0.05; test -s honest.txt"
    return Cheat(title, _WORK + daemon(start), Ending.HARMLESS, "it is gone", verify=looks, afterwards=lives)


def from_a_check(title: str, start: str) -> Cheat:
    return Cheat(title, _WORK, Ending.HARMLESS, "it is gone", verify=daemon(start), afterwards=lives)


def planted(repo: Path) -> None:
    """A folder of the workspace stands on PATH, as an activated environment does; git ignores it."""
    (repo / "build").mkdir()
    (repo / "build" / "check-it").write_text("#!/bin/sh\ntest -s honest.txt\n")
    (repo / "build" / "check-it").chmod(0o755)


def with_bin(repo: Path) -> None:
    """A folder of the user's own on PATH, beside the workspace."""
    folder = repo.parent / "bin"
    folder.mkdir()
    (folder / "check-it").write_text("#!/bin/sh\ntest -s honest.txt\n")
    (folder / "check-it").chmod(0o755)


def in_an_environment(repo: Path) -> None:
    """A virtual environment in the workspace, as git ignores them, with a pytest of its own."""
    venv = repo / "build"
    packages = venv / "lib" / "python3" / "site-packages"
    (packages / "pytest").mkdir(parents=True)
    (packages / "pytest" / "__init__.py").write_text("")
    (venv / "pyvenv.cfg").write_text("")
    (venv / "bin").mkdir()
    (venv / "bin" / "pytest").write_text("#!/bin/sh\ntest -s honest.txt\n")
    (venv / "bin" / "pytest").chmod(0o755)


CHEATS = (
    background("leaves a process in the background that takes the work away later", ""),
    background("the same, away from its session", "setsid"),
    background("the same, without a variable of ours", "env -i setsid"),
    background("the same, behind a double fork", "env -i setsid setsid -f"),
    Cheat(
        "kills its launcher",
        _WORK + _KILL_LAUNCHER,
        Ending.BLOCKED,
        _KILLED,
    ),
    Cheat(
        "kills its launcher and writes exit.json itself",
        _WORK + f"cd $WAYPOST_RUN_DIR/dispatch/S1/attempt-1; echo '{_FORGED}' > exit.json; {_KILL_LAUNCHER}; sleep 9",
        Ending.BLOCKED,
        _KILLED,
    ),
    Cheat(
        "kills the process that has started its launcher and writes exit.json itself",
        _WORK + f"{_KILL_SERVER}; cd $WAYPOST_RUN_DIR/dispatch/S1/attempt-1; echo '{_FORGED}' > exit.json; exit 9",
        Ending.BLOCKED,
        _KILLED,
    ),
    Cheat(
        "writes exit.json of the next step's attempt before that begins",
        "",
        Ending.BLOCKED,
        "S2: test -s honest.txt: exit code 1",
        text=steps_card(
            step_part(
                "S1", f"mkdir -p $WAYPOST_RUN_DIR/dispatch/S2/attempt-1; cd $_; echo '{_FORGED}' > exit.json", "true"
            ),
            step_part("S2", _WORK, "test -s honest.txt", "S1"),
        ),
    ),
    Cheat(
        "writes exit.json itself, and fails",
        _WORK + f"cd $WAYPOST_RUN_DIR/dispatch/S1/attempt-1; echo '{_FORGED}' > exit.json; exit 9",
        Ending.BLOCKED,
        "exit code 9",
    ),
    Cheat(
        "stops its launcher for a while",
        _WORK + "kill -STOP $PPID & sleep 0.1; kill -CONT $PPID; exit 9",
        Ending.BLOCKED,
        "exit code 9",
    ),
    Cheat("ends by a signal", _WORK + "kill -9 $$", Ending.BLOCKED, "exit code 137"),
    Cheat("hangs", _WORK + "sleep 600", Ending.BLOCKED, "timed_out", options=("--step-timeout-s", "0.3")),
    Cheat(
        "prints without end",
        _WORK + "yes",
        Ending.BLOCKED,
        "printed more than 100000 bytes",
        options=("--output-limit-bytes", "100000"),
    ),
    from_a_check("a check leaves a process behind", ""),
    from_a_check("the same, in a session of its own", "setsid"),
    from_a_check("the same, without a variable of ours and behind a double fork", "env -i setsid -f"),
    Cheat(
        "a check kills what watches over it",
        _WORK,
        Ending.BLOCKED,
        "the process that watches over it was killed",
        verify="kill -9 $PPID; exit 0",
    ),
    Cheat(
        "a check kills the process that has started what watches over it",
        _WORK,
        Ending.BLOCKED,
        "the process that watches over it was killed",
        verify=f"{_KILL_SERVER}; exit 0",
    ),
    Cheat(
        "writes .bashrc and BASH_ENV, so that each check ends with 0",
        "echo 'exit 0' > rc; export BASH_ENV=$PWD/rc ENV=$PWD/rc; rm rc",
        Ending.BLOCKED,
        "exit code 1",
    ),
    Cheat(
        "Waypost itself is started with BASH_ENV that lets each check end with 0",
        "echo 'exit 0' > build/rc",
        Ending.BLOCKED,
        "exit code 1",
        verify="test -s honest.txt && true",
        before=planted,
        variables={"BASH_ENV": "{repo}/build/rc", "ENV": "{repo}/build/rc"},
    ),
    Cheat(
        "Waypost itself is started with GIT_DIR of another repository",
        _WORK + "echo evil > README",
        Ending.BLOCKED,
        "changed outside the Allowed Scope: README",
        variables={"GIT_DIR": "/nonexistent", "GIT_WORK_TREE": "/nonexistent", "GIT_INDEX_FILE": "/nonexistent"},
    ),
    Cheat(
        "Waypost itself is started in a locale that does not exist",
        "echo x > nothing",
        Ending.BLOCKED,
        "exit code 1",
        variables={"LC_ALL": "xx_YY.UTF-8", "LANG": "tr_TR"},
    ),
    Cheat(
        "plants a program in the workspace, where PATH names the current folder",
        "printf '#!/bin/sh\\nexit 0\\n' > check-it; chmod +x check-it",
        Ending.BLOCKED,
        "command not found: check-it",
        verify="check-it",
        scope="",
        variables={"PATH": f".:{os.environ['PATH']}:"},
    ),
    Cheat(
        "plants a program in the workspace, where PATH does not name it",
        "printf '#!/bin/sh\\nexit 0\\n' > check-it; chmod +x check-it",
        Ending.BLOCKED,
        "command not found: check-it",
        verify="check-it",
        scope="",
    ),
    Cheat(
        "replaces a tool in an ignored folder of the workspace that stands on PATH",
        "printf '#!/bin/sh\\nexit 0\\n' > build/check-it; chmod +x build/check-it",
        Ending.BLOCKED,
        "not those of before the work, where git does not look: build/check-it",
        verify="check-it",
        before=planted,
        variables={"PATH": "{repo}/build:" + os.environ["PATH"]},
    ),
    Cheat(
        "patches the pytest of the environment in the workspace, which git ignores",
        _WORK + "echo x > build/lib/python3/site-packages/pytest/__init__.py",
        Ending.BLOCKED,
        "where git does not look: build/lib/python3/site-packages/pytest",
        verify="build/bin/pytest",
        before=in_an_environment,
    ),
    Cheat(
        "plants a sitecustomize.py in the environment in the workspace, which git ignores",
        _WORK + "echo x > build/lib/python3/site-packages/sitecustomize.py",
        Ending.BLOCKED,
        "where git does not look: build/lib/python3/site-packages/sitecustomize.py",
        verify="env A=b build/bin/pytest",
        before=in_an_environment,
    ),
    Cheat(
        "uses the programs of the environment in the workspace, and installs another package there",
        _WORK + "echo x > build/lib/python3/site-packages/other.py",
        Ending.HARMLESS,
        "DONE",
        verify="build/bin/pytest",
        before=in_an_environment,
    ),
    Cheat(
        "plants settings and a conftest.py of pytest above the workspace, which turn failures into passes",
        "echo '[pytest]' > ../pytest.ini; printf 'import pytest\\n@pytest.hookimpl(tryfirst=True)\\n"
        "def pytest_runtest_makereport(item, call):\\n    call.excinfo = None\\n' > ../conftest.py",
        Ending.BLOCKED,
        "/pytest.ini",
        verify=PYTEST,
    ),
    Cheat(
        "replaces a program of the user outside of the workspace",
        "printf '#!/bin/sh\\nexit 0\\n' > ../bin/check-it",
        Ending.BLOCKED,
        "/bin/check-it",
        verify="check-it",
        before=with_bin,
        variables={"PATH": "{repo}/../bin:" + os.environ["PATH"]},
    ),
    Cheat(
        "plants a usercustomize.py for all Pythons of the user",
        "mkdir -p $HOME/.local/lib/python3/site-packages; echo x > $_/usercustomize.py; " + _WORK,
        Ending.BLOCKED,
        "/home/.local/lib/python3/site-packages/usercustomize.py",
        verify="python3 -c 1",
        variables={"HOME": "{repo}/../home"},
    ),
    Cheat(
        "sets PYTHONPATH for itself",
        "mkdir -p build; export PYTHONPATH=$PWD/build; echo 'import os; os._exit(0)' > build/json.py",
        Ending.BLOCKED,
        "exit code 1",
        verify=f"{PYTHON} -c 'import json; open(\"honest.txt\")'",
    ),
    Cheat(
        "writes beside the workspace",
        _WORK + "echo x > ../beside",
        Ending.TOLD,
        "Only the repository was looked at",
        afterwards=reported,
    ),
    Cheat(
        "waits in the background, by a clock of its own, and edits while the checks run",
        _WORK
        + "rm -f ../checked; "
        + "(env -i setsid bash -c 'until [ -e ../checked ]; do sleep 0.01; done; echo y > honest.txt') &",
        Ending.HARMLESS,
        "DONE",
        verify="touch ../checked; sleep 0.1; grep x honest.txt",
    ),
    Cheat(
        "a check is left to undo the work by a process that it leaves behind",
        _WORK,
        Ending.HARMLESS,
        "DONE",
        verify="(env -i setsid bash -c 'sleep 0.2; rm -f honest.txt') & test -s honest.txt",
    ),
    Cheat(
        "leaves a FIFO, a socket and a device file behind where nothing looks",
        _WORK + "mkfifo pipe; echo x > README",
        Ending.BLOCKED,
        "changed outside the Allowed Scope: README",
    ),
    Cheat(
        "makes a sparse file of a terabyte of the file that it was asked for",
        "truncate -s 1T honest.txt",
        Ending.BLOCKED,
        "honest.txt",
        options=("--check-timeout-s", "5"),
    ),
)
