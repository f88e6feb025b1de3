"""Several runs in one folder, and several steps in one run."""

from __future__ import annotations

import json

import pytest
from kit.cards import card, step_part, steps_card, write_card
from kit.cli import start_waypost, waypost
from kit.repos import make_repo


def test_a_second_task_in_the_same_runs_folder_is_its_own_run(repo):
    runs = repo.parent / "runs"
    both = card(bash="echo x > out.txt") + "\n" + card(bash="echo y > out.txt", task="T-2")
    path = write_card(repo.parent, both)
    options = ("--workspace", repo, "--runs", runs, "--json")
    first = waypost("run", path, "--task", "T-1", *options, cwd=repo)
    second = waypost("run", path, "--task", "T-2", *options, cwd=repo)
    assert (first.code, second.code) == (0, 0)
    listed = [json.loads(line) for line in waypost("status", "--runs", runs, "--json", cwd=repo).out.splitlines()]
    assert sorted((row["run_id"], row["task_id"], row["status"]) for row in listed) == sorted(
        [(first.run_id, "T-1", "DONE"), (second.run_id, "T-2", "DONE")]
    )


def test_eight_runs_at_the_same_time_in_one_folder_all_end_right(tmp_path):
    from waypost.checkpointing import fsck

    runs = tmp_path / "runs"
    processes = []
    for number in range(8):
        repo = make_repo(tmp_path / f"repo-{number}", {"README": "same\n"})
        text = card(bash=f"echo {number} > out.txt", verify=f"grep -q {number} out.txt")
        path = write_card(tmp_path, text, f"{number}.md")
        processes.append(start_waypost("run", path, "--workspace", repo, "--runs", runs, "--json", cwd=repo))
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    results = [json.loads(out.splitlines()[-1]) for out in outputs]
    assert [result["status"] for result in results] == ["DONE"] * 8
    assert len({result["run_id"] for result in results}) == 8
    for result in results:
        assert len(result["evidence"]) == 3
        assert fsck(result["run_dir"]).ok


def run(repo, text, *options):
    path = write_card(repo.parent, text)
    return waypost("run", path, "--workspace", repo, "--runs", repo.parent / "runs", "--json", *options, cwd=repo)


def test_all_steps_run_in_the_order_of_their_dependencies(repo):
    text = steps_card(
        step_part("S3", "echo S3 >> order", "true", "S2"),
        step_part("S1", "echo S1 >> order", "true"),
        step_part("S2", "echo S2 >> order", "true", "S1"),
    )
    assert run(repo, text).code == 0
    assert (repo / "order").read_text().split() == ["S1", "S2", "S3"]


def test_independent_steps_overlap_in_time(repo):
    meet = "touch here-{me}; until [ -e here-{other} ]; do sleep 0.02; done"
    text = steps_card(
        step_part("S1", meet.format(me="S1", other="S2"), "true"),
        step_part("S2", meet.format(me="S2", other="S1"), "true"),
        step_part("S3", "ls here-S1 here-S2", "true", "S1, S2"),
    )
    ran = run(repo, text, "--step-timeout-s", "30")
    assert (ran.code, ran.result["attempts"]) == (0, 3)


def test_a_failing_step_is_reworked_without_repeating_its_neighbour(repo):
    text = steps_card(
        step_part("S1", "echo S1 >> count", "true"),
        step_part("S2", "echo S2 >> count; [ $WAYPOST_ATTEMPT -gt 1 ] && touch fine || true", "test -e fine"),
    )
    assert run(repo, text).code == 0
    assert sorted((repo / "count").read_text().split()) == ["S1", "S2", "S2"]


def test_a_later_step_that_breaks_an_earlier_one_is_noticed_before_done(repo):
    text = steps_card(
        step_part("S1", "echo good > out.txt", "grep -q good out.txt"),
        step_part("S2", "[ $WAYPOST_ATTEMPT -gt 1 ] || echo broken > out.txt", "true", "S1"),
    )
    ran = run(repo, text)
    assert (ran.code, ran.result["attempts"]) == (0, 3)
    assert (repo / "out.txt").read_text() == "good\n"


def test_a_second_process_that_drives_the_same_run_is_refused_before_its_first_stage(repo):
    path = write_card(repo.parent, card(bash="touch begun; until [ -e go ]; do sleep 0.02; done", verify="true"))
    runs = repo.parent / "runs"
    first = start_waypost("run", path, "--workspace", repo, "--runs", runs, "--run-id", "R", "--json", cwd=repo)
    try:
        for line in first.stdout:
            if json.loads(line)["event"] == "attempt_started":
                break
        second = waypost("resume", "R", "--runs", runs, "--json", cwd=repo)
        assert (second.result["error"], second.started()) == ("LedgerConflict", [])
        assert str(first.pid) in json.dumps(second.result)
    finally:
        (repo / "go").touch()
        first.communicate(timeout=60)
    assert first.returncode == 0


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_status_of_an_empty_folder_is_no_error(tmp_path, options):
    ran = waypost("status", "--runs", tmp_path / "runs", *options, cwd=tmp_path)
    assert ran.code == 0
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_steps_are_worked_on_at_a_time_than_allowed(repo, most):
    enter, leave = "mkdir -p ../at; touch ../at/$WAYPOST_STEP; ls ../at | wc -l >> ../seen", "rm ../at/$WAYPOST_STEP"
    bash = f"{enter}; sleep 0.1; {leave}"
    path = write_card(repo.parent, steps_card(*(step_part(f"S{i}", bash, "true") for i in range(1, 5))))
    where = ("--workspace", repo, "--runs", repo.parent / "runs", "--json")
    ran = waypost("run", path, *where, "--max-parallel", str(most), cwd=repo)
    assert ran.code == 0, ran.out
    seen = [int(line) for line in (repo.parent / "seen").read_text().split()]
    assert len(seen) == 4
    assert max(seen) <= most
