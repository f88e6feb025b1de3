"""Whatever stands in a file: a list of tasks, or a complaint with a line. Never another error.

The long form is `python tests/nodes/formats/foreign/mutate.py`.
"""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.mutated import SAMPLES, mutants, read_or_complain
from waypost.nodes.formats.foreign import FORMATS, open_tasks
from waypost.state.errors import TaskFileError

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FORMAT = st.sampled_from([None, *(name for name in FORMATS if name not in ("prose", "card"))])
PIECES = st.sampled_from(
    [
        "- [ ] T001 a\n", "- [x] T001 [P] [US1] b (depends on T002-T009)\n", "- [ ] 1. a\n", "  - [ ]* 1.1 b\n",
        "## Phase 1: a\n", "### T-1 \u2014 a\n", "## Task 1: a \u2705\n", "**Goal**: g\n", "**Status**: done\n",
        "**Dependencies**: T001\n", "**Checkpoint**: `make`\n", "**Acceptance**\n", "- `make test` passes\n",
        "_Requirements: 1.1_\n", "---\n", "id: X-1\n", "title: t\n", "status: Done\n", "<!-- AC:BEGIN -->\n",
        "<!-- AC:END -->\n", "- [ ] #1 a\n", "```json\n", '{"waves": [', "]}\n", "```\n", "- **1.1 a**\n", "> ", "  ",
        "\t", "\n", "\n\n", '{"id": 1, "title": "t"}', '{"master": {"tasks": [', '"dependencies": [1]', ",", "[", "]",
        "{", "}", '"', "\\", '"status": "open"', '"issue_type": "task"', '{"number": 1,', "&a ", "*a", "!!x ",
        "\u2705", "\u00a0", "\x85", "`", "|",
    ]
)  # fmt: skip


@QUICK
@given(data=st.binary(max_size=300), format=FORMAT)
def test_any_bytes(tmp_path, data, format):
    read_or_complain(tmp_path, data, format)


@QUICK
@given(text=st.text(max_size=300), format=FORMAT)
def test_any_text(tmp_path, text, format):
    read_or_complain(tmp_path, text.encode("utf-8", "surrogatepass"), format)


@settings(QUICK, max_examples=200)
@given(pieces=st.lists(PIECES, max_size=20), format=FORMAT)
def test_any_pieces(tmp_path, pieces, format):
    read_or_complain(tmp_path, "".join(pieces).encode("utf-8", "replace"), format)


@pytest.mark.parametrize("name", SAMPLES)
def test_mutated_samples(tmp_path, name):
    for data in mutants(SAMPLES[name], random.Random(name), 25):
        read_or_complain(tmp_path, data, None)
        read_or_complain(tmp_path, data, SAMPLES[name].format)


LONG = {
    "one goal in many pieces": "## A-1: a\n\n**Goal**: g\n\n**Acceptance**: a\n\n**Goal**\n\n" + "text\n\n" * 50_000,
    "many criteria": "---\nid: X-1\ntitle: t\nstatus: Done\n---\n\n## Acceptance Criteria\n\n" + "- [ ] a\n" * 50_000,
    "one id": "- [ ] T001 a\n" * 30_000,
    "one criterion again and again": "## A-1: a\n\n**Goal**: g\n\n" + "**Acceptance**: a\n\n" * 30_000,
    "a fence that is never closed": "- [ ] T001 a\n\n```\n" + "# a\n" * 300_000,
    "parts of parts": "".join(f"- [ ] {'1.' * i}1 a\n" for i in range(7)) * 4_000,
}


@pytest.mark.parametrize("name", LONG)
def test_no_part_of_a_file_costs_its_square(tmp_path, name):
    path = tmp_path / "any.md"
    path.write_text(LONG[name])
    with contextlib.suppress(TaskFileError):
        assert open_tasks(path).tasks
    # The square of any of these would take longer than a test may.
