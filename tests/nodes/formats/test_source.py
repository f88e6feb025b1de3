"""What is read at all: the file as bytes from a stranger."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from kit.cards import card
from waypost.nodes.formats import read_tasks
from waypost.state.errors import TaskFileError


def refusal(path):
    with pytest.raises(TaskFileError) as caught:
        read_tasks(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2
    return caught.value


def test_a_missing_file_is_named_with_what_was_expected(tmp_path):
    error = refusal(tmp_path / "none.md")
    assert "no such file" in error.what
    assert "UTF-8" in error.facts["expected"]


def test_a_directory_is_no_task_file(tmp_path):
    assert "is a directory" in refusal(tmp_path).what


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    path = tmp_path / "tasks.md"
    os.mkfifo(path)
    assert "not a regular file" in refusal(path).what


def test_a_device_is_refused():
    assert "not a regular file" in refusal(Path("/dev/zero")).what


@pytest.mark.parametrize("name", ["a" * 300 + ".md", "a\0b.md", "tasks.md/below.md"])
def test_a_path_that_cannot_exist_is_refused(tmp_path, name):
    (tmp_path / "tasks.md").write_text(card())
    with pytest.raises(TaskFileError, match=r"cannot be read|no such file"):
        read_tasks(tmp_path / name)


def test_a_link_to_itself_is_refused(tmp_path):
    (tmp_path / "tasks.md").symlink_to(tmp_path / "tasks.md")
    assert "cannot be read" in refusal(tmp_path / "tasks.md").what


def test_a_file_name_that_is_no_text_can_still_be_read_and_shown(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.md"))
    path.write_text(card())
    assert read_tasks(path)[0].source.path.endswith(r"\udcff.md")


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "tasks.md"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    started = time.monotonic()
    assert "too large" in refusal(path).what
    assert time.monotonic() - started < 1


def test_too_many_lines_are_refused(tmp_path):
    path = tmp_path / "tasks.md"
    path.write_text(card() + "\n" * 10_000)
    assert "too large" in refusal(path).what


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"", 1, "is empty"),
        (b" \n\t\n", 1, "is empty"),
        (b"\xef\xbb\xbf", 1, "is empty"),
        (b"a\nb\0c", 2, "binary"),
        (b"\x7fELF\x02\x01\x01\0", 1, "binary"),
        ("### Task A: t".encode("utf-16"), 1, "binary"),
        (b"a\n\nb\xff", 3, "not UTF-8 text: byte 0xff"),
        (b"a\n\xed\xa0\x80", 2, "not UTF-8"),
        (b"a\nb\x1b[31m", 2, "U+001B"),
        (b"a\x7f", 1, "U+007F"),
        ("a\nb\u2028c".encode(), 2, "U+2028"),
        ("`rm \u202ex`".encode(), 1, "U+202E"),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path, data, line, said):
    path = tmp_path / "tasks.md"
    path.write_bytes(data)
    error = refusal(path)
    assert error.line == line
    assert said in error.what
    assert error.facts["expected"]


@pytest.mark.parametrize("name", ["tasks", "tasks.txt", "tasks.md.bak", "tasks.toml"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path, name):
    path = tmp_path / name
    path.write_text(card())
    assert refusal(path).facts["known"] == ".md, .markdown, .yaml, .yml, .json"


@pytest.mark.parametrize("name", ["tasks.md", "tasks.markdown", "TASKS.MD"])
def test_the_suffix_says_the_format_in_any_case(tmp_path, name):
    path = tmp_path / name
    path.write_text(card())
    assert read_tasks(path)[0].id == "T-1"


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_windows_lines_change_nothing_but_the_hash(tmp_path, change):
    path = tmp_path / "tasks.md"
    path.write_text(card(bash="one\ntwo", criteria="- a\n  b. Verified by\n  `c`"))
    plain = read_tasks(path)[0]
    path.write_bytes(change(path.read_text()).encode())
    changed = read_tasks(path)[0]
    assert changed.source.sha256 != plain.source.sha256
    assert changed.model_copy(update={"source": plain.source}) == plain


def test_a_task_knows_its_file_line_and_the_hash_of_the_bytes(tmp_path):
    path = tmp_path / "tasks.md"
    path.write_text("intro\n\n" + card())
    source = read_tasks(path)[0].source
    assert (source.path, source.line) == (str(path), 3)
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
