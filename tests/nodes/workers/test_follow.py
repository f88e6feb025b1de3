"""What is shown of a running worker: the newest line, within bounds, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from kit.jobs import Recorded, make_job
from waypost.nodes.dispatch import dispatch
from waypost.nodes.workers import Launch, PlainWorker
from waypost.nodes.workers.follow import Follower


def follower(path: Path) -> tuple[Follower, list[str]]:
    shown: list[str] = []
    return Follower(path, lambda line: line.decode("utf-8", "replace"), shown.append), shown


def test_the_newest_whole_line_is_shown_once(tmp_path):
    path = tmp_path / "out"
    following, shown = follower(path)
    following.poll()
    path.write_text("one\ntwo\nthr")
    following.poll()
    following.poll()
    assert shown == ["two"]


def test_a_line_that_comes_in_pieces_is_looked_at_when_it_is_whole(tmp_path):
    path = tmp_path / "out"
    following, shown = follower(path)
    path.write_text("be")
    following.poll()
    path.write_text("begin\n")
    following.poll()
    assert shown == ["begin"]


def test_output_faster_than_it_can_be_shown_is_skipped_to_its_end(tmp_path):
    path = tmp_path / "out"
    following, shown = follower(path)
    path.write_bytes(b"x" * 3_000_000 + b"\nlast\n")
    following.poll()
    assert shown == ["last"]
    assert len(following._rest) <= 1 << 17


def test_a_line_without_end_is_neither_kept_nor_shown(tmp_path):
    path = tmp_path / "out"
    following, shown = follower(path)
    for _ in range(20):
        with path.open("ab") as file:
            file.write(b"y" * 100_000)
        following.poll()
        assert len(following._rest) <= 1 << 17
    with path.open("ab") as file:
        file.write(b"\nafter\n")
    following.poll()
    assert shown == ["after"]


def test_a_long_text_is_cut_and_stays_one_line(tmp_path):
    path = tmp_path / "out"
    following, shown = follower(path)
    path.write_text("a\tb " + "c" * 1000 + "\n")
    following.poll()
    assert shown == [("a b " + "c" * 1000)[:200]]


def test_a_worker_that_reports_progress_is_heard_while_it_runs(repo, tmp_path):
    class Talking(PlainWorker):
        def prepare(self, job, folder):
            return Launch(argv=("bash", "-c", "echo part one; until [ -e go ]; do sleep 0.02; done"))

        def progress(self, line):
            return line.decode().upper()

    recorded = Recorded(tmp_path / "runs")
    recorded.use_worker("talking", Talking())

    class Says(list):
        def append(self, event):
            super().append(event)
            if event["event"] == "attempt_progress":
                (repo / "go").touch()

    recorded.events = Says()
    recorded.call = type(recorded.call)(context=recorded.call.context, say=recorded.events.append)
    dispatch(make_job(repo, bash="x", worker="talking"), recorded.call)
    (said,) = [event for event in recorded.events if event["event"] == "attempt_progress"]
    assert (said["text"], said["step"], said["attempt"]) == ("PART ONE", "S1", 1)
