"""Each fault experiment in its short form. `make faults` runs them in full, with another seed each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from faults import run
from faults.outcome import Skip


def short_form(name: str, tmp_path: Path) -> dict[str, Any]:
    """The findings of one experiment with a fixed seed, skipped where this machine cannot do it."""
    report = tmp_path / "report.json"
    run.main(["--short", "--alone", "--seed", "1", "--only", name, "--dir", str(tmp_path), "--json", str(report)])
    found = json.loads(report.read_text())["experiments"][name]
    if "skipped" in found:
        pytest.skip(found["skipped"])
    return found


@pytest.mark.parametrize("name", [*run.EXPERIMENTS])
def test_no_promise_is_broken(name: str, tmp_path: Path) -> None:
    outcomes = short_form(name, tmp_path)["outcomes"]
    assert outcomes
    for outcome in outcomes:
        assert outcome["counts"]
        assert outcome["violations"] == []


def test_a_broken_promise_is_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(setting: Any) -> list[run.Outcome]:
        return [run.Outcome("LedgerSaver", violations=["lost"])]

    monkeypatch.setitem(run.EXPERIMENTS, "hostile", broken)
    assert run.main(["--short", "--only", "hostile", "--dir", str(tmp_path)]) == 1


def test_what_others_lose_is_no_failure_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(setting: Any) -> list[run.Outcome]:
        return [run.Outcome("LedgerSaver"), run.Outcome("SqliteSaver", violations=["lost"])]

    monkeypatch.setitem(run.EXPERIMENTS, "hostile", theirs)
    assert run.main(["--short", "--only", "hostile", "--dir", str(tmp_path)]) == 0


def test_the_table_tells_of_each_experiment_what_was_done_and_what_broke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def both(setting: Any) -> list[run.Outcome]:
        ours, theirs = run.Outcome("LedgerSaver"), run.Outcome("SqliteSaver", violations=["lost", "lost"])
        ours.add("kills", 1000)
        ours.add("acknowledged", 20_000)
        theirs.add("kills", 3)
        return [ours, theirs]

    def cannot(setting: Any) -> list[run.Outcome]:
        raise Skip("mounting needs root")

    monkeypatch.setitem(run.EXPERIMENTS, "hostile", both)
    monkeypatch.setitem(run.EXPERIMENTS, "flips", cannot)
    run.main(["--seed", "7", "--only", "hostile", "--only", "flips", "--dir", str(tmp_path)])
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines() if "|" in line
    ]
    assert rows[2][:4] == ["hostile", "1,000 kills, 20,000 acknowledged", "0", "2 in 3 kills"]
    assert rows[3] == ["flips", "skipped: mounting needs root", "", "", "", "7"]


def test_the_page_tells_of_every_experiment() -> None:
    page = Path(__file__).resolve().parents[2].joinpath("docs", "faults.md").read_text(encoding="utf-8")
    for name in run.EXPERIMENTS:
        assert f"\n| {name} |" in page
        assert f"\n**{name}.**" in page
