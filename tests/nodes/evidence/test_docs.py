"""docs/evidence.md is run, not trusted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from waypost.nodes.evidence import read_verification_log, write_evidence

from .conftest import Run

DOCUMENT = (Path(__file__).parents[3] / "docs" / "evidence.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, flags=re.MULTILINE | re.DOTALL)


def test_the_example_log_is_a_log(tmp_path: Path) -> None:
    (example,) = [block for block in blocks("") if block.startswith("Waypost verification log")]
    path = tmp_path / "verification.log"
    path.write_text(example, encoding="utf-8")
    log = read_verification_log(path)
    assert log.entries[0].outcome == "PASSED"
    assert log.coverage.criteria[0].checks == (("PASSED", "1.S1.V1"),)


def test_the_example_code_reads_a_log(
    done: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_evidence(done.state(), done.folder)
    monkeypatch.chdir(done.reports)
    (example,) = blocks("python")
    exec(compile(example, "evidence.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.splitlines()[0] == "1 python -m pytest -q 0 PASSED 9"


def test_every_section_of_a_report_is_explained(done: Run) -> None:
    write_evidence(done.state(), done.folder)
    for line in (done.reports / "report.md").read_text().splitlines():
        if line.startswith("## "):
            assert f"| {line[3:]} |" in DOCUMENT
