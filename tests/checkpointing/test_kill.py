"""Killed at any of its named points, a process leaves a ledger with everything it had acknowledged."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from kit.ledgers import Talk, config, ledger_of, reopened, run_python, values_of
from waypost.checkpointing import LedgerSaver, fsck
from waypost.checkpointing.failpoints import FAILPOINTS

SESSION = """
import json, os, sys
from kit.ledgers import Talk, config, forget_acknowledged, ledger_of
from pathlib import Path
from waypost.checkpointing import LedgerSaver
root, log = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def acknowledged(what):
    os.write(log, json.dumps(what).encode() + b"\\n")
def work(saver, name):
    talk = Talk(saver)
    old = saver.get_tuple(config("t"))
    for number in range(3):
        value = f"{name}{number}" + "x" * 1500
        talk.put(a=value)
        acknowledged(["put", value])
        talk.write(("w", value), task=value)
        acknowledged(["write", value])
saver = LedgerSaver(root)
work(saver, "first")
saver.close()
with ledger_of(root).open("ab") as file:
    file.write(b'{"number":8,"torn')
work(saver, "second")
acknowledged(["pruning"])
saver.prune(["t"])
acknowledged(["pruned"])
work(saver, "third")
saver.compact("t")
acknowledged(["compacted"])
saver.delete_thread("other")
Talk(saver, "other").put(a=1)
acknowledged(["deleting"])
saver.delete_thread("other")
acknowledged(["deleted"])
acknowledged(["end"])
"""

HITS = dict.fromkeys(FAILPOINTS, (1,)) | {
    "ledger.append.before": (1, 2, 5, 9, 17),
    "ledger.append.after_write": (1, 2, 5, 9, 17),
    "ledger.append.after_sync": (1, 3, 9),
    "ledger.append.after_ack": (1, 3, 9),
    "ledger.recover.after_settle": (1, 2),
    "ledger.takeover.before": (1, 2),
    "ledger.takeover.after": (1, 2),
    **dict.fromkeys([name for name in FAILPOINTS if ".rewrite." in name], (1, 2)),
}
POINTS = [f"{name}:{hit}" for name in FAILPOINTS for hit in HITS[name]]


def acknowledged(log: Path) -> list[list[str]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def check(root: Path, log: Path) -> None:
    """Everything acknowledged is there, nothing else than that and the one call that was cut short."""
    told = acknowledged(log)
    steps = [step[0] for step in told]
    start = steps.index("pruned") if "pruned" in steps else 0
    puts = [step[1] for step in told if step[0] == "put"]
    kept = puts[-1 - [step[0] for step in told[start:]].count("put") :] if start else puts
    saver = reopened(root)
    shown = [value["a"] for value in values_of(saver)]
    if steps[-1:] == ["pruning"] and len(shown) == 1:
        kept = puts[-1:]
    assert shown[: len(kept)] == kept
    assert len(shown) <= len(kept) + 1
    for found in saver.list(config("t")):
        value = found.checkpoint["channel_values"]["a"]
        if ["write", value] in told:
            assert found.pending_writes == [(value, "w", value)]
    if "deleted" in steps:
        assert list(saver.list(config("other"))) == []
    Talk(saver).put(a="goes on")
    assert values_of(saver)[-1] == {"a": "goes on"}
    assert fsck(root).problems == []


def test_undisturbed_the_session_ends(root: Path, tmp_path: Path) -> None:
    ran = run_python(SESSION, root, tmp_path / "log")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert acknowledged(tmp_path / "log")[-1] == ["end"]
    check(root, tmp_path / "log")


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_nothing_acknowledged_is_lost(root: Path, tmp_path: Path, point: str) -> None:
    ran = run_python(SESSION, root, tmp_path / "log", failpoint=point)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    check(root, tmp_path / "log")


@pytest.mark.parametrize("point", ["ledger.delete.after_tombstone", "ledger.delete.after_mirrors"])
def test_a_deletion_that_was_cut_short_is_seen_as_done_and_is_completed(root: Path, tmp_path: Path, point: str) -> None:
    run_python(SESSION, root, tmp_path / "log", failpoint=point)
    assert reopened(root, read_only=True).get_tuple(config("other")) is None
    assert ledger_of(root, "other").exists()
    with LedgerSaver(root) as saver:
        Talk(saver, "other").put(a="new")
        assert values_of(saver, "other") == [{"a": "new"}]
    assert ledger_of(root, "other").read_bytes().count(b'"kind":"open"') == 1
