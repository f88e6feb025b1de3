"""What a person sees: a live line on a terminal, calm lines elsewhere, one JSON object per line for scripts."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import command, environment, waypost_here

GOOD = card(bash="echo x > out.txt")


def on_a_terminal(repo: Path, text: str, **env: str) -> tuple[int, str]:
    """Run in a pseudo terminal; exit code and everything that was written to it."""
    path = write_card(repo.parent, text)
    ours, theirs = pty.openpty()
    arguments = command("run", path, "--workspace", repo, "--runs", repo.parent / "runs")
    kept = {name: value for name, value in environment().items() if name != "CI"}
    given = {**kept, "TERM": "xterm-256color", "COLUMNS": "100", **env}
    process = subprocess.Popen(arguments, cwd=repo, env=given, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:
        pass
    finally:
        os.close(ours)
    return process.wait(timeout=60), seen.decode()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_a_terminal_shows_what_goes_on_now_and_keeps_what_has_happened(repo):
    code, seen = on_a_terminal(repo, card(bash="sleep 0.6; echo x > out.txt"))
    assert code == 0
    assert "\x1b[2K" in seen
    assert re.search(r"└─ [⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] S1  A task +0 s", plain(seen))
    assert re.search(r"└─ ✓ S1  A task +0\.\d s", plain(seen))
    assert "result      DONE" in plain(seen)


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"CI": "true"}])
def test_a_dumb_terminal_and_the_log_of_a_ci_system_get_plain_lines(repo, env):
    code, seen = on_a_terminal(repo, GOOD, **env)
    assert (code, "\x1b" in seen) == (0, False)


def test_no_color_means_no_colour_on_any_terminal(repo):
    _, seen = on_a_terminal(repo, GOOD, NO_COLOR="1")
    assert not re.search(r"\x1b\[(?:[0-9;]*;)?3[0-9](?:;[0-9]+)*m", seen)


def test_a_pipe_gets_the_stages_the_checks_the_evidence_and_nothing_to_steer_a_terminal(repo, tmp_path):
    path = write_card(tmp_path, GOOD)
    ran = waypost_here("run", path, "--workspace", repo, "--runs", tmp_path / "runs", cwd=repo)
    labels = [line.split()[0] for line in ran.out.splitlines() if line[:1].strip()]
    assert (
        labels
        == ["run", "extract", "plan", *["baseline"] * 2, *["dispatch"] * 3, *["verify"] * 2, "transition", "result"]
        + ["evidence"] * 3
    )
    assert "\x1b" not in ran.out


def test_a_command_of_a_card_cannot_steer_the_terminal(repo, tmp_path):
    path = write_card(tmp_path, card(bash="true", verify="false '\u202e'"))
    ran = waypost_here("run", path, "--workspace", repo, "--runs", tmp_path / "runs", cwd=repo)
    assert "\u202e" not in ran.out + ran.err


def test_a_quiet_run_that_is_done_says_nothing(repo, tmp_path):
    path = write_card(tmp_path, GOOD)
    ran = waypost_here("run", path, "--workspace", repo, "--runs", tmp_path / "runs", "--quiet", cwd=repo)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_json_is_one_object_per_line_from_the_run_id_to_the_result(repo, tmp_path):
    path = write_card(tmp_path, GOOD)
    ran = waypost_here("run", path, "--workspace", repo, "--runs", tmp_path / "runs", "--json", cwd=repo)
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["run_started", "result"]
    assert events[-1]["exit_code"] == ran.code == 0
    assert events[-1]["checks"] == {"PASSED": 3, "FAILED": 0, "UNVERIFIABLE": 0}


def test_a_blocked_run_ends_with_its_question_the_reason_and_what_to_type(repo, tmp_path):
    path = write_card(tmp_path, card(bash="true", verify="nosuchtool"))
    ran = waypost_here("run", path, "--workspace", repo, "--runs", tmp_path / "runs", "--run-id", "R", cwd=repo)
    assert ran.code == 3
    assert "question    Some of what was asked cannot be verified here." in ran.out
    assert "unverified  S1 AC1: nosuchtool: command not found: nosuchtool" in ran.out
    assert "next        waypost resume R --runs" in ran.out


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_run_whose_output_nobody_reads_any_more_is_interrupted_and_not_failed(repo, options):
    path = write_card(repo.parent, GOOD)
    runs = repo.parent / "runs"
    arguments = command("run", path, "--workspace", repo, "--runs", runs, "--run-id", "R", *options)
    process = subprocess.Popen(
        arguments, cwd=repo, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(timeout=60), process.stderr.read()) == (4, b"")
    assert waypost_here("resume", "R", "--runs", runs, cwd=repo).code == 0
