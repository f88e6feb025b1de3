"""A file counts where it is a regular file of the workspace itself, and says what it has to."""

from __future__ import annotations

import json
import os
import socket
import threading

import pytest
from waypost.nodes.checks.kinds.bounded import Bounded
from waypost.nodes.checks.kinds.kind import NotKept

SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


def test_a_file_with_content_is_there(place):
    (place.workspace / "a.txt").write_text("x")
    outcome, reason = place.says("file", "a.txt")
    assert (outcome, reason.split(",")[0]) == ("PASSED", "a.txt: 1 bytes")


@pytest.mark.parametrize(
    ("make", "said"),
    {
        "missing": (lambda w: None, "is missing"),
        "empty": (lambda w: (w / "out").touch(), "is empty"),
        "a folder": (lambda w: (w / "out").mkdir(), "Is a directory"),
        "a pipe": (lambda w: os.mkfifo(w / "out"), "no regular file"),
        "a link to a file": (lambda w: (put_file(w), (w / "out").symlink_to("other")), "through a link"),
        "a link out of it": (lambda w: (w / "out").symlink_to("/etc/passwd"), "through a link"),
        "a link to nothing": (lambda w: (w / "out").symlink_to("nowhere"), "through a link"),
    }.values(),
)  # fmt: skip
def test_nothing_else_is_a_file(place, make, said):
    make(place.workspace)
    outcome, reason = place.says("file", "out")
    assert (outcome, said in reason) == ("FAILED", True), reason


def put_file(workspace):
    (workspace / "other").write_text("x")


def test_a_link_on_the_way_is_no_way(place):
    (place.workspace / "deep").symlink_to("/etc")
    assert "through a link" in place.says("file", "deep/passwd")[1]


def test_a_pattern_is_looked_for_line_by_line_in_what_is_kept(place):
    (place.workspace / "a.md").write_text("# Greet\n\ngreet NAME\n")
    assert place.says("file", "a.md", matches=r"^greet [A-Z]+$")[0] == "PASSED"
    assert place.says("file", "a.md", matches=r"^greet [0-9]+$") == ("FAILED", "a.md does not hold: ^greet [0-9]+$")


def test_a_secret_in_a_file_is_hidden_where_it_is_kept(place):
    (place.workspace / "a.md").write_bytes(b"key " + place.secret)
    assert place.says("file", "a.md", matches="^key")[0] == "PASSED"
    assert place.secret not in place.kept()


@pytest.mark.parametrize(
    ("content", "schema", "said"),
    {
        "valid": ('{"a": 1}', SCHEMA, None),
        "not valid": ('{"a": "x"}', SCHEMA, "$.a: 'x' is not of type 'integer'"),
        "incomplete": ("{}", SCHEMA, "'a' is a required property"),
        "no JSON": ("{a: 1}", SCHEMA, "no JSON"),
        "no number of JSON": ('{"a": NaN}', {}, "NaN is no JSON"),
        "no schema": ("{}", {"type": 7}, "cannot be checked: SchemaError"),
        "a local reference": ('{"a": 1}', {"$defs": {"x": SCHEMA}, "$ref": "#/$defs/x"}, None),
        "a reference to a file": ("{}", {"$ref": "file:///etc/hostname"}, "Unresolvable"),
        "a reference without end": ("{}", {"$ref": "#"}, "cannot be checked: RecursionError"),
    }.values(),
)  # fmt: skip
def test_a_json_file_is_valid_by_its_schema_or_it_is_told_why_not(place, content, schema, said):
    (place.workspace / "a.json").write_text(content)
    (place.workspace / "s.json").write_text(json.dumps(schema))
    outcome, reason = place.says("file", "a.json", schema="s.json")
    assert (outcome == "PASSED") == (said is None), reason
    assert (said or "valid by s.json") in reason


def test_a_schema_is_never_fetched_from_the_net(place):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        asked = []
        waiting = threading.Thread(target=lambda: asked.append(accepts(server)))
        waiting.start()
        (place.workspace / "a.json").write_text("{}")
        port = server.getsockname()[1]
        (place.workspace / "s.json").write_text(json.dumps({"$ref": f"http://127.0.0.1:{port}/schema.json"}))
        assert place.says("file", "a.json", schema="s.json")[0] == "FAILED"
        waiting.join()
    assert asked == [False]


def accepts(server):
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(("pattern", "text"), [("(a+)+$", b"a" * 40 + b"!"), ("(x+x+)+y", b"x" * 60)])
def test_a_pattern_that_would_take_for_ever_is_given_up_and_the_next_one_is_answered(pattern, text):
    with Bounded(limit_s=0.3) as bounded:
        with pytest.raises(NotKept, match=r"more than 0\.3 s"):
            bounded.holds(pattern, text)
        assert bounded.holds("a", b"a")


def test_a_pattern_of_a_schema_that_would_take_for_ever_is_given_up():
    with Bounded(limit_s=2.0) as bounded, pytest.raises(NotKept, match="more than 2 s"):
        bounded.schema_errors(b'{"pattern": "^(a+)+$"}', b'"' + b"a" * 40 + b'!"')


def test_without_the_extra_a_schema_is_not_passed_and_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(Bounded, "_ask", lambda *_: {"absent": "No module named 'jsonschema'"})
    with pytest.raises(NotKept, match=r"pip install 'waypost\[schema\]'"):
        Bounded().schema_errors(b"{}", b"{}")
