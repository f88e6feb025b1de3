"""The storm in its short form; `make storm` runs it in full, beside plain LangGraph nodes."""

from __future__ import annotations

from pathlib import Path

from kit.forked import commands

from storm.run import STEPS, Waypost, storm


def test_an_orchestrator_killed_at_random_instants_does_every_steps_work_exactly_once(tmp_path: Path) -> None:
    with commands() as orchestrators:
        tally = storm(Waypost, orchestrators, kills=8, seed=1, folder=tmp_path)
    assert tally.wrong == []
    assert tally.kills >= 8
    assert (tally.done, tally.once) == (tally.runs, tally.runs * len(STEPS))
