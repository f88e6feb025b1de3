"""Processes that outlived the attempt or check that started them: found by their environment, never by a bare pid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

RUN_DIR_VARIABLE = "WAYPOST_RUN_DIR"
STEP_VARIABLE = "WAYPOST_STEP"
_ROUNDS = 10


def kill_leftovers(run_dir: Path, *, step: str | None = None) -> int:
    """Kill every process that was started for the run in `run_dir` (and for `step`) and still lives.

    Whatever goes on in the background could change files after they were checked. The folder is the key, not the
    run id: two runs folders may hold runs of one name.

    Returns:
        How many processes were killed.
    """
    killed = 0
    for _ in range(_ROUNDS):
        found = list(_processes(str(run_dir), step))
        if not found:
            break
        for process in found:
            try:
                process.kill()
                killed += 1
            except psutil.Error:
                continue
        psutil.wait_procs(found, timeout=1.0)
    return killed


def _processes(run_dir: str, step: str | None) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            environment = process.environ()
            dead = process.status() == psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue
        mine = environment.get(RUN_DIR_VARIABLE) == run_dir and step in (None, environment.get(STEP_VARIABLE))
        if mine and not dead:
            yield process
