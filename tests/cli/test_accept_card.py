"""A card says itself what is run; where a digest is given, it is held to it all the same."""

from __future__ import annotations

import json

from kit.cards import card, write_card
from kit.cli import waypost_here

CARD = card(bash="echo x > out.txt")


def digest_of(repo, path) -> str:
    return json.loads(waypost_here("plan", path, "--json", cwd=repo).out.splitlines()[-1])["digest"]


def test_a_card_that_is_not_the_accepted_one_is_not_run(repo):
    path = write_card(repo.parent, CARD)
    digest = digest_of(repo, path)
    write_card(repo.parent, CARD.replace("echo x", "echo y"))
    ran = waypost_here("run", path, "--accept", digest, "--json", cwd=repo)
    assert (ran.code, "not the plan that --accept names" in ran.out) == (2, True)
    assert not (repo / ".artifacts").exists()


def test_a_run_keeps_what_was_accepted_and_in_whose_name(repo):
    path = write_card(repo.parent, CARD)
    digest = digest_of(repo, path)
    ran = waypost_here("run", path, "--accept", digest, "--who", "ada", "--run-id", "R", "--json", cwd=repo)
    assert ran.code == 0
    accepted = json.loads(waypost_here("status", "R", "--json", cwd=repo).out)["state"]["acceptance"]
    assert (accepted["how"], accepted["who"], accepted["digest"]) == ("--accept", "ada", digest)
    assert waypost_here("audit", "R", cwd=repo).code == 0
