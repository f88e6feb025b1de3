"""The shipped deterministic worker: it does what its script says."""

from __future__ import annotations

import pytest
from kit.jobs import Recorded, make_job
from waypost.nodes.dispatch import dispatch
from waypost.state.records import AttemptOutcome, Order


def play(repo, tmp_path, script, number=1):
    recorded = Recorded(tmp_path / "runs")
    order = Order(step="S1", number=number, kind="create")
    attempt = dispatch(make_job(repo, script=script, order=order), recorded.call).update["attempts"][0]
    out = recorded.run_dir / attempt.folder / "stdout.log"
    return attempt, out.read_text() if out.exists() else None


def test_it_writes_appends_and_deletes_files_in_the_workspace(repo, tmp_path):
    script = "- write: {path: a/b.txt, text: one}\n- append: {path: a/b.txt, text: two}\n- delete: README\n"
    attempt, _ = play(repo, tmp_path, script)
    assert attempt.succeeded
    assert (repo / "a/b.txt").read_text() == "onetwo"
    assert not (repo / "README").exists()


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("- say: working\n- exit: 3", 3, "working\n"),
        ("- lie: all tests passed\n- exit: 3", 0, "all tests passed\n"),
        ("- crash: true", 137, ""),
        ("- sleep_s: 0.01\n- complain: oops", 0, ""),
        ("[]", 0, ""),
    ],
)
def test_it_ends_as_its_script_says(repo, tmp_path, script, code, said):
    attempt, out = play(repo, tmp_path, script)
    assert (attempt.exit_code, out) == (code, said)


def test_a_cue_can_be_for_some_attempts_only(repo, tmp_path):
    script = "- {attempt: 1, exit: 1}\n- {attempt: [2, 3], say: again}\n"
    assert play(repo, tmp_path, script, 1)[0].exit_code == 1
    assert play(repo, tmp_path, script, 2)[1] == "again\n"
    assert play(repo, tmp_path, script, 4)[1] == ""


def test_a_path_outside_the_workspace_ends_the_worker_with_an_error(repo, tmp_path):
    attempt, _ = play(repo, tmp_path, "- write: {path: ../outside, text: x}")
    assert attempt.exit_code == 1
    assert not (repo.parent / "outside").exists()


@pytest.mark.parametrize(
    "script",
    ["- dance: true", "- {say: a, exit: 1}", "- {}", "say: a", "- exit: 999", "{", "- !!python/name:os.x"],
)
def test_a_script_that_is_no_list_of_cues_starts_nothing(repo, tmp_path, script):
    attempt, _ = play(repo, tmp_path, script)
    assert attempt.outcome is AttemptOutcome.NOT_STARTED
    assert "not a list of cues" in attempt.reason
