"""What `--json` prints is what docs/events.schema.json says, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from kit.batches import Wanted, run_batch
from kit.cards import card, write_card
from kit.cli import waypost_here
from kit.repos import make_repo
from waypost.state.event_schema import check_event, event_schema

FILE = Path(__file__).resolve().parents[2] / "docs" / "events.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Every line of runs that end in each way, of one that is watched, and of a batch."""
    folder = tmp_path_factory.mktemp("told")
    repo, runs = make_repo(folder / "repo"), folder / "runs"
    foreign = folder / "foreign"
    foreign.mkdir()
    (foreign / "tasks.md").write_text("# Tasks\n\n## Phase 1: Setup\n\n- [ ] T001 Make README.md\n", encoding="utf-8")
    good = write_card(folder, card(bash="echo x > out.txt"), "good.md")
    bad = write_card(folder, card(bash="true", verify="echo 'ValueError: no'; false"), "bad.md")

    def here(verb: str, *words: object) -> list[dict]:
        ran = waypost_here(verb, *map(str, words), "--runs", runs, "--json", cwd=repo)
        return [json.loads(line) for line in ran.out.splitlines()]

    lines = here("run", good, "--run-id", "good") + here("run", bad, "--run-id", "bad", "--max-rework", "1")
    lines += here("resume", "bad", "--give-up", "--note", "enough") + here("watch", "good") + here("watch", "bad")
    lines += here("resume", "nosuch") + here("run", foreign / "tasks.md", "--task", "T001")
    batch = run_batch(repo, {"A-1": Wanted(), "A-2": Wanted(waits_for=("A-1",))})
    return lines + [json.loads(line) for line in batch.out.splitlines()]


def test_the_schema_in_the_documents_is_made_from_the_types(tmp_path):
    assert json.loads(waypost_here("schema", "events", cwd=tmp_path).out) == event_schema()
    assert FILE.read_text(encoding="utf-8") == json.dumps(event_schema(), indent=2) + "\n"


def test_every_line_that_runs_print_is_one_of_the_schema(told):
    for line in told:
        VALIDATOR.validate(line)


def test_nearly_every_kind_of_event_was_seen(told):
    kinds = {name for one in event_schema()["discriminator"]["mapping"] for name in [one]}
    rare = {"attempt_adopted", "attempt_progress", "draining", "stopping", "written_back", "viewing"}
    assert kinds - {line["event"] for line in told} <= rare


def test_every_line_says_when_and_the_last_one_how_it_ended(told):
    assert all("T" in line["at"] for line in told)
    assert {line["exit_code"] for line in told if line["event"] == "result"} == {0, 1, 3}


def test_a_failed_check_is_told_with_the_line_that_shows_why(told):
    (failed,) = next(line for line in told if line["event"] == "result" and line["status"] == "BLOCKED")["failed"]
    assert (failed["step"], failed["outcome"], failed["error"]) == ("S1", "FAILED", "ValueError: no")
    assert Path(failed["log"]).is_file()


@pytest.mark.parametrize(
    "record",
    [
        {"event": "node_started", "run_id": "R", "node": "extract", "secret": 1},
        {"event": "node_started", "run_id": "R", "node": "nosuch"},
        {"event": "check_finished", "run_id": "R", "node": "verify", "text": "true", "outcome": "FINE"},
        {"event": "nosuch"},
        {},
    ],
)
def test_what_the_schema_does_not_know_is_refused(record):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(record)
    with pytest.raises(ValueError, match="validation error"):
        check_event(record)
