"""`waypost reproduce`: the same verdicts, other verdicts, or a world that has changed, and nobody's files touched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kit import isolated
from kit.cards import card, write_card
from kit.cli import Ran, command, environment, waypost_here
from kit.repos import git, make_repo
from kit.waiting import wait_for

CRITERIA = """- AC1: It says hello. Verified by `grep -x hello out.txt`
- AC2: The helper is content. Verified by `helper --check`"""
CARD = card(bash="echo hello > out.txt", criteria=CRITERIA, outputs="- `out.txt`", scope="- `out.txt`")


@dataclass
class Scene:
    """A run that is DONE, and the helper on PATH that it was verified with."""

    folder: Path

    @property
    def repo(self) -> Path:
        return self.folder / "repo"

    @property
    def run_dir(self) -> Path:
        return self.folder / "runs" / "R"

    def helper(self, script: str) -> None:
        path = self.folder / "bin" / "helper"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def again(self, *options: str | Path, what: str | Path = "R") -> Ran:
        return waypost_here("reproduce", what, "--runs", self.folder / "runs", "--json", *options, cwd=self.folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = Scene(tmp_path_factory.mktemp("reproduce"))
    scene.helper("echo content")
    make_repo(scene.repo, {"README": "start\n", ".gitignore": "*.log\n"})
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{scene.folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        runs = ("--runs", scene.folder / "runs", "--run-id", "R")
        ran = waypost_here("run", write_card(scene.folder, CARD), "--workspace", scene.repo, *runs, cwd=scene.folder)
        assert ran.code == 0, ran.out + ran.err
        yield scene


@pytest.fixture
def scene(made: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The run with its helper as it was; temporary folders are made where they can be counted."""
    made.helper("echo content")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return made


def results(ran: Ran) -> dict[str, str]:
    return {row["criterion"]: row["result"] for row in ran.events[-1]["criteria"]}


def world(ran: Ran) -> list[str]:
    last = ran.events[-1]
    return [*last["world"], *(said for row in last["criteria"] for said in row["world"])]


def everything_below(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time and content of each file; git renews the time of objects that it finds where it would write them."""
    return {
        str(path): (0 if "objects" in path.parts else path.lstat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_files_and_commands_give_the_same_verdicts(scene: Scene):
    ran = scene.again()
    last = ran.events[-1]
    assert (ran.code, last["result"], world(ran)) == (0, "same", [])
    assert results(ran) == {"AC1": "same", "AC2": "same"}
    assert [(row["check"], row["recorded"], row["now"]) for row in last["checks"]] == [
        ("S1.V1", "PASSED", "PASSED"),
        ("S1.V2", "PASSED", "PASSED"),
        ("S1.O1", "PASSED", "PASSED"),
    ]


def test_it_says_what_it_does_while_it_does_it(scene: Scene):
    ran = scene.again()
    assert [row["text"] for row in ran.events if row["event"] == "check_started"] == [
        "grep -x hello out.txt",
        "helper --check",
    ]


def test_neither_checkout_nor_repository_nor_evidence_is_touched_and_nothing_stays(scene: Scene, tmp_path: Path):
    scene.helper("echo vandal > out.txt; rm -f README; git commit --allow-empty -qm x; git gc -q; true")
    before = everything_below(scene.repo), everything_below(scene.run_dir)
    scene.again()
    assert (everything_below(scene.repo), everything_below(scene.run_dir)) == before
    assert list((tmp_path / "temporary").iterdir()) == []


def test_it_works_where_the_checkout_has_gone_on(scene: Scene, tmp_path: Path):
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(scene.repo), str(copy))
    (copy / "README").write_text("something else\n")
    assert scene.again("--repository", copy).code == 0


def test_a_command_that_is_gone_is_told_and_is_no_verdict(scene: Scene):
    (scene.folder / "bin" / "helper").unlink()
    ran = scene.again()
    assert (ran.code, results(ran)) == (3, {"AC1": "same", "AC2": "could not run"})
    assert "the command is gone: command not found: helper" in world(ran)


@pytest.mark.parametrize(
    "said",
    [
        "ModuleNotFoundError: No module named 'numpy'",
        "/usr/bin/python3: No module named numpy",
        "Error: Cannot find module 'numpy'",
        "helper: error while loading shared libraries: numpy: cannot open shared object file",
        "./helper: 3: numpy: not found",
    ],
)
def test_a_dependency_that_is_missing_is_told_and_is_no_verdict(scene: Scene, said: str):
    scene.helper(f'echo "{said}"; exit 1')
    ran = scene.again()
    assert (ran.code, results(ran)["AC2"]) == (3, "could not run")
    assert "a dependency is missing: numpy" in world(ran)


def test_what_the_project_itself_lacks_is_another_verdict(scene: Scene):
    scene.helper("touch numpy.py; echo \"ModuleNotFoundError: No module named 'numpy'\"; exit 1")
    ran = scene.again()
    assert (ran.code, results(ran)["AC2"]) == (1, "different")


def test_a_command_that_fails_now_is_another_verdict_and_its_output_is_shown(scene: Scene):
    scene.helper("echo wrong answer; exit 7")
    ran = scene.again()
    assert (ran.code, results(ran)) == (1, {"AC1": "same", "AC2": "different"})
    (row,) = [row for row in ran.events[-1]["checks"] if row["check"] == "S1.V2"]
    assert (row["reason"], row["output"]) == ("exit code 7", "wrong answer")


def test_a_tool_of_another_version_is_told_even_where_the_verdicts_are_the_same(scene: Scene):
    scene.helper("echo another version")
    ran = scene.again()
    assert ran.code == 0
    assert ["helper is" in said and "it was" in said for said in world(ran)] == [True]


def test_a_commit_that_is_not_there_is_told(scene: Scene, tmp_path: Path):
    other = make_repo(tmp_path / "other", {"README": "other\n"})
    ran = scene.again("--repository", other)
    assert (ran.code, "is not in the repository" in ran.events[-1]["text"]) == (3, True)


def test_a_folder_that_is_no_repository_is_told(scene: Scene, tmp_path: Path):
    assert scene.again("--repository", tmp_path).code == 3
    assert scene.again("--repository", tmp_path / "none").code == 3


def test_evidence_that_was_changed_is_not_run(scene: Scene, tmp_path: Path):
    runs = Path(shutil.copytree(scene.folder / "runs", tmp_path / "runs"))
    (patch,) = runs.glob("R/checks/*/change.patch")
    patch.write_bytes(patch.read_bytes().replace(b"+hello", b"+hullo"))
    ran = waypost_here("reproduce", "R", "--runs", runs, cwd=scene.folder)
    assert (ran.code, "does not hold the bytes that were recorded" in ran.err) == (2, True)


def test_a_run_that_is_not_there_is_bad_input(scene: Scene):
    assert scene.again(what="R9").code == 2


def test_the_result_can_be_kept_in_a_new_file_that_is_no_evidence(scene: Scene, tmp_path: Path):
    out = tmp_path / "result.json"
    assert scene.again("--out", out).code == 0
    assert json.loads(out.read_text())["result"] == "same"
    assert scene.again("--out", out).code == 2
    assert scene.again("--out", scene.run_dir / "reports" / "x.json").code == 2


def test_a_bundle_is_run_only_if_somebody_says_so(scene: Scene, tmp_path: Path):
    bundle = tmp_path / "R.tar.gz"
    packed = waypost_here("bundle", "R", "--runs", scene.folder / "runs", "--out", bundle, cwd=scene.folder)
    assert packed.code == 0
    scene.helper(f"touch {tmp_path / 'ran'}")
    asked = scene.again("--repository", scene.repo, what=bundle)
    assert (asked.code, (tmp_path / "ran").exists()) == (2, False)
    assert scene.again("--repository", scene.repo, "--yes", what=bundle).code == 0
    assert (tmp_path / "ran").exists()


def run_of(folder: Path, text: str, *options: str, files: dict[str, str] | None = None) -> Ran:
    repo = make_repo(folder / "repo", files)
    where = ("--workspace", repo, "--runs", folder / "runs", "--run-id", "R", *options)
    return waypost_here("run", write_card(folder, text), *where, cwd=folder)


def again(folder: Path) -> Ran:
    return waypost_here("reproduce", "R", "--runs", folder / "runs", "--json", cwd=folder)


def test_a_run_that_is_blocked_has_nothing_that_could_be_reproduced(tmp_path: Path):
    assert run_of(tmp_path, card(bash="true", verify="false"), "--max-rework", "0").code == 3
    ran = again(tmp_path)
    assert (ran.code, "is BLOCKED" in ran.events[-1]["text"]) == (3, True)


def test_an_output_that_git_ignores_is_told(tmp_path: Path):
    text = card(
        bash="echo x > made.log; echo y > y.txt", criteria="- AC1: There. Verified by O1", outputs="- `made.log`"
    )
    assert run_of(tmp_path, text, files={".gitignore": "*.log\n"}).code == 0
    ran = again(tmp_path)
    assert (ran.code, world(ran)) == (3, ["made.log is not among the recorded files: git ignores it"])


def test_without_a_recorded_change_the_repository_has_to_hold_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MY_TOKEN", "hunter22hunter22")
    assert run_of(tmp_path, card(bash='printf "hunter22%s\\n" hunter22 > out.txt')).code == 0
    ran = again(tmp_path)
    assert (ran.code, "no change was kept (it holds what looks like a secret)" in ran.events[-1]["text"]) == (3, True)
    git(tmp_path / "repo", "add", "-A")
    git(tmp_path / "repo", "commit", "-qm", "the result")
    assert again(tmp_path).code == 0


def test_an_isolated_run_is_reproduced_from_its_branch(tmp_path: Path):
    text = card(
        bash="mkdir -p sub && echo hello > sub/out.txt", verify="grep -x hello sub/out.txt", outputs="- `sub/out.txt`"
    )
    assert isolated.run(make_repo(tmp_path / "repo"), text).code == 0
    assert again(tmp_path).code == 0


def test_ctrl_c_ends_it_and_what_was_put_together_is_removed(scene: Scene, tmp_path: Path):
    scene.helper(f"touch {tmp_path / 'began'}; sleep 600")
    words = command("reproduce", "R", "--runs", scene.folder / "runs", "--json")
    env: dict[str, Any] = {**environment(), "TMPDIR": str(tmp_path / "temporary")}
    process = subprocess.Popen(words, cwd=scene.folder, env=env, stdout=subprocess.PIPE, text=True)
    wait_for((tmp_path / "began").exists)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out.splitlines()[-1])["error"]) == (4, "Interrupted")
    assert list((tmp_path / "temporary").iterdir()) == []
