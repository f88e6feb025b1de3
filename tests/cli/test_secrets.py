"""Fifty secrets on every way into a run: none of them stands in any of its files, or in what it shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import Ran, waypost_here
from kit.secrets import core_of, fifty, token, word

SECRETS = fifty()


def shown_or_kept(folder: Path, ran: Ran, secrets: dict[str, str]) -> list[tuple[str, str]]:
    """Which secret is found where: in files of the run, or in the output of the command."""
    places = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    places |= {"stdout": ran.out.encode(), "stderr": ran.err.encode()}
    cores = [(name, core.encode()) for name, text in secrets.items() for core in core_of(text)]
    return [(name, place) for place, content in places.items() for name, core in cores if core in content]


def go(repo: Path, text: str, *options: str) -> Ran:
    path = write_card(repo.parent, text)
    runs = ("--runs", repo.parent / "runs", "--run-id", "R", "--json")
    return waypost_here("run", path, "--workspace", repo, *runs, *options, cwd=repo)


def test_fifty_secrets_of_workers_checks_and_prose_are_in_no_file_of_the_run(repo):
    (repo / "secrets").write_text("\n".join(SECRETS.values()) + "\n")
    prose = "\n".join(f"- Use this: {text}" for text in SECRETS.values() if "\n" not in text)
    text = card(
        bash="cat secrets; cat secrets >&2; [ $WAYPOST_ATTEMPT = 2 ] && touch mended",
        verify="cat secrets; test -e mended",
    ).replace("- Do it.", f"- Do it.\n{prose}")
    ran = go(repo, text)
    assert (ran.code, ran.result["attempts"]) == (0, 2)
    assert shown_or_kept(repo.parent / "runs", ran, SECRETS) == []
    prompt = (repo.parent / "runs" / "R" / "dispatch" / "S1" / "attempt-2" / "prompt.md").read_text()
    assert prompt.count("***") > 50


def test_the_value_of_a_secret_variable_is_in_no_file_also_where_a_check_prints_what_a_worker_wrote(repo, monkeypatch):
    value = word(1, 30)
    monkeypatch.setenv("SOME_SERVICE_TOKEN", value)
    (repo / "found").write_text(f"it was {value} all along\n")
    ran = go(repo, card(bash="cat found; exit 1", verify="cat found && false"), "--max-rework", "1")
    assert ran.code == 3
    assert shown_or_kept(repo.parent / "runs", ran, {"value": f"x {value[:8]}{value}"}) == []
    assert not [p for p in (repo.parent / "runs").rglob("*") if p.is_file() and value.encode() in p.read_bytes()]


def test_a_check_is_judged_by_what_it_did_and_not_by_what_is_shown_of_it(repo):
    secret = token("github classic", 5)
    (repo / "leak").write_text(secret + "\n")
    seen = go(repo, card(bash="true", verify=f"grep -q {secret[:10]} leak && cat leak"))
    assert (seen.code, seen.result["status"]) == (0, "DONE")
    assert not [p for p in (repo.parent / "runs").rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


@pytest.mark.parametrize(
    "fields",
    [
        {"bash": "true", "verify": "! grep -r {} ."},
        {"bash": "curl -H 'X-Key: {}' localhost", "verify": "true"},
        {"script": "- say: {}", "verify": "true"},
        {"bash": "true", "verify": "true", "scope": "- `{}/**`"},
        {"bash": "true", "verify": "true", "outputs": "- `{}.txt`"},
    ],
)
def test_a_secret_in_what_is_executed_or_compared_is_refused_before_anything_is_written(repo, fields):
    secret = token("openai", 3)
    ran = go(repo, card(**{name: text.format(secret) for name, text in fields.items()}))
    assert (ran.code, ran.result["error"]) == (2, "TaskFileError")
    assert "environment variable" in ran.result["next"]
    assert secret not in ran.out + ran.err
    assert not (repo.parent / "runs").exists()


def test_the_name_of_a_variable_is_no_secret(repo):
    ran = go(repo, card(bash='echo "https://me:${MY_TOKEN-}@localhost/ Bearer ${MY_TOKEN-}"', verify="true"))
    assert ran.code == 0


def test_what_a_check_is_given_of_our_variables_is_decided_by_the_same_list(repo, monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/agent")
    ran = go(repo, card(bash="true", verify='test -n "$PATH" && test -z "${SSH_AUTH_SOCK-}"'))
    assert ran.code == 0


def test_a_note_of_a_person_is_kept_without_its_secrets(repo):
    assert go(repo, card(bash="true", verify="test -e mended"), "--max-rework", "0").code == 3
    secret = token("slack bot", 2)
    runs = repo.parent / "runs"
    ran = waypost_here("resume", "R", "--runs", runs, "--give-up", "--note", f"was {secret}", "--json", cwd=repo)
    assert ran.code == 1
    assert shown_or_kept(runs, ran, {"note": secret}) == []
    assert json.loads((runs / "R" / "pipeline_state.json").read_text())["values"]["decisions"][0]["note"] == "was ***"
