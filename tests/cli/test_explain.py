"""Why a run is where it is, in sentences that are each from a record."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from kit.batches import Wanted, run_batch
from kit.cards import card, write_card
from kit.cli import waypost, waypost_here
from kit.repos import make_repo
from kit.states import RUN, make_check, make_state
from waypost.checkpointing import WriterInfo
from waypost.cli.explain import explained
from waypost.cli.routes import MEANINGS
from waypost.cli.seen import Seen
from waypost.state.records import Outcome, Transition
from waypost.state.status import TRANSITIONS, Route, Status


class Place:
    """A repository and its runs."""

    def __init__(self, folder) -> None:
        self.folder, self.repo, self.runs = folder, make_repo(folder / "repo"), folder / "runs"

    def run(self, text: str, run: str, *options: str):
        path = write_card(self.folder, text, f"{run}.md")
        return waypost_here(
            "run", path, "--workspace", self.repo, "--runs", self.runs, "--run-id", run, *options, cwd=self.repo
        )

    def why(self, run: str, *options: str):
        return waypost_here("explain", run, "--runs", self.runs, *options, cwd=self.repo)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Runs that are DONE, BLOCKED and FAILED, one that was killed, and a batch with a task that is blocked."""
    place = Place(tmp_path_factory.mktemp("why"))
    place.run(card(bash="echo x > out.txt"), "good")
    place.run(card(bash="true", verify="echo 'ValueError: no such file'; false"), "bad", "--max-rework", "0")
    place.run(card(bash="true", verify="nosuchtool"), "given")
    waypost_here("resume", "given", "--give-up", "--note", "enough", "--runs", place.runs, cwd=place.repo)
    killed = ("run", place.folder / "good.md", "--workspace", place.repo, "--runs", place.runs, "--run-id", "killed")
    waypost(*killed, cwd=place.repo, failpoint="node.verify.enter")
    run_batch(place.repo, {"A-1": Wanted(), "A-2": Wanted(verify="nosuchtool", waits_for=("A-1",))})
    return place


def test_a_blocked_run_says_the_move_the_guard_the_check_its_error_and_the_question(place):
    ran = place.why("bad")
    assert ran.code == 0
    assert "is BLOCKED since" in ran.out
    assert 'moved it there from ACCEPT by the route "exhausted"' in ran.out
    assert "all the reworks that it may have (--max-rework 0)" in ran.out
    assert '"ValueError: no such file"' in ran.out
    assert "checks/0001/S1.V1.log" in ran.out
    assert "It waits for a person: S1 still fails" in ran.out
    assert "waypost resume bad --runs" in ran.out


def test_a_run_that_is_done_says_on_which_round_that_rests_and_offers_nothing(place):
    out = place.why("good").out
    assert "Every step and every criterion passed in one round over the final files." in out
    assert "DONE is an end" in out
    assert "Next:" not in out


def test_a_run_that_a_person_has_ended_says_who_and_why(place):
    out = place.why("given").out
    assert "decided give_up: enough" in out
    assert "A person decided to end the run." in out


def test_a_killed_run_says_that_its_process_is_gone_and_how_it_goes_on(place):
    out = place.why("killed").out
    assert "is gone without having let go (it was killed)" in out
    assert out.rstrip().splitlines()[-1].strip().startswith("waypost resume killed")


def test_a_batch_says_which_tasks_are_not_done_and_why(place):
    ran = place.why("B")
    assert (ran.code, ran.out.split(":")[0]) == (0, "Batch B is BLOCKED")
    assert "A-2 is BLOCKED" in ran.out
    assert "waypost explain A-2_" in ran.out


def test_a_script_gets_the_same_as_facts(place):
    told = json.loads(place.why("bad", "--json").out)
    assert (told["status"], told["transition"]["route"], told["driver"]) == ("BLOCKED", "exhausted", None)
    assert told["failed"][0]["error"] == "ValueError: no such file"
    assert {edge["route"] for edge in told["allowed"]} >= {"recover", "recheck", "give_up"}
    assert all(command.startswith("waypost resume bad") for command in told["next"])


def test_the_same_run_is_always_explained_in_the_same_words(place):
    assert place.why("bad").out == place.why("bad").out


def test_it_changes_nothing(place):
    def pictures():
        return {path: path.stat().st_mtime_ns for path in place.runs.rglob("*")}

    before = pictures()
    place.why("killed")
    assert pictures() == before


def test_a_run_that_is_not_there_is_refused(place):
    ran = place.why("nosuch")
    assert (ran.code, "there is no run nosuch" in ran.err) == (2, True)


def test_a_ledger_without_a_run_in_it_is_told_as_such(tmp_path):
    (tmp_path / "R").mkdir()
    (tmp_path / "R" / "ledger.jsonl").write_bytes(b"nothing\n")
    for verb in ("explain", "watch", "status"):
        ran = waypost_here(verb, "R", "--runs", tmp_path, cwd=tmp_path)
        assert (ran.code != 0, "ledger.jsonl holds no run" in ran.err) == (True, True)


def test_every_route_has_a_meaning():
    assert {*MEANINGS} == {*Route}


AT = datetime(2026, 1, 1, tzinfo=UTC)
ALIVE = WriterInfo(7, 1, "host", "boot", 1, True, False)


@pytest.mark.parametrize(
    "edge",
    [edge for edge in TRANSITIONS if edge.target is not Status.DONE],
    ids=lambda edge: f"{edge.source}-{edge.node}-{edge.route}",
)
@pytest.mark.parametrize("writer", [None, ALIVE], ids=["nobody", "driven"])
def test_every_move_can_be_explained_whether_somebody_drives_the_run_or_not(tmp_path, edge, writer):
    move = Transition(source=edge.source, target=edge.target, node=edge.node, route=edge.route, reason="because", at=AT)
    state = make_state(status=edge.target, transitions=(move,), checks=(make_check(outcome=Outcome.FAILED),))
    found = explained(Seen(state, tmp_path / RUN, True, writer, 3))
    assert f"is {edge.target} since 2026-01-01 00:00:00 UTC." in found.sentences[0]
    assert f"{MEANINGS[edge.route]}." in found.sentences or edge.route in (Route.EXHAUSTED, Route.OVER_BUDGET)
    assert any("Process 7 on host" in sentence for sentence in found.sentences) == (writer is not None)
    json.dumps(found.facts)
