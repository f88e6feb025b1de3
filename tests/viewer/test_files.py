"""Files of a run as they are shown: big ones in parts, changed ones with a warning, documents with nothing alive."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kit.states import make_attempt, make_check, make_state
from waypost.nodes.evidence.files import open_run_folder
from waypost.state.records import Transition
from waypost.state.status import Node, Route, Status
from waypost.viewer.documents import rendered
from waypost.viewer.output import HEAD, TAIL, files_of, last_lines, read_output
from waypost.viewer.run_facts import at_work, checks_of

TEXT = hashlib.sha256(b"text").hexdigest()


def test_of_a_big_file_the_beginning_and_the_end_are_shown(tmp_path: Path):
    (tmp_path / "log").write_bytes(b"a" * HEAD + b"b" * 500 + b"c" * TAIL)
    with open_run_folder(tmp_path) as run:
        found = read_output(run, "log")
    assert (found.head, found.tail, found.hidden) == ("a" * HEAD, "c" * TAIL, 500)


def test_the_newest_lines_of_a_file_that_grows(tmp_path: Path):
    (tmp_path / "log").write_text("".join(f"{number}\n" for number in range(100_000)))
    with open_run_folder(tmp_path) as run:
        assert last_lines(run, "log", lines=3) == "99997\n99998\n99999"
        assert last_lines(run, "not-there", lines=3) == ""


@pytest.mark.parametrize(("recorded", "trusted"), [(TEXT, True), ("0" * 64, False), (None, None)])
def test_a_file_is_held_against_its_recorded_hash(tmp_path: Path, recorded: str | None, trusted: bool | None):
    (tmp_path / "log").write_bytes(b"text")
    with open_run_folder(tmp_path) as run:
        assert read_output(run, "log", recorded).trusted is trusted


@pytest.mark.parametrize("path", ["gone", "../secret", "/etc/passwd", "link", "folder/link/x"])
def test_what_cannot_be_shown_is_told_and_nothing_outside_is_read(tmp_path: Path, path: str):
    folder = tmp_path / "run"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to("../secret")
    (folder / "folder" / "link").symlink_to("..")
    with open_run_folder(folder) as run:
        found = read_output(run, path)
    assert found.problem
    assert (found.head, found.empty) == ("", False)


def test_only_files_that_a_record_leads_to_are_shown(tmp_path: Path):
    attempt = make_attempt()
    (tmp_path / attempt.folder).mkdir(parents=True)
    for name in (f"{attempt.folder}/stdout.log", f"{attempt.folder}/claim.lock", "ledger.jsonl", "config.json"):
        (tmp_path / name).write_text("x")
    state = make_state(attempts=(attempt,), checks=(make_check(log="checks/0001/x.log", log_sha256="0" * 64),))
    assert {*files_of(state, tmp_path)} == {
        "checks/0001/x.log",
        f"{attempt.folder}/stdout.log",
        f"{attempt.folder}/stderr.log",
    }


def test_a_file_that_is_gone_between_two_looks_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "dispatch").mkdir()
    (tmp_path / "dispatch" / "exit.json").write_text("{}")
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda fd: [*listed(fd), ".exit.json.7.tmp"])
    with open_run_folder(tmp_path) as run:
        assert run.names("dispatch") == ("exit.json",)


def test_a_page_holds_so_much_output_as_can_be_read_and_leads_to_the_rest(tmp_path: Path):
    (tmp_path / "checks").mkdir()
    checks = tuple(make_check(id=f"1.S1.V{n}", log=f"checks/{n}", log_sha256="0" * 64) for n in range(40))
    for check in checks:
        (tmp_path / str(check.log)).write_bytes(b"x" * (200 << 10))
    (tmp_path / "checks" / "39").write_bytes(b"x" * (200 << 10) + b"needle")
    rows = checks_of(make_state(checks=checks), tmp_path, wanted="", outcome="")
    assert len(rows) == 40
    assert 15 < sum(row.output is not None for row in rows) < 30
    (found,) = checks_of(make_state(checks=checks), tmp_path, wanted="NEEDLE", outcome="")
    assert (found.check.id, found.hits) == ("1.S1.V39", 1)
    named = checks_of(make_state(checks=checks), tmp_path, wanted="1.s1.v7", outcome="")
    assert [(row.check.id, len(row.output.head)) for row in named if row.output] == [("1.S1.V7", HEAD)]


def test_a_link_in_place_of_the_folder_of_a_round_hides_the_run_from_nobody(tmp_path: Path):
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "0000").symlink_to("..")
    at, source, target = datetime.now(UTC), Status.ANALYSIS, Status.FREEZE
    move = Transition(source=source, target=target, node=Node.PLAN, route=Route.FROZEN, reason="x", at=at)
    assert at_work(make_state(status=Status.FREEZE, transitions=(move,)), tmp_path) == ()


@pytest.mark.parametrize(
    "text",
    [
        "<script>x</script>",
        "[a](javascript:x)",
        "[a](https://evil.example)",
        "![a](https://evil.example/a.png)",
        "<https://evil.example>",
        "[a]\n\n[a]: https://evil.example",
        "a <img src=x onerror=x> b",
        "```html\n<iframe src=x>\n```",
        "| <b>a</b> |\n| --- |\n| <i>x</i> |",
    ],
)
def test_markdown_makes_nothing_that_loads_or_leads_away(text: str):
    html = rendered("report.md", text)
    for tag in ("<script", "<a", "<img", "<iframe", "<b>", "<i>", "href", 'src="'):
        assert tag not in html


def test_a_link_leads_to_a_page_of_ours_or_nowhere():
    def page_of(target: str) -> str | None:
        return f"/run/R/file?path={target}" if target == "../x.log" else None

    html = rendered("report.md", '[*its* log](../x.log), [the `rest`](../gone.log "title")', page_of)
    assert '<a href="/run/R/file?path=../x.log"><em>its</em> log</a>, the <code>rest</code></p>' in html


def test_markdown_is_rendered_below_the_heading_of_the_page():
    html = rendered("report.md", "# Report\n\n| a | b |\n| --- | --- |\n| `1` | **2** |\n")
    assert "<h2>Report</h2>" in html
    assert "<td><code>1</code></td>" in html
    assert "<strong>2</strong>" in html


def test_json_is_indented_and_what_only_claims_to_be_it_is_text():
    assert "{\n  &#34;a&#34;: 1\n}" in rendered("a.json", '{"a":1}')
    assert "{&#34;a" in rendered("a.json", '{"a')
