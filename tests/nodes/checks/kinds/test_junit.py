"""A test is proved by a report only where it stands there, and passed everywhere it stands."""

from __future__ import annotations

import pytest
from waypost.nodes.checks.kinds.junit import NoReport, read_report, verdict_on

ID = "tests/test_a.py::TestB::test_c"


def suite(*cases: str) -> bytes:
    return f"<testsuites><testsuite name='pytest'>{''.join(cases)}</testsuite></testsuites>".encode()


def case(inside: str = "", name: str = "test_c", group: str = "tests.test_a.TestB", more: str = "") -> str:
    return f"<testcase classname='{group}' name='{name}' {more}>{inside}</testcase>"


def verdict(*cases: str, id: str = ID) -> str:
    return verdict_on(id, read_report(suite(*cases)))


@pytest.mark.parametrize(
    ("id", "cases"),
    {
        "an id of pytest": (ID, [case()]),
        "with output": (ID, [case("<properties><property name='failure'/></properties><system-out>x</system-out>")]),
        "with parameters": (f"{ID}[a::b/c-1]", [case(name="test_c[a::b/c-1]")]),
        "all cases of a test": (ID, [case(name="test_c[1]"), case(name="test_c[2]")]),
        "of another tool": ("com.acme.CartTest.adds", [case(name="adds", group="com.acme.CartTest")]),
        "of a tool that says that it ran": (ID, [case(more="status='run' result='completed'")]),
    }.values(),
)  # fmt: skip
def test_a_test_that_is_there_and_passed_is_proved(id, cases):
    assert verdict(*cases, id=id) == ""


@pytest.mark.parametrize(
    ("cases", "said"),
    {
        "missing": ([case(name="test_d")], "is not in the report of 1 tests"),
        "only its beginning is there": ([case(name="test_cc")], "is not in the report"),
        "an empty report": ([], "is not in the report of 0 tests"),
        "failed": ([case("<failure message='no'/>")], "did not pass: failure (no)"),
        "in error": ([case("<error/>")], "did not pass: error"),
        "skipped": ([case("<skipped type='pytest.skip' message='later'/>")], "skipped (pytest.skip later)"),
        "expected to fail": ([case("<skipped type='pytest.xfail'/>")], "did not pass: skipped (pytest.xfail)"),
        "passed, and then its end failed": ([case(), case("<error/>")], "did not pass: error"),
        "one of its parameters failed": ([case(name="test_c[1]"), case("<failure/>", "test_c[2]")], ": failure"),
        "flaky": ([case("<flakyFailure/>")], "flakyFailure"),
        "something unheard of": ([case("<maybe/>")], "did not pass: maybe"),
        "not run by its tool": ([case(more="status='notrun'")], "did not pass: notrun"),
    }.values(),
)  # fmt: skip
def test_anything_else_is_no_proof_and_says_why(cases, said):
    assert said in verdict(*cases)


BOMB = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><testsuite><testcase name='&b;'/></testsuite>"


@pytest.mark.parametrize(
    ("data", "said"),
    {
        "no XML": (b"1 passed", "no XML"),
        "nothing": (b"", "no XML"),
        "cut": (suite(case())[:-20], "no XML"),
        "a bomb of entities": (BOMB, "a document type"),
        "an entity from elsewhere": (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><testsuite/>", "a document type"),
        "another document": (b"<html/>", "first element is <html>"),
        "nested without end": (b"<testsuite>" * 100, "nested deeper"),
        "tests inside of tests": (suite(case(case())), "stands inside of <testcase>"),
        "tests inside of output": (suite(case(f"<system-out>{case()}</system-out>")), "stands inside of <system-out>"),
    }.values(),
)  # fmt: skip
def test_what_is_no_report_is_refused_and_nothing_in_it_is_expanded_or_fetched(data, said):
    with pytest.raises(NoReport, match=said):
        read_report(data)


def test_markup_in_the_output_of_a_test_is_output():
    printed = "<system-out><![CDATA[<testcase classname='tests.test_a.TestB' name='test_c'/>]]></system-out>"
    assert "is not in the report" in verdict(case(printed, name="other"))
