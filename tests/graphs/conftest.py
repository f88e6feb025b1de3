"""A pipeline over a real ledger, which is checked when the test ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.cards import write_card
from waypost import LedgerSaver, Limits, PipelineState, build_pipeline, new_run
from waypost.checkpointing import fsck
from waypost.graphs.compiled import Pipeline


class Bench:
    """One pipeline, one repository, one runs folder."""

    def __init__(self, repo: Path, runs: Path) -> None:
        self.repo, self.runs = repo, runs
        self.saver = LedgerSaver(runs)
        self.graph: Pipeline = build_pipeline(self.saver)

    def new(self, text: str, *, worker: str = "shell", **limits: float) -> PipelineState:
        path = write_card(self.repo.parent, text)
        return new_run(
            path, workspace=self.repo, runs_dir=self.runs, worker=worker, limits=Limits.model_validate(limits)
        )

    def config(self, state: PipelineState):
        return {"configurable": {"thread_id": state.run_id}}

    def invoke(self, state: PipelineState):
        return self.graph.invoke(state, self.config(state), durability="sync")


@pytest.fixture
def bench(repo: Path, tmp_path: Path):
    bench = Bench(repo, tmp_path / "runs")
    yield bench
    bench.saver.close()
    for ledger in bench.runs.glob("*/ledger.jsonl"):
        report = fsck(ledger)
        assert report.ok, report
