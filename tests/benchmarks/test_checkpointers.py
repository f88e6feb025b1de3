"""The benchmark of the checkpointers still runs, and its page compares; how fast anything is, is not tested."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("langgraph.checkpoint.sqlite", "langgraph.checkpoint.postgres", "psycopg_pool", "matplotlib"):
    pytest.importorskip(needed, reason="the bench group is not installed")

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "checkpointers.py"
RATIO = r"\d[\d.,]* \(\d[\d.,]* to \d[\d.,]*\)"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    command = [sys.executable, str(BENCHMARK), "--quick", "--only", "put", "--out", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return folder


def test_the_page_says_what_to_reach_what_was_measured_and_whether_that_is_enough(out: Path):
    page = (out / "checkpointers.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| put, times the bare .* \| at most 1\.3 x \| {RATIO} x \| (yes|no) \|$", page, re.MULTILINE)


@pytest.mark.parametrize("store", ["LedgerSaver", "SqliteSaver", "AsyncSqliteSaver", "InMemorySaver"])
def test_each_store_is_compared_with_the_bare_disk(out: Path, store: str):
    page = (out / "checkpointers.md").read_text(encoding="utf-8")
    table = page.partition("## One put\n")[2].partition("\n## ")[0]
    assert re.search(rf"^\| {store} \| {RATIO} \| {RATIO} \|", table, re.MULTILINE)


def test_a_picture_is_drawn(out: Path):
    assert (out / "put-and-disk.png").read_bytes().startswith(b"\x89PNG")
