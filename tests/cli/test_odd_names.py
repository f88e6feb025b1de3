"""Any bytes but two can be the name of a file: such names go through the ledger, and a run does not fail over them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kit.cards import card, write_card
from kit.cli import waypost_here


def odd(repo: Path, name: bytes) -> Path:
    return repo / os.fsdecode(name)


def test_names_that_are_no_text_are_known_before_the_work_by_the_checks_and_by_an_audit(repo):
    odd(repo, b"old\xff").write_text("x")
    odd(repo, b"link").symlink_to(os.fsdecode(b"\xfe"))
    runs = repo.parent / "runs"
    text = card(bash="echo x > out.txt", verify="touch \"$(printf 'left\\377')\"; test -s out.txt")
    ran = waypost_here(
        "run", write_card(repo.parent, text), "--workspace", repo, "--runs", runs, "--run-id", "R", cwd=repo
    )
    assert ran.code == 0, ran
    assert waypost_here("audit", "R", "--runs", runs, cwd=repo).code == 0
    state = json.loads(waypost_here("status", "R", "--runs", runs, "--json", cwd=repo).out)["state"]
    assert {"//bytes/old%FF", "link"} <= {*state["baseline"]["dirty"]}
    assert state["baseline"]["dirty"]["link"] == "//bytes/link%20to%20%FE"
    assert [*state["before"]["left"]] == ["//bytes/left%FF"]


def test_one_of_them_outside_of_what_was_allowed_is_found_and_named(repo):
    odd(repo, b"old\xff").write_text("x")
    runs = repo.parent / "runs"
    text = card(bash="echo x > out.txt; echo y > \"$(printf 'old\\377')\"", scope="- `out.txt`")
    words = ("run", write_card(repo.parent, text), "--workspace", repo, "--runs", runs, "--run-id", "R")
    ran = waypost_here(*words, "--max-rework", "0", "--json", cwd=repo)
    assert ran.code == 3, ran
    assert "changed outside the Allowed Scope: old\ufffd (untracked)" in ran.result["reason"].replace("?", "\ufffd")
