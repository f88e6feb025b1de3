"""Users add kinds of their own: they are looked up, refused and believed like ours, and never more."""

from __future__ import annotations

import sys

import pytest
from kit.cards import write_card
from waypost.nodes.checks.kinds import Argument, Judged, Kind, Seen, Shape, installed_kinds, with_kinds
from waypost.nodes.checks.kinds.kind import failed, passed
from waypost.nodes.formats import read_task_file
from waypost.state.errors import InputError, TaskFileError
from waypost.state.records import Outcome


class LinesKind(Kind):
    """A file has at most so many lines."""

    name = "lines"
    subject = Argument("path", "the path of a file", Shape.PATH, required=True)
    arguments = (Argument("most", "how many lines it may have", required=True),)

    def complaint(self, subject, args):
        return "" if args["most"].isdigit() else 'has a "most" that is no number'

    def look(self, probe, bench):
        content = bench.read(probe.subject[0])
        return Seen(log=bench.keep("lines", content))

    def judge(self, probe, kept):
        lines = kept.log().count(b"\n")
        return passed(f"{lines} lines") if lines <= int(probe.args["most"]) else failed(f"{lines} lines")


class BrokenKind(LinesKind):
    name = "broken"
    how = "look"

    def look(self, probe, bench):
        if self.how == "look":
            raise RuntimeError("oops")
        return Seen(given_up=passed("because I say so")) if self.how == "gives up" else Seen(log=bench.note(a=1))

    def judge(self, probe, kept):
        return {"raises": 1 / 0} if self.how == "judge" else "PASSED"


KINDS = with_kinds(LinesKind())
CARD = """### Task T-1: t
**Goal**: g
**Concrete Actions**: do
**Acceptance Criteria**
- It is short. Verified by {proof}
"""


def read(tmp_path, proof, kinds=KINDS):
    return read_task_file(write_card(tmp_path, CARD.format(proof=proof)), kinds=kinds)


def test_a_card_can_name_it(tmp_path):
    (probe,) = read(tmp_path, "lines `a.md` most `3`").steps[0].probes
    assert (probe.kind, probe.subject, probe.args) == ("lines", ("a.md",), {"most": "3"})


@pytest.mark.parametrize(
    ("proof", "said"),
    {
        "its own rule": ("lines `a.md` most `few`", 'has a "most" that is no number'),
        "a missing argument": ("lines `a.md`", 'has no argument "most": how many lines it may have'),
        "a path out of the workspace": ("lines `../a` most `3`", "leaves the workspace"),
    }.values(),
)
def test_what_does_not_fit_it_is_refused_at_its_line(tmp_path, proof, said):
    with pytest.raises(TaskFileError, match=r"tasks\.md:5: .*") as caught:
        read(tmp_path, proof)
    assert said in str(caught.value)


def test_where_nobody_knows_it_the_card_is_refused(tmp_path):
    with pytest.raises(TaskFileError, match=r'tasks\.md:5: unknown kind of check "lines"'):
        read_task_file(write_card(tmp_path, CARD.format(proof="lines `a.md` most `3`")))


def test_it_looks_and_judges(place):
    (place.workspace / "a.md").write_text("1\n2\n")
    assert place.check(LinesKind(), "a.md", most="2").outcome is Outcome.PASSED
    assert place.check(LinesKind(), "a.md", most="1").outcome is Outcome.FAILED
    assert place.check(LinesKind(), "b.md", most="1").reason == "b.md is missing"


@pytest.mark.parametrize(
    ("how", "outcome", "said"),
    [
        ("look", Outcome.UNVERIFIABLE, "RuntimeError: oops"),
        ("judge", Outcome.UNVERIFIABLE, "ZeroDivisionError"),
        ("word", Outcome.UNVERIFIABLE, "gave no verdict"),
        ("gives up", Outcome.FAILED, "because I say so"),
    ],
)
def test_one_that_breaks_or_does_not_judge_proves_nothing(place, how, outcome, said):
    kind = BrokenKind()
    kind.how = how
    check = place.check(kind, "a.md", most="1")
    assert (check.outcome, said in check.reason) == (outcome, True), check.reason


@pytest.mark.parametrize("name", ["file", "Lines", "with", ""])
def test_a_name_that_is_taken_or_none_is_refused(name):
    kind = type("K", (LinesKind,), {"name": name})()
    with pytest.raises(InputError):
        with_kinds(kind)


def test_a_verdict_is_what_a_kind_says(place):
    assert Judged(Outcome.PASSED, "x") == passed("x")


def offer(folder, monkeypatch, module, points):
    """A package that is installed in `folder` and offers kinds."""
    (folder / "their_kinds.py").write_text(module)
    info = folder / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[waypost.check_kinds]\n{points}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "their_kinds", raising=False)


THEIRS = """
from waypost.nodes.checks.kinds import Argument, Kind, Seen, passed

class Yes(Kind):
    name = "yes"
    subject = Argument("word", "a word")
    def look(self, probe, bench):
        return Seen(log=bench.note(a=1))
    def judge(self, probe, kept):
        return passed("yes")
"""


def test_an_installed_package_can_offer_one(tmp_path, monkeypatch):
    offer(tmp_path, monkeypatch, THEIRS, "yes = their_kinds:Yes")
    assert installed_kinds()["yes"].name == "yes"


@pytest.mark.parametrize(
    ("module", "point", "said"),
    {
        "it fails when it is loaded": ("1/0", "yes = their_kinds:Yes", "ZeroDivisionError"),
        "it is not there": ("", "yes = their_kinds:Yes", "AttributeError"),
        "it is no kind": ("Yes = 7", "yes = their_kinds:Yes", "no kind of check"),
        "it has the name of ours": (
            THEIRS.replace('"yes"', '"file"', 1),
            "yes = their_kinds:Yes",
            "two kinds of check",
        ),
    }.values(),
)
def test_one_that_cannot_be_had_is_named_before_anything_is_run(tmp_path, monkeypatch, module, point, said):
    offer(tmp_path, monkeypatch, module, point)
    with pytest.raises(InputError, match=said):
        installed_kinds()
