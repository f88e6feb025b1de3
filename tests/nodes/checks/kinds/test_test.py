"""The report that counts is written by the run of ours, where nobody could put one before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from waypost.nodes.checks.kinds import BUILTIN
from waypost.nodes.checks.kinds.grammar import misfit

NONE = "no JUnit report of this run was written"
GOOD = "<testsuite><testcase classname='t' name='test_a'/></testsuite>"
BAD = "<testsuite><testcase classname='t' name='test_a'><failure/></testcase></testsuite>"


@pytest.fixture
def reports(place):
    (place.workspace / "good.xml").write_text(GOOD)
    (place.workspace / "bad.xml").write_text(BAD)
    (place.workspace / "big.xml").write_text(GOOD + " " * (16 << 20))
    return place


def test_a_named_test_that_passed_in_the_report_of_the_run_is_proved_and_the_report_is_kept(reports):
    check = reports.check("test", "t.py::test_a", run="sh -c 'cat good.xml > {junit}'")
    assert (check.outcome, check.reason) == ("PASSED", "1 named, passed; 1 tests in the report, exit code 0")
    assert [file.path for file in check.kept] == ["checks/0001/S1.V1.junit.xml"]
    assert check.argv[-1].endswith("> {junit}")


def test_pytest_is_told_itself_where_its_report_goes(place):
    (place.workspace / "test_it.py").write_text("def test_a(): pass\n\ndef test_b(): assert False\n")
    run = f"env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest -q -p no:cacheprovider test_it.py"
    assert place.says("test", "test_it.py::test_a", run=run, exit_code="1")[0] == "PASSED"
    outcome, reason = place.says("test", "test_it.py::test_a", "test_it.py::test_b", run=run)
    assert (outcome, "test_it.py::test_b did not pass: failure" in reason) == ("FAILED", True)


@pytest.mark.parametrize(
    ("run", "said"),
    {
        "writes its report elsewhere": ("sh -c 'cp good.xml junit.xml; : {junit}'", NONE),
        "prints what a report says": ("sh -c 'cat good.xml; : {junit}'", NONE),
        "exits before the report": ("sh -c 'exit 0; cp good.xml {junit}'", NONE),
        "links to a report": ("sh -c 'ln -s $PWD/good.xml {junit}'", "is a link"),
        "gives a report a second name": ("sh -c 'cp good.xml {junit}; ln {junit} {junit}.2'", "no regular file"),
        "moves an old one there": ("sh -c 'cp good.xml x; touch -d 2020-01-01 x; mv x {junit}'", "older than this run"),
        "makes a pipe of it": ("sh -c 'mkfifo {junit}'", "no regular file"),
        "makes a folder of it": ("sh -c 'mkdir {junit}'", "no regular file"),
        "writes too much": ("sh -c 'cp big.xml {junit}'", "bytes, at most"),
        "writes no XML": ("sh -c 'echo 1 passed > {junit}'", "no JUnit report: no XML"),
        "fails after a good report": ("sh -c 'cp good.xml {junit}; exit 3'", "ended with exit code 3, not 0"),
        "reports a failure and exits 0": ("sh -c 'cp bad.xml {junit}'", "did not pass: failure"),
    }.values(),
)  # fmt: skip
def test_a_run_without_a_good_report_of_its_own_proves_nothing(reports, run, said):
    outcome, reason = reports.says("test", "t.py::test_a", run=run)
    assert (outcome, said in reason) == ("FAILED", True), reason


def test_a_run_that_does_not_end_proves_nothing(reports):
    run = "sh -c 'cp good.xml {junit}; sleep 60'"
    assert reports.says("test", "t.py::test_a", run=run, timeout_s=0.3) == ("FAILED", "timed out after 0.3 s")


def test_a_runner_that_is_not_there_is_unverifiable(reports):
    outcome, reason = reports.says("test", "t.py::test_a", run="nosuchrunner {junit}")
    assert (outcome, reason) == ("UNVERIFIABLE", "command not found: nosuchrunner")


def test_the_place_of_the_report_is_outside_of_the_workspace_another_each_time_and_gone_afterwards(reports):
    run = "sh -c 'echo {junit}; cp good.xml {junit}'"
    places = set()
    for _ in range(2):
        check = reports.check("test", "t.py::test_a", run=run)
        said = Path((reports.run_dir / check.log).read_text().strip())
        assert not said.is_relative_to(reports.workspace)
        assert not said.parent.exists()
        places.add(said)
    assert len(places) == 2


def test_a_secret_in_a_report_is_hidden_where_it_is_kept(reports):
    text = GOOD.replace("/>", f"><system-out>{reports.secret.decode()}</system-out></testcase>", 1)
    (reports.workspace / "good.xml").write_text(text)
    assert reports.says("test", "t.py::test_a", run="sh -c 'cp good.xml {junit}'")[0] == "PASSED"
    assert reports.secret not in reports.kept()


@pytest.mark.parametrize(
    "run", ["pytest -q", "python3 -m pytest", "env A=1 .venv/bin/python -m pytest", "uv run pytest"]
)
def test_a_command_that_is_pytest_needs_no_place_in_it(run):
    assert misfit(BUILTIN["test"], ("a.py::b",), {"run": run}) == ""


@pytest.mark.parametrize(
    ("subject", "args", "said"),
    {
        "no place for a report": (("a::b",), {"run": "make test"}, "not told where its report goes"),
        "pytest behind a pipe": (("a::b",), {"run": "pytest | cat"}, "not told where its report goes"),
        "an option as an id": (("--co::x",), {}, "no id of pytest"),
        "an id of another tool without its command": (("com.acme.Test.a",), {}, "no id of pytest"),
        "no id": ((), {}, "does not say the id of a test"),
    }.values(),
)  # fmt: skip
def test_a_check_that_could_never_be_told_is_refused_before_any_work(subject, args, said):
    assert said in misfit(BUILTIN["test"], subject, args)
