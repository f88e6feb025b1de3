"""The outcome of a check is what its kind says about what was kept, when anybody works it out again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import waypost_here
from kit.repos import make_repo
from waypost.cli.compose import open_saver
from waypost.cli.ledger_facts import facts_of
from waypost.nodes.audit.kinds import audit_kinds
from waypost.nodes.audit.records import audit_records
from waypost.nodes.checks.kinds import BUILTIN
from waypost.nodes.evidence.files import open_run_folder
from waypost.state.records import Outcome

from audit.bundles import verifier

GOOD = "<testsuite><testcase classname='t' name='test_a'/></testsuite>"
CARD = card(
    bash=f'echo "{GOOD}" > good.xml; echo "greet NAME" > help.md',
    criteria=(
        "- Tested. Verified by test `t.py::test_a` run `sh -c 'cp good.xml {junit}'`\n"
        "- Said. Verified by file `help.md` matches `^greet`\n"
        "- Loud. Verified by `sh -c 'echo hello; exit 3'` with exit code `3` output `^hello$`\n"
        "- Seen. Verified by manual"
    ),
)
TEST, FILE, LOUD, SEEN = "1.S1.V1", "1.S1.V2", "1.S1.V3", "1.S1.V4"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    repo = make_repo(folder / "repo")
    runs = ("--runs", folder / "runs")
    tasks = write_card(folder, CARD)
    assert waypost_here("run", tasks, "--workspace", repo, *runs, "--run-id", "R", cwd=folder).code == 3
    assert waypost_here("approve", "R", *runs, "--note", "saw it", cwd=folder).code == 0
    return folder


@pytest.fixture(scope="module")
def state(original):
    with open_saver(original / "runs", read_only=True) as saver:
        return facts_of(saver, original / "runs" / "R", "R").state


@pytest.fixture
def run_dir(original, tmp_path):
    return Path(shutil.copytree(original / "runs" / "R", tmp_path / "R"))


def findings(state, run_dir, kinds=BUILTIN):
    """Check id -> what is wrong with it."""
    with open_run_folder(run_dir) as folder:
        return {one.subject: one.what for one in audit_kinds(state, folder, kinds) if one.found == "wrong"}


def recorded(state, id, **changes):
    """The state with another record of one check."""
    checks = tuple(c.model_copy(update=changes) if c.id == id else c for c in state.checks)
    return state.model_copy(update={"checks": checks})


def recorded_before(state, id, **changes):
    """The state with another record of one check of before the work."""
    checks = tuple(c.model_copy(update=changes) if c.id == id else c for c in state.before.checks)
    return state.model_copy(update={"before": state.before.model_copy(update={"checks": checks})})


def test_an_untouched_run_is_what_its_kinds_say(state, run_dir):
    assert {check.id for check in state.checks} >= {TEST, FILE, LOUD, SEEN}
    assert findings(state, run_dir) == {}


@pytest.mark.parametrize(
    ("id", "name", "content", "said"),
    {
        "a report with a failure": (TEST, "S1.V1.junit.xml", GOOD.replace("/>", "><error/></testcase>", 1), "error"),
        "a report of nothing": (TEST, "S1.V1.junit.xml", "<testsuite/>", "not in the report"),
        "a file without the words": (FILE, "S1.V2.content", "hello", "does not hold"),
        "a file that was not looked at": (FILE, "S1.V2.json", '{"path": "other", "bytes": 3}', "was not help.md"),
        "a log without the words": (LOUD, "S1.V3.log", "bye", "does not hold"),
        "a decision of nobody": (SEEN, "S1.V4.json", "{}", "another question"),
    }.values(),
)
def test_what_was_kept_is_judged_again_and_not_believed(state, run_dir, id, name, content, said):
    (run_dir / "checks" / "0001" / name).write_text(content)
    assert set(found := findings(state, run_dir)) == {id}
    assert said in found[id]


@pytest.mark.parametrize("id", [TEST, FILE, LOUD, SEEN])
def test_a_failure_that_is_recorded_of_what_passed_is_found(state, run_dir, id):
    assert id in findings(recorded(state, id, outcome=Outcome.FAILED), run_dir)


def test_a_pass_without_a_log_or_with_another_exit_code_is_found(state, run_dir):
    assert findings(recorded(state, FILE, log=None), run_dir)[FILE] == "passed without a log"
    assert "exit code 0, 3 is asked for" in findings(recorded(state, LOUD, exit_code=0), run_dir)[LOUD]


def test_a_decision_that_no_person_took_in_the_run_is_found(state, run_dir):
    assert "as no person has decided" in findings(state.model_copy(update={"decisions": ()}), run_dir)[SEEN]
    path = run_dir / "checks" / "0001" / "S1.V4.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "who": "mallory"}))
    assert SEEN in findings(state, run_dir)


def test_a_pass_of_a_kind_that_nobody_knows_here_is_no_pass(state, run_dir):
    kinds = {name: kind for name, kind in BUILTIN.items() if name != "file"}
    assert "nobody here knows how to judge it" in findings(state, run_dir, kinds)[FILE]


def test_the_verifier_of_one_file_takes_the_bundle_and_says_what_it_leaves_to_an_audit(original, tmp_path):
    out = tmp_path / "R.tar.gz"
    assert waypost_here("bundle", "R", "--runs", original / "runs", "--out", out, cwd=tmp_path).code == 0
    told = list(verifier().verify(out.read_bytes(), None))
    assert any(line.startswith("not redone   what checks of the kind file, manual, test") for line in told)
    assert waypost_here("audit", out, cwd=tmp_path).code == 0


def test_what_is_said_of_the_time_before_the_work_is_judged_again(state, run_dir):
    earlier = {check.id: check.outcome for check in state.before.checks}
    assert (earlier["0.S1.V2"], earlier["0.S1.V3"]) == (Outcome.FAILED, Outcome.PASSED)
    assert set(findings(recorded_before(state, "0.S1.V3", outcome=Outcome.FAILED), run_dir)) == {"0.S1.V3"}
    (run_dir / "checks" / "0000" / "S1.V3.log").write_text("bye")
    assert "does not hold" in findings(state, run_dir)["0.S1.V3"]


def test_an_outcome_before_the_work_that_no_command_had_is_found(state):
    def complaints(changed):
        return {one.subject: one.what for one in audit_records(changed, ()) if one.subject == "0.S1.V3"}

    assert complaints(state) == {}
    assert "nothing of the kind ran" in complaints(recorded_before(state, "0.S1.V3", argv=(), log=None))["0.S1.V3"]


def test_done_against_a_demand_of_the_card_is_found(state):
    (step,) = state.task.steps
    task = state.task.model_copy(update={"steps": (step.model_copy(update={"red_before": (step.criteria[2].id,)}),)})
    said = [one.what for one in audit_records(state.model_copy(update={"task": task}), ()) if one.area == "verdicts"]
    assert any("did not fail before the work" in what for what in said)
