"""Secrets are hidden on their way into a file, whatever their shape and however they arrive; all else stays."""

from __future__ import annotations

import base64
import json
import random
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.secrets import core_of, fifty, jwt, private_key, token, word
from waypost.nodes.workers.launcher.masking import HOLD_MAX, Masker
from waypost.nodes.workers.launcher.variables import chosen, forms_of, is_named, masker_for

SECRETS = fifty()
VALUE = "correct horse battery staple"


def streamed(masker: Masker, data: bytes, cuts: list[int]) -> bytes:
    stream, shown, last = masker.stream(), [], 0
    for cut in (*sorted(cuts), len(data)):
        shown.append(stream.feed(data[last:cut]))
        last = cut
    return b"".join(shown) + stream.flush()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_a_known_shape_is_hidden_wherever_it_stands(name):
    text = SECRETS[name]
    for around in (
        text,
        f"before {text} after",
        f'{{"out": {json.dumps(text)}}}',
        f"\x1b[32m{text}\x1b[0m",
        f"'{text}'",
    ):
        shown = Masker().text(around)
        assert not [core for core in core_of(text) if core in shown], shown
        assert "***" in shown


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_arrives_in_two_pieces_is_hidden_as_if_it_were_whole(name):
    data = f"before {SECRETS[name]} after\n".encode()
    whole = Masker().bytes(data)
    for cut in range(len(data)):
        assert streamed(Masker(), data, [cut]) == whole, cut


@pytest.mark.parametrize("name", ["anthropic 1", "key 1", "url 1", "bearer 1", "jwt 1", "aws secret 1"])
def test_a_secret_that_arrives_byte_by_byte_is_hidden(name):
    data = f"before {SECRETS[name]} after\n".encode()
    assert streamed(Masker(), data, list(range(len(data)))) == Masker().bytes(data)


@pytest.mark.parametrize(
    "text",
    [
        "the task-2024-11-26-rename-everything-in-the-house is done",
        "disk-0123456789012345678901234567890123456789",
        "https://example.org:8080/a@b http://[::1]:80/ git@example.org:me/it.git",
        "Basic authentication is used; Bearer tokens are not",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        'AKIA is a prefix, ghp_ as well, and sk- too; eyJ is base64 of {"',
        "xoxb-short glpat-short *** already hidden ***",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text):
    assert Masker().text(text) == text


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_bytes_without_a_secret_pass_unchanged_and_in_order_whatever_they_are(data, cuts):
    if Masker([b"needle"]).bytes(data) == data:
        assert streamed(Masker([b"needle"]), data, cuts) == data


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_mixture_cut_anywhere_shows_no_secret_and_hiding_twice_changes_nothing(data):
    names = data.draw(st.lists(st.sampled_from(sorted(SECRETS)), min_size=1, max_size=4))
    between = st.sampled_from([b" ", b"\n", b"\xff\xfe ", b" task-1 \n", b"\r\n", b" eyJ ", b" : "])
    mixture = b"".join(data.draw(between) + SECRETS[name].encode() + data.draw(between) for name in names)
    cuts = data.draw(st.lists(st.integers(0, len(mixture)), max_size=8))
    shown = streamed(Masker(), mixture, cuts)
    assert not [core for name in names for core in core_of(SECRETS[name]) if core.encode() in shown]
    assert Masker().bytes(shown) == shown


def test_the_value_of_a_named_variable_is_hidden_in_every_form_it_may_take():
    masker = masker_for({"MY_PHRASE": VALUE}, ["MY_PHRASE"])
    forms = (VALUE, json.dumps(VALUE), urllib.parse.quote(VALUE, safe=""), base64.b64encode(VALUE.encode()).decode())
    for form in forms:
        shown = masker.text(f"it is {form}!")
        assert "battery" not in shown
        assert form.strip('"=') not in shown


def test_a_value_with_quotes_and_lines_is_hidden_in_json_and_line_by_line():
    value = 'first "quoted" line\nsecond \\ line of it\n'
    masker = Masker(forms_of(value))
    shown = masker.text(f"{json.dumps({'v': value})}\n{value}\n  second \\ line of it again")
    assert not [part for part in ("quoted", "second") if part in shown]


def test_a_value_split_over_reads_is_hidden_and_its_beginning_alone_is_shown_in_the_end():
    masker = Masker([VALUE.encode()])
    data = f"a {VALUE} b".encode()
    assert all(streamed(masker, data, [cut]) == b"a *** b" for cut in range(len(data)))
    assert streamed(masker, b"a correct horse", [3, 9]) == b"a correct horse"


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("SOME_API_KEY", "abcdefghijkl", True),
        ("DB_PASSWORD", "postgres", False),
        ("GH_TOKEN", "x" * 20, True),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key.json", False),
        ("EDITOR", "a-long-editor-name", False),
    ],
)
def test_variables_whose_names_say_so_are_secrets_if_their_values_are_no_words_or_paths(name, value, hidden):
    assert (masker_for({name: value}, ()).text(f"<{value}>") == "<***>") is hidden


def test_ordinary_output_is_passed_on_at_once_and_only_a_possible_beginning_is_held_back():
    stream = Masker([b"needle"]).stream()
    assert stream.feed(b"Continue? [y/n] ") == b"Continue? [y/n] "
    assert stream.feed(b"a need") == b"a "
    assert stream.feed(b" for speed") == b"need for speed"


@pytest.mark.parametrize("begin", [b"-----BEGIN RSA PRIVATE KEY-----", b"ghp_", b"https://me:", b"eyJ", b"Bearer "])
def test_no_output_makes_it_hold_more_than_some_kilobytes(begin):
    stream, dice = Masker().stream(), random.Random(1)
    stream.feed(begin)
    for _ in range(40):
        stream.feed(bytes(dice.choices(b"abcdefgh12345", k=4096)))
        assert len(stream._held) <= HOLD_MAX + 4096


def test_every_shape_of_a_long_stream_is_found_among_much_that_is_none():
    dice = random.Random(7)
    secrets = [token("anthropic", 9), jwt(9), private_key(9), f"Bearer {word(9, 40)}"]
    noise = [bytes(dice.choices(range(256), k=3000)) for _ in range(200)]
    for at, secret in zip((20, 70, 120, 199), secrets, strict=True):
        noise[at] += b" " + secret.encode() + b" "
    stream = Masker().stream()
    shown = b"".join(stream.feed(part) for part in noise) + stream.flush()
    assert not [secret for secret in secrets if secret[10:60].encode() in shown]


def test_only_allowed_variables_are_passed_and_ours_never():
    environ = {"PATH": "p", "LC_ALL": "C", "AWS_PROFILE": "x", "MY_A": "1", "WAYPOST_FAILPOINT": "f"}
    assert chosen(environ, ("PATH", "LC_*", "MY_*", "WAYPOST_*")) == {"PATH": "p", "LC_ALL": "C", "MY_A": "1"}
    assert chosen(environ, ("*",)) == {name: value for name, value in environ.items() if name != "WAYPOST_FAILPOINT"}


def test_a_star_stands_for_anything_at_either_end_of_a_name_only():
    assert [is_named(name, ("*_KEY", "A*", "*MID*")) for name in ("MY_KEY", "A", "XMIDX", "KEY_", "B")] == [
        *(True, True, True),
        *(False, False),
    ]
