"""Files of a run as they are shown: big ones in parts, changed ones with a warning, documents with nothing alive."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from kit.states import make_attempt, make_check, make_state
from waypost.nodes.evidence.files import open_run_folder
from waypost.viewer.documents import rendered
from waypost.viewer.output import HEAD, TAIL, files_of, last_lines, read_output

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


def test_markdown_is_rendered_below_the_heading_of_the_page():
    html = rendered("report.md", "# Report\n\n| a | b |\n| --- | --- |\n| `1` | **2** |\n")
    assert "<h2>Report</h2>" in html
    assert "<td><code>1</code></td>" in html
    assert "<strong>2</strong>" in html


def test_json_is_indented_and_what_only_claims_to_be_it_is_text():
    assert "{\n  &#34;a&#34;: 1\n}" in rendered("a.json", '{"a":1}')
    assert "{&#34;a" in rendered("a.json", '{"a')
