"""Whatever stands in a file: tasks, or a complaint. Never another error, never a long time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waypost.nodes.formats import read_tasks
from waypost.nodes.plan import compile_plan
from waypost.state.errors import TaskFileError
from waypost.state.task import Task

ROOT = Path(__file__).parents[3]
CARD = (ROOT / "docs/task-card.md").read_text().split("````")[1].partition("\n")[2]
PIECES = st.sampled_from(
    [
        "### Task X: t\n", "#### Step S1: s\n", "# a\n", "**Goal**: g\n", "**Verification**\n",
        "**Concrete Actions**\n", "**Acceptance Criteria**\n", "**Expected Outputs**: ", "**Dependencies**: ",
        "**Allowed Scope**\n", "**", "__a__\n", "- ", "  - ", "1. ", "> ", "    ", "\t", "\n", "\n\n", "```bash\n",
        "```\n", "~~~\n", "`", "``", "`a`", "\\", "a", "V1", "AC1: ", "O1: ", ", ", "Verified by ", "verified  by:",
        "proves: all", "equivalent: `b`", "timeout: 1 s", "(", ")", "---\n", "<!--", "*", "\xa0", "İ", "\u200f",
        "[a]: b\n", "none", "..", "/", "!",
    ]
)  # fmt: skip
STRUCTURES = st.sampled_from(
    [
        "id: X\n", "title: t\n", "goal: g\n", "actions: [do]\n", "criteria:\n", "steps:\n", "tasks:\n", "- ", "  ",
        "\n", "{", "}", "[", "]", ",", ":", ": ", '"', "'", "|\n", ">\n", "&a ", "*a", "!!x ", "? ", "# ", "---\n",
        "...\n", "%Y ", "null", "1", "a", "text: ", "run: ", "\\u0000", "\\", "<<", "~", "@", "`", "\t",
    ]
)  # fmt: skip
QUICK = settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_or_complain(folder: Path, data: bytes, suffix: str) -> None:
    path = folder / f"any{suffix}"
    path.write_bytes(data)
    complaint = None
    tasks: tuple[Task, ...] = ()
    try:
        tasks = read_tasks(path)
        for task in tasks:
            compile_plan(task)
    except TaskFileError as error:
        complaint = error
    last_line = data.count(b"\n") + data.count(b"\r") + 1
    if complaint:
        assert str(complaint).startswith(str(path))
        assert complaint.line is None or 1 <= complaint.line <= last_line
    else:
        assert tasks


@QUICK
@given(data=st.binary(max_size=300), suffix=st.sampled_from([".md", ".yaml", ".json"]))
def test_any_bytes(tmp_path, data, suffix):
    read_or_complain(tmp_path, data, suffix)


@QUICK
@given(text=st.text(max_size=300), suffix=st.sampled_from([".md", ".yaml", ".json"]))
def test_any_text(tmp_path, text, suffix):
    read_or_complain(tmp_path, text.encode("utf-8", "surrogatepass"), suffix)


@QUICK
@given(pieces=st.lists(PIECES, max_size=25))
def test_any_markdown(tmp_path, pieces):
    read_or_complain(
        tmp_path, ("### Task A: t\n**Goal**: g\n**Concrete Actions**: do\n" + "".join(pieces)).encode(), ".md"
    )


@QUICK
@given(pieces=st.lists(STRUCTURES, max_size=20), suffix=st.sampled_from([".yaml", ".json"]))
def test_any_structure(tmp_path, pieces, suffix):
    read_or_complain(tmp_path, "".join(pieces).encode(), suffix)


@QUICK
@given(data=st.data())
def test_any_card_with_a_part_cut_out_doubled_or_replaced(tmp_path, data):
    start = data.draw(st.integers(0, len(CARD)))
    end = data.draw(st.integers(start, min(len(CARD), start + 120)))
    middle = data.draw(st.sampled_from(["", CARD[start:end] * 2]) | PIECES)
    read_or_complain(tmp_path, (CARD[:start] + middle + CARD[end:]).encode(), ".md")


ADDED = [
    "ZZZ", "- ZZZ", "  - ZZZ", "**ZZZ**", "  **ZZZ**: a", "> ZZZ", "  ```bash\n  ZZZ\n  ```", "\n    ZZZ\n", "- `ZZZ`",
    "#### ZZZ", "ZZZ\n---", "<!-- ZZZ -->", "[ZZZ]: x", "- Verified by `ZZZ`",
]  # fmt: skip


@pytest.mark.parametrize("added", ADDED)
def test_a_line_put_anywhere_into_a_card_is_read_or_refused_but_never_lost(tmp_path, added):
    lines = CARD.split("\n")
    first = next(number for number, line in enumerate(lines, 1) if line.startswith("### Task"))
    for number in range(first, len(lines)):
        if lines[number - 1].startswith("- V1"):
            # Words beside a command are the one thing that is not kept: they only describe it.
            continue
        path = tmp_path / "tasks.md"
        path.write_text("\n".join([*lines[:number], added, *lines[number:]]))
        try:
            (task,) = read_tasks(path)
        except TaskFileError:
            continue
        assert "ZZZ" in task.model_dump_json(), f"lost below line {number}"


GOOD = "### Task A: t\n\n**Goal**: g\n\n**Concrete Actions**\n\n- do\n\n"
DO = "**Concrete Actions**: a\n"
HOSTILE = {
    "items.md": GOOD + "- a\n" * 9_000,
    "nested items.md": GOOD + ("- " * 12 + "a\n") * 9_000,
    "quotes.md": GOOD + ("> " * 60 + "a\n") * 9_000,
    "back-ticks.md": GOOD + "".join("`" * (i % 1_500 + 1) + "a" for i in range(2_000)),
    "entries.md": GOOD + "**Acceptance Criteria**\n\n- a verified by " + "`a`," * 100_000,
    "proofs.md": GOOD + "**Acceptance Criteria**\n\n- a\n" + "  - verified by `a`\n" * 900,
    "spaces.md": GOOD + "**Acceptance Criteria**\n\n- verified" + " " * 1_900_000 + "by",
    "stars.md": GOOD + "*" * 1_900_000,
    "brackets.md": GOOD + "[" * 1_900_000,
    "steps.md": "### Task A: t\n**Goal**: g\n" + "".join(f"# Step S{i}: s\n" + DO for i in range(4_000)),
    "brackets.yaml": "[" * 1_900_000,
    "quotes.yaml": "'" * 1_900_000,
    "questions.yaml": "? " * 900_000,
    "brackets.json": "[" * 1_900_000,
    "quotes.json": '"' * 1_900_001,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_seconds_at_most(tmp_path, name):
    started = time.monotonic()
    read_or_complain(tmp_path, HOSTILE[name].encode(), Path(name).suffix)
    assert time.monotonic() - started < 15
